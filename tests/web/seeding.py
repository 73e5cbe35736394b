"""A small settled city for the portal's tests: two levels, two counties, three nights, a flag of every kind."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from core.accounts import User, create_user, parse_grant
from core.db import engine_for, writing
from core.outbox import OutboxMail
from core.settings import Settings
from core.units import UnitVersion
from reconcile.catalog import RULES
from reconcile.findings import flag_key, grain_text
from reconcile.models import (
    Artefact,
    CellFigure,
    Delivery,
    FindingRow,
    Flag,
    FlagEvent,
    NightRun,
    NotEvaluable,
    PresenceFigure,
    Verdict,
)
from tests.databases import migrate
from tests.homes import settings_in
from tests.web.pool_seeding import seed_pool

PASSWORD = "Autumn-ledger-2026"
# Its Argon2id hash at the least cost: whoever checks it takes the cost from the hash, and the tests sign in a thousand times.
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NIGHTS = (date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22))
NEWEST = NIGHTS[-1]

# code, name, division, level, kind, parent
UNITS = (
    ("3701001", "市教育局", "370100", "CITY", "ORGAN", None),
    ("3701002", "市第一中学", "370100", "CITY", "INSTITUTION", "3701001"),
    ("3701003", "市机关事务服务中心", "370100", "CITY", "REF_UNIT", None),
    ("3701021", "历下区民政局", "370102", "COUNTY", "ORGAN", None),
    ("3701022", "历下区实验小学", "370102", "COUNTY", "INSTITUTION", "3701021"),
    ("3701031", "市中区卫生健康局", "370103", "COUNTY", "ORGAN", None),
    ("3701023", "解放路街道办事处", "370102001", "TOWNSHIP", "ORGAN", None),
)
SUPERVISED = {"3701002": "3701001"}
# unit, post type, fund form, quota, in post, paid
CELLS = (
    ("3701001", "ADMIN", "FULL", 86, 84, 85),
    ("3701001", "SUPPORT", "FULL", 6, 7, 7),
    ("3701002", "INSTITUTION", "FULL", 240, 238, 236),
    ("3701002", "INSTITUTION", "SELF", 12, 9, 0),
    ("3701003", "CIVIL_SERVICE_REF", "FULL", 45, 44, 44),
    ("3701021", "ADMIN", "FULL", 32, 33, 33),
    ("3701022", "INSTITUTION", "PART", 118, 115, 117),
    ("3701031", "ADMIN", "FULL", None, 28, 28),
    ("3701023", "ADMIN", "FULL", 40, 39, 39),
)
GRANTS = {
    "admin": ("ADMINISTRATOR",),
    "reviewer": ("REVIEWER:370100/CITY", "REVIEWER:370100/COUNTY"),
    "reviewer2": ("REVIEWER:370100/CITY",),
    "county": ("REVIEWER:370102/COUNTY",),
    "director": ("DIRECTOR:370100/CITY", "DIRECTOR:370103/COUNTY"),
    "director2": ("DIRECTOR:370100/CITY",),
    "county_director": ("DIRECTOR:370102/COUNTY",),
    "province": ("REVIEWER:370000/PROVINCE", "DIRECTOR:370000/PROVINCE"),
    "small": ("UNIT_OFFICER:unit=3701022",),
    "finance": ("FINANCE:370100/CITY",),
    "personnel": ("PERSONNEL:370100/CITY",),
    "supervisor": ("SUPERVISOR:unit=3701001",),
    "officer": ("UNIT_OFFICER:unit=3701001",),
    "other": ("UNIT_OFFICER:unit=3701031",),
    "auditor": ("AUDITOR:370100/*",),
}
EVIDENCE = {
    "F09": {
        "clears_when": "EVERYBODY_NAMED", "quota": 92, "allowed": 92, "in_post": 91, "paid": 92, "on_one_side": 3,
        "named": 2, "residual": 1, "difference": -1, "named_effect": -2, "residual_effect": 1,
    },
    "F01": {
        "clears_when": "IN_A_ROSTER",
        "known": [
            {"fact": "DEATH", "unit": None, "fund_form": None, "since": "2026-09-08", "since_by": "LEAD"},
            {"fact": "PAID", "unit": "3701001", "fund_form": "FULL", "since": None, "since_by": "NOT_TOLD"},
        ],
        "known_left_out": 450,
        "roster": [],
        "payroll": [{"payer": "3701001", "fund_mode": "FULL", "state": "IN_SERVICE", "on_establishment": "YES"}],
    },
    "Q03": {
        "roster": [
            {"unit": "3701001", "post_type": "INSTITUTION", "fund_form": "FULL", "status": "IN_SERVICE",
             "seconded_to": None, "entry": "2015-07-01", "exit": None}
        ],
        "payroll": [],
    },
}  # fmt: skip
# rule, severity, unit, person, grain parts, expected, found, cause, explained, status
FLAG_ROWS = [
    ("Q01", "S2", "3701021", None, {}, "32", "33", None, None, "OPEN"),
    ("Q02", "S2", "3701001", None, {"post_type": "SUPPORT"}, "6", "7", None, None, "OPEN"),
    (
        "Q03",
        "S2",
        "3701001",
        "a" * 32,
        {},
        "ADMIN;POLITICAL_LEGAL;SUPPORT",
        "INSTITUTION",
        None,
        None,
        "ACKNOWLEDGED",
    ),
    ("F01", "S1", "3701001", "b" * 32, {}, "0", "1", None, None, "OPEN"),
    ("F02", "S4", "3701002", "c" * 32, {}, "1", "0", "TIMING", None, "OPEN"),
    ("F03", "S1", "3701022", "d" * 32, {}, "0", "2026-09-30", "EXITED", None, "OPEN"),
    ("F05", "S1", "3701002", "e" * 32, {}, "1", "2", None, None, "RECTIFYING"),
    ("F09", "S1", "3701001", None, {}, "91", "92", "UNEXPLAINED", "F01", "OPEN"),
    ("F09", "S2", "3701031", None, {}, "28", "29", None, None, "OPEN"),
    ("Q06", "S2", "9999999", None, {}, None, "NOT_REGISTERED", None, None, "OPEN"),
    ("D02", "S4", "3701003", "f" * 32, {"book": "roster"}, None, "CHECK_DIGIT", None, None, "CLOSED"),
]
FLAG_ROWS += [("F02", "S3", "3701002", f"{number:032x}", {}, "1", "0", None, None, "OPEN") for number in range(60)]
DOCS_PAGE = "<!doctype html><html><head><title>Data Docs</title></head><body><h1>units</h1></body></html>"


def flag_of(rule: str, unit: str, person: str | None = None, **parts: str) -> str:
    """The key the seeded flag of a rule and unit has."""
    return flag_key(rule, _grain(rule, unit, person, parts))


def _grain(rule: str, unit: str, person: str | None, parts: dict[str, str]) -> str:
    have = {"unit_code": unit, "person_key": person, **parts}
    return grain_text(**{name: have.get(name) for name in RULES[rule].grain})


EVIDENCE["F09"]["effects"] = {flag_of("F01", "3701001", "b" * 32): -1, "F03-" + "0" * 20: -1}


@cache
def seeded_home() -> Path:
    """A HOME whose database holds the seeded city, made once in a process; to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="bianzhi-seeded-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = settings_in(folder / "home")
    migrate(settings.database_url)
    engine = engine_for(settings.database_url)
    with writing(engine) as session:
        seed(session, settings)
    engine.dispose()
    return settings.home


