"""Numbers marked ‡ in DOMAIN.md: dated data with a default, never constants in code. One home for every one of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Role, User
from core.audit import record
from core.db import Base, Instant
from core.errors import InputRejected
from core.retirement import DEFAULT_TABLE, Retirement
from core.units import division_lineage

ALL = "*"
ALWAYS = date(1949, 10, 1)


@dataclass(frozen=True)
class Definition:
    """A parameter: its default (JSON), what it means, and the check a new value must pass."""

    default: Any
    meaning: str
    kind: str  # a key of _PARSERS


# The ranks of the order on leading posts; parallel professional grades (调研员, 科员 一级…) are no rank of a unit.
RANKS = [
    ["正国级", "国家级正职"],
    ["副国级", "国家级副职"],
    ["正部级", "正省级", "省部级正职"],
    ["副部级", "副省级", "省部级副职"],
    ["正厅级", "正局级", "正司级", "厅局级正职"],
    ["副厅级", "副局级", "副司级", "厅局级副职"],
    ["正处级", "正县级", "县处级正职"],
    ["副处级", "副县级", "县处级副职"],
    ["正科级", "乡科级正职"],
    ["副科级", "乡科级副职"],
    ["正股级", "股级", "股所级"],
    ["副股级"],
]

DEFINITIONS: dict[str, Definition] = {
    "allowed_post_types": Definition(
        {
            "ORGAN": ["ADMIN", "POLITICAL_LEGAL", "SUPPORT"],
            "REF_UNIT": ["CIVIL_SERVICE_REF", "SUPPORT"],
            "INSTITUTION": ["INSTITUTION", "SUPPORT", "CONTROL_NUMBER"],
        },
        "post types a kind of unit may have (Q03)",
        "types_by_kind",
    ),
    "certificate_check_month": Definition(
        3, "month by whose end a year's check of the certificates is due (机构编制管理证年检)", "month"
    ),
    "certificate_months": Definition(60, "months a certificate is valid, from the day of its issue", "months"),
    "certificate_office": Definition("机构编制委员会办公室", "the office named on certificates and notices", "text"),
    "document_megabytes": Definition(20, "most megabytes of one file of a document", "count"),
    "expected_books": Definition(
        None, "books a division must deliver every night; unset: units and what its last accepted night had", "books"
    ),
    "entry_days": Definition(30, "working days within which an entry must be registered (P04)", "count"),
    "exit_days": Definition(15, "working days within which an exit must be registered (P05)", "count"),
    "gate_start": Definition(None, "first day from which P01–P07 judge entries and exits of a division", "date"),
    "identity_limit": Definition(20, "full identity numbers one reviewer may ask to see within an hour", "count"),
    "idle_months": Definition(12, "months running with a usable post before Q10 calls it idle", "count"),
    "jump_floor": Definition(1000, "a night parks only with more new flags than this", "count"),
    "jump_ratio": Definition(2.0, "a night parks when new flags exceed this many times the last night's", "ratio"),
    "keep_days": Definition(400, "days a night is kept whole; older ones are pruned but for a month's last", "count"),
    "keep_month_days": Definition(3650, "days the last night of a month is kept whole", "count"),
    "keep_superseded_days": Definition(60, "days a superseded run is kept whole", "count"),
    "lead_reviewers": Definition(
        [], "logins of the two persons who may see leads on people (F06); nobody else does", "logins"
    ),
    "loan_months": Definition(36, "most months of a loan from the pool (R07)", "count"),
    "loan_months_school": Definition(60, "most months of a loan for education (R07)", "count"),
    "loan_renewals": Definition(1, "times a loan may be renewed (R07)", "count"),
    "pool_break_borders": Definition(
        False, "whether posts may be converted across the four groups and fund forms, by document (R03)", "flag"
    ),
    "pool_due_soon_days": Definition(90, "days before the due date from which a loan is due soon (R10)", "count"),
    "pool_fill_months": Definition(6, "months within which an issued post must be filled (R16)", "count"),
    "pool_grace_days": Definition(60, "days of grace after a recall's notice (R14)", "count"),
    "pool_purpose_caps": Definition({}, "most posts a unit may borrow for a purpose (R15)", "caps"),
    "pool_purposes": Definition(
        {
            "PLACEMENT": "政策性安置",
            "EDUCATION": "教育",
            "HEALTH": "医疗卫生",
            "ENFORCEMENT": "执法一线",
            "TALENT": "人才引进",
            "GRASSROOTS": "基层治理",
        },
        "purposes a post may be lent for (R05)",
        "words",
    ),
    "pool_request_days": Definition(365, "days after which a request nobody decided lapses", "count"),
    "pool_skip_days": Definition(
        90, "days after which a waiting request too large for the stock is no longer skipped (R15)", "count"
    ),
    "pool_unit_cap": Definition(None, "most posts one unit may borrow (R15)", "count"),
    "rank_order": Definition(
        RANKS, "ranks of units and persons, the highest first, equal ones in one list (Q05)", "ranks"
    ),
    "retirement_ages": Definition(
        DEFAULT_TABLE, "statutory ages in months and how they rise; who retires as a worker or as a man (D04)", "ages"
    ),
    "permit_valid_until": Definition(
        "12-31", "month and day until which a permit is valid, of the year it is given", "month_day"
    ),
    "post_cost": Definition(
        {"FULL": 150000, "PART": 150000, "SELF": 150000}, "yearly cost of one post in yuan, per fund form", "caps"
    ),
    "notice_days": Definition(10, "days after which a notice nobody acknowledged is shown as overdue", "count"),
    "work_shares": Definition(
        {"INSTITUTION": {"MANAGEMENT": 30, "WORKER": 20}},
        "most percent of a unit's quota per kind of work (MANAGEMENT, TECHNICAL, WORKER), per kind of unit",
        "shares",
    ),
    # Duties and standards (DOMAIN §6, decision 0017).
    "duty_move_days": Definition(
        90, "days before or after a function moves within which its posts must move too, and the reverse", "count"
    ),
    "reform_remind_days": Definition(
        15, "days before its deadline from which a reform task is reminded of, once", "count"
    ),
    # Sunshine (DOMAIN §6, decision 0014).
    "publish_figures": Definition(
        None, "whether a division's units and figures are public; unset: in development only", "flag"
    ),
    "lookup_code_days": Definition(14, "days a code for looking up one's own record is good for", "count"),
    "report_days": Definition(20, "working days a unit has to confirm a situation report", "count"),
    "report_period": Definition("YEAR", "how long the period of a situation report is when none is named", "period"),
    "report_remind_days": Definition(5, "days before its deadline on which a unit is reminded of a report", "count"),
    "referral_answer_days": Definition(60, "working days within which a referral should be answered", "count"),
    "referral_receipt_days": Definition(10, "working days within which a referral should be received", "count"),
    "tip_off_answer_days": Definition(30, "working days within which a tip-off should be answered", "count"),
    "tip_off_take_days": Definition(5, "working days within which somebody should take a tip-off", "count"),
}


class Parameter(Base):
    """A value in force from a date on, for one division and those under it, or for all (`*`)."""

    __tablename__ = "parameter"
    __table_args__ = (UniqueConstraint("name", "division_code", "valid_from"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    division_code: Mapped[str] = mapped_column(String(32), default=ALL)
    valid_from: Mapped[date] = mapped_column(Date)
    value: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(Instant)


def parameter_value(session: Session, name: str, on: date, division_code: str = ALL) -> Any:
    """The value in force on a day: the nearest division upwards that has one, else for all, else the default."""
    return parameter_values(session, [name], on, division_code)[name]


def parameter_values(session: Session, names: Iterable[str], on: date, division_code: str = ALL) -> dict[str, Any]:
    """`parameter_value` of several names, for one query."""
    names = list(names)
    rows = session.execute(
        select(Parameter.name, Parameter.division_code, Parameter.value)
        .where(Parameter.name.in_(names), Parameter.valid_from <= on)
        .order_by(Parameter.valid_from)
    )
    newest = {(row.name, row.division_code): row.value for row in rows}
    places = [ALL] if division_code == ALL else [*division_lineage(division_code), ALL]
    found: dict[str, Any] = {}
    for name in names:
        held = next((newest[name, place] for place in places if (name, place) in newest), None)
        found[name] = DEFINITIONS[name].default if held is None else json.loads(held)
    return found


def set_parameter(
    session: Session, name: str, text: str, division_code: str, start: date, *, actor: str, now: datetime
) -> None:
    """Put a value in force from a day on, with its audit event. Errors: InputRejected says what the parameter takes."""
    parsed = parse_value(name, text)
    if name == "lead_reviewers":
        _check_lead_reviewers(session, parsed, division_code)
    value = json.dumps(parsed, ensure_ascii=False)
    row = session.scalars(
        select(Parameter).where(
            Parameter.name == name, Parameter.division_code == division_code, Parameter.valid_from == start
        )
    ).one_or_none()
    before = row.value if row else None
    if row is None:
        row = Parameter(name=name, division_code=division_code, valid_from=start)
        session.add(row)
    row.value, row.set_by, row.set_at = value, actor, now
    record(
        session, actor=actor, action="parameter.set", subject=f"{name} {division_code}", now=now,
        before=before, after=value, valid_from=start,
    )  # fmt: skip


def _check_lead_reviewers(session: Session, logins: list[str], division_code: str) -> None:
    """Errors: InputRejected when the pair would not see what it is named for."""
    if division_code != ALL:
        raise InputRejected("lead_reviewers holds for every division; set it without a division")
    reviewers = select(User.login).where(User.login.in_(logins), User.active, User.grants.any(role=Role.REVIEWER.value))
    strangers = sorted(set(logins) - set(session.scalars(reviewers)))
    if strangers:
        raise InputRejected(
            f"no active reviewer: {', '.join(strangers)}; create or enable the account and grant it the role REVIEWER "
            "(bianzhi account), then set lead_reviewers again"
        )


def list_parameters(session: Session) -> list[str]:
    """A line per parameter (default and meaning), then a line per value set."""
    lines = [
        f"{name}: {definition.meaning}; default {json.dumps(definition.default, ensure_ascii=False)}"
        for name, definition in sorted(DEFINITIONS.items())
    ]
    rows = session.scalars(select(Parameter).order_by(Parameter.name, Parameter.division_code, Parameter.valid_from))
    return lines + [f"  {row.name} = {row.value}  ({row.division_code}, from {row.valid_from})" for row in rows]


def parse_value(name: str, text: str) -> Any:
    """A value typed by a person, checked. Errors: InputRejected says what the parameter takes."""
    if name not in DEFINITIONS:
        raise InputRejected(f"no parameter {name!r}; there are {', '.join(sorted(DEFINITIONS))}")
    kind = DEFINITIONS[name].kind
    try:
        return _PARSERS[kind](text)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise InputRejected(f"{name} takes {_TAKES[kind]}; got {text!r}") from None


def _count(text: str) -> int:
    value = int(text)
    if value < 0 or not text.isascii():
        raise ValueError
    return value


def _month(text: str) -> int:
    value = _count(text)
    if not 1 <= value <= 12:
        raise ValueError
    return value


def _months(text: str) -> int:
    value = _count(text)
    if not 1 <= value <= 600:
        raise ValueError
    return value


def _text(text: str) -> str:
    if not 1 <= len(text.strip()) <= 100:
        raise ValueError
    return text.strip()


def _ratio(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def _books(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    from_domain = {"units", "establishment", "roster", "payroll", "headcount", "permits", "leads", "base", "limits"}
    if not names or not set(names) <= from_domain:
        raise ValueError
    return sorted(set(names))


def _types_by_kind(text: str) -> dict[str, list[str]]:
    from core.types import PostType, UnitKind

    value = json.loads(text)
    return {UnitKind(kind).value: [PostType(t).value for t in types] for kind, types in value.items()}


def _logins(text: str) -> list[str]:
    logins = sorted({part.strip().casefold() for part in text.split(",") if part.strip()})
    if len(logins) != 2:
        raise ValueError
    return logins


def _ranks(text: str) -> list[list[str]]:
    value = json.loads(text)
    words = [word for group in value for word in group]
    if not all(isinstance(group, list) and group for group in value) or len(words) != len(set(words)):
        raise ValueError
    if not all(isinstance(word, str) and word for word in words):
        raise ValueError
    return value


def _ages(text: str) -> dict[str, Any]:
    value = json.loads(text)
    Retirement.of(value)
    return value


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _words(text: str) -> dict[str, str]:
    value = json.loads(text)
    if not value or not all(isinstance(word, str) and word and key.isascii() for key, word in value.items()):
        raise ValueError
    return value


def _caps(text: str) -> dict[str, int]:
    value = json.loads(text)
    if not all(isinstance(cap, int) and not isinstance(cap, bool) and cap >= 0 for cap in value.values()):
        raise ValueError
    return value


def _month_day(text: str) -> str:
    return date.fromisoformat(f"2026-{text.strip()}").strftime("%m-%d")


def _shares(text: str) -> dict[str, dict[str, int]]:
    from core.types import UnitKind, WorkKind

    value = json.loads(text)
    whole = lambda share: isinstance(share, int) and not isinstance(share, bool) and 0 <= share <= 100
    if not all(whole(share) for shares in value.values() for share in shares.values()):
        raise ValueError
    return {
        UnitKind(kind).value: {WorkKind(work).value: share for work, share in shares.items()}
        for kind, shares in value.items()
    }


def _period(text: str) -> str:
    return {"YEAR": "YEAR", "HALF": "HALF", "QUARTER": "QUARTER", "MONTH": "MONTH"}[text.strip().upper()]


_PARSERS = {
    "month_day": _month_day,
    "shares": _shares,
    "period": _period,
    "flag": _flag,
    "words": _words,
    "caps": _caps,
    "ages": _ages,
    "logins": _logins,
    "ranks": _ranks,
    "count": _count,
    "month": _month,
    "months": _months,
    "text": _text,
    "ratio": _ratio,
    "date": lambda text: date.fromisoformat(text).isoformat(),
    "books": _books,
    "types_by_kind": _types_by_kind,
}
_TAKES = {
    "month_day": "a month and day MM-DD",
    "shares": 'JSON such as {"INSTITUTION": {"MANAGEMENT": 30}}, percent',
    "period": "YEAR, HALF, QUARTER or MONTH",
    "flag": "true or false",
    "words": 'JSON such as {"HEALTH": "医疗卫生"}',
    "caps": 'JSON such as {"TALENT": 3}',
    "ages": "JSON like its default",
    "logins": "two logins separated by a comma",
    "ranks": 'JSON such as [["正处级"], ["副处级", "县处级副职"]], the highest first',
    "count": "a whole number from 0 on",
    "month": "a month from 1 to 12",
    "months": "a number of months from 1 to 600",
    "text": "1 to 100 characters",
    "ratio": "a number from 0 on",
    "date": "a date YYYY-MM-DD",
    "books": "book names separated by commas",
    "types_by_kind": 'JSON such as {"ORGAN": ["ADMIN", "SUPPORT"]}',
}