def seed(session: Session, settings: Settings) -> None:
    """Everything, in one transaction."""
    for code, name, division, level, kind, parent in UNITS:
        session.add(
            UnitVersion(
                unit_code=code, unit_name=name, parent_code=parent, division_code=division, level=level,
                unit_kind=kind, delivers="PERSONS", supervising_code=SUPERVISED.get(code), valid_from=date(2010, 1, 1), delivered_by=division[:6],
                approval_doc="编委〔2010〕1号", seen_on=NEWEST,
            )
        )  # fmt: skip
    runs = _nights(session)
    for run in runs:
        _figures(session, run)
    _books(session, runs[-1])
    _flags(session, runs)
    _artefacts(session, settings, runs[-1])
    for number in range(3):
        session.add(
            OutboxMail(
                recipient=f"office{number}@example.org", digest="office", as_of=NEWEST,
                subject=f"{NEWEST} 核对结果：新增 {number + 2} 条", text="新增 2 条，未销 9 条。",
                html="<h2>核对结果</h2><p>新增 <b>2</b> 条</p><script>parent.document.title='x'</script>",
                message_id=f"<{number}@bianzhi>", queued_at=NOW, sent_at=None if number == 2 else NOW,
            )
        )  # fmt: skip
    people(session)
    session.flush()
    seed_pool(session, NEWEST, NOW)


def people(session: Session) -> None:
    """One account of each role; all share one password."""
    for login, grants in GRANTS.items():
        user: User = create_user(
            session, login=login, email=f"{login}@example.org", display_name=f"{login} 同志",
            grants=[parse_grant(grant) for grant in grants], actor="test", now=NOW,
        )  # fmt: skip
        user.password = HASHED


def _nights(session: Session) -> list[NightRun]:
    def run(as_of: date, run_no: int, **more: object) -> NightRun:
        at = datetime.combine(as_of, datetime.min.time(), UTC) + timedelta(hours=18, minutes=run_no)
        night = NightRun(
            as_of=as_of, run_no=run_no, fingerprint=f"{as_of}{run_no}".ljust(64, "0"), inbox="inbox",
            opened_at=at, **{"state": "SETTLED", "settled_at": at, "concluded_at": at, "red_reasons": "[]",
                             "new_flag_count": 3, **more},
        )  # fmt: skip
        session.add(night)
        session.flush()
        return night

    first, old, again, newest = (
        run(NIGHTS[0], 1),
        run(NIGHTS[1], 1),
        run(NIGHTS[1], 2),
        run(NEWEST, 1, red_reasons=json.dumps(["370103 应报的 工资册 缺报"], ensure_ascii=False), new_flag_count=5),
    )
    old.superseded_by = again.id
    return [first, old, again, newest]


def _figures(session: Session, run: NightRun) -> None:
    division = {code: place for code, _, place, *_ in UNITS}
    totals: dict[str, list[int | None]] = {}
    for unit, post_type, fund, *numbers in CELLS:
        quota, in_post, paid = numbers
        session.add(
            CellFigure(
                run_id=run.id, division_code=division[unit], unit_code=unit, post_type=post_type, fund_form=fund,
                quota=quota, allowed=quota, in_post=in_post, paid=paid,
            )
        )  # fmt: skip
        so_far = totals.setdefault(unit, [0, 0, 0])
        for place, value in enumerate(numbers):
            so_far[place] = None if value is None or so_far[place] is None else so_far[place] + value
    for unit, (quota, in_post, paid) in totals.items():
        session.add(
            CellFigure(
                run_id=run.id, division_code=division[unit], unit_code=unit, post_type="", fund_form="",
                quota=quota, allowed=quota, in_post=in_post, paid=paid,
            )
        )  # fmt: skip
        session.add(PresenceFigure(run_id=run.id, unit_code=unit, bits="111", people=in_post))
        session.add(PresenceFigure(run_id=run.id, unit_code=unit, bits="001", people=1))


def _books(session: Session, run: NightRun) -> None:
    reasons = [
        {"code": "ID_PRECISION_LOST", "file": "payroll.xlsx", "row": 12, "column": "person_id",
         "message": "payroll.xlsx 第 12 行 身份证号 已被表格软件损坏：以文本格式重新导出"},
    ]  # fmt: skip
    for division in ("370100", "370102", "370103"):
        for book in ("units", "establishment", "roster", "payroll"):
            missing = (division, book) == ("370103", "payroll")
            dirty = (division, book) == ("370102", "payroll")
            rows = 0 if missing else 400
            session.add(
                Verdict(
                    run_id=run.id, division_code=division, book=book, expected=True, rows_in=rows,
                    verdict="MISSING" if missing else "ACCEPTED_WITH_QUARANTINE" if dirty else "ACCEPTED",
                    accepted=rows - 3 * dirty, duplicates=2 * dirty, quarantined=1 * dirty,
                    reasons=json.dumps(reasons if dirty else [], ensure_ascii=False),
                )
            )  # fmt: skip
            if not missing:
                session.add(
                    Delivery(run_id=run.id, division_code=division, book=book, file=f"{book}.xlsx", sha256="a" * 64,
                             size=1000)
                )  # fmt: skip
    for rule in ("F01", "F02", "F09"):
        session.add(NotEvaluable(run_id=run.id, rule=rule, division_code="370103", unit_code="*", book="payroll"))


def _flags(session: Session, runs: list[NightRun]) -> None:
    mask = "370102********1234"
    division = {code: place for code, _, place, *_ in UNITS}
    for rule, severity, unit, person, parts, expected, found, cause, explained, status in FLAG_ROWS:
        grain = _grain(rule, unit, person, parts)
        key = flag_key(rule, grain)
        place = division.get(unit, "370100")
        shared = {
            "key": key, "rule": rule, "grain": grain, "severity": severity, "division_code": place,
            "unit_code": unit, "post_type": parts.get("post_type"), "fund_form": None,
            "person_mask": mask if person else None, "expected": expected, "found": found, "cause": cause,
        }  # fmt: skip
        for run in runs[-2:]:
            session.add(
                FindingRow(
                    run_id=run.id, person_key=person, **shared,
                    explained_by=json.dumps([flag_of("F01", "3701001", "b" * 32), "F03-" + "0" * 20]) if explained else None,
                    evidence=json.dumps(EVIDENCE.get(rule)) if rule in EVIDENCE else None,
                )
            )  # fmt: skip
        flag = Flag(
                **shared, status=status, closed_by="DATA" if status == "CLOSED" else None, first_seen=NIGHTS[1],
                last_seen=NEWEST, last_run_id=runs[-1].id, version=2,
        )  # fmt: skip
        session.add(flag)
        session.flush()
        session.add(
            FlagEvent(flag_id=flag.id, at=NOW, as_of=NIGHTS[1], run_id=runs[-2].id, actor="night", move="OPEN",
                      from_status=None, to_status="OPEN")
        )  # fmt: skip


def _artefacts(session: Session, settings: Settings, run: NightRun) -> None:
    folder = settings.reports_dir / run.as_of.isoformat() / str(run.run_no)
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "index.html").write_text(DOCS_PAGE, encoding="utf-8")
    (settings.home / "secret.txt").write_text("not for readers")
    for kind, level, name in (
        ("workbook", "CITY", "bianzhi-CITY.xlsx"),
        ("workbook", "COUNTY", "bianzhi-COUNTY.xlsx"),
        ("docs", "", "docs/index.html"),
        ("manifest", "", "manifest.json"),
    ):
        path = folder / name
        if not path.exists():
            path.write_bytes(b"PK workbook of " + level.encode())
        session.add(
            Artefact(run_id=run.id, kind=kind, level=level, path=path.relative_to(settings.reports_dir).as_posix(),
                     sha256="b" * 64, size=path.stat().st_size)
        )  # fmt: skip
