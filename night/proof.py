"""The proofs: what a night claims, recomputed from nothing but the rows and files it left. Shares no arithmetic with
the rules. Part of every night, and of `bianzhi verify`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import pandas as pd
import pyarrow.parquet as pq
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit import broken_link
from core.errors import InvariantViolated
from core.key_mark import mark_in_force
from core.settings import Settings
from core.types import ACTIVE_STATUSES
from expectations.books import BOOKS
from expectations.snapshot_files import read_path
from night.inbox import sha256_of
from night.own_proof import missing_people
from night.places import raw_path, snapshot_dir
from night.situation import broken_reports
from night.situation_models import SituationReport
from pool.proof import prove_pool
from reconcile.catalog import RESTRICTED
from reconcile.findings import flag_key
from reconcile.models import (
    Artefact,
    CellFigure,
    Delivery,
    FindingRow,
    Flag,
    FlagEvent,
    NightRun,
    NightState,
    Verdict,
)
from reconcile.report import manifest_holds
from staffing.proof import broken_staffing


@dataclass(frozen=True)
class Proof:
    """One statement, whether it holds, and the figures or the first place where it does not."""

    name: str
    holds: bool
    detail: str


def check_proofs(results: Sequence[Proof]) -> None:
    """Errors: InvariantViolated names every proof that failed."""
    failed = [f"{proof.name} ({proof.detail})" for proof in results if not proof.holds]
    if failed:
        raise InvariantViolated("核验不成立：" + "；".join(failed))


def proofs(session: Session, settings: Settings, run: NightRun | None = None) -> list[Proof]:
    """Every proof over one run, or over all runs that count; and the pool's, which has no runs."""
    runs = [run] if run is not None else _current_runs(session)
    results = [_trail(session), _flag_lives(session), *_pool(session), _gate(session), *_situations(session)]
    for each in runs:
        results += [
            _accounting(session, each),
            _accepted_rows(session, settings, each),
            _raw_copies(session, settings, each),
            _findings(session, settings, each),
            _people_counted(session, settings, each),
            _own_people(settings, each),
            _outputs(session, settings, each),
        ]
    return results


def _current_runs(session: Session) -> list[NightRun]:
    return list(
        session.scalars(
            select(NightRun)
            .where(NightRun.state == NightState.SETTLED, NightRun.superseded_by.is_(None), NightRun.pruned_at.is_(None))
            .order_by(NightRun.as_of)
        )
    )


def _label(run: NightRun, name: str) -> str:
    return f"{run.as_of} 第{run.run_no}次 {name}"


def _trail(session: Session) -> Proof:
    at = broken_link(session)
    return Proof("审计链完整", at is None, "每条记录都接着前一条" if at is None else f"断在第 {at} 条")


def _flag_lives(session: Session) -> Proof:
    """Each flag's key follows from rule and grain, its events follow one another, and end in its status."""
    wrong: list[str] = []
    states = dict(session.execute(select(Flag.key, Flag.status)).all())
    for key, rule, grain in session.execute(select(Flag.key, Flag.rule, Flag.grain)):
        if key != flag_key(rule, grain):
            wrong.append(key)
    last: dict[str, str] = {}
    for key, before, after in session.execute(
        select(Flag.key, FlagEvent.from_status, FlagEvent.to_status)
        .join(Flag, Flag.id == FlagEvent.flag_id)
        .order_by(FlagEvent.id)
    ):
        if before != last.get(key):
            wrong.append(key)
        last[key] = after
    wrong += [key for key, status in states.items() if last.get(key) != status]
    return Proof("不符项经历连贯", not wrong, f"{_told(states)} 项" if not wrong else f"首个：{_named(wrong)}")


def _told(keys: Iterable[str]) -> int:
    """How many are no leads on people: a proof is read by more than the two who see those."""
    return sum(not _is_lead(key) for key in keys)


def _named(wrong: Sequence[str]) -> str:
    return next((key for key in wrong if not _is_lead(key)), "一条线索")


def _is_lead(key: str) -> bool:
    return key.partition("-")[0] in RESTRICTED


def _pool(session: Session) -> list[Proof]:
    """The ledger's invariants, recomputed from its rows; each says over how many, or where it does not hold."""
    return [
        Proof(
            f"周转池 {proof.name}", proof.holds,
            f"{proof.checked} 行" if proof.holds else f"首个：{next(iter(proof.broken), '')}",
        )
        for proof in prove_pool(session)
    ]  # fmt: skip


def _gate(session: Session) -> Proof:
    """Slots, permits, plans, notices and ledger agree: every open permit is its RESERVE, nobody is named twice."""
    wrong = broken_staffing(session)
    return Proof("用编 账、许可、序号、通知单一致", not wrong, "从原始行重算" if not wrong else f"首个：{wrong[0]}")


def _own_people(settings: Settings, run: NightRun) -> Proof:
    """Whom our gate had put on a post of a switched unit by A stands in the roster the rules read, once, on no other cell
    unless the night lists the difference; where no roster was accepted nobody is asked for."""
    folder = snapshot_dir(settings, run)
    wrong, asked = missing_people(folder, run.as_of)
    return Proof(_label(run, "用编登记的人在册"), not wrong, f"{asked} 人" if not wrong else f"首个单位：{wrong[0]}")


def _situations(session: Session) -> list[Proof]:
    """Only where a situation report was ever confirmed."""
    count = session.scalar(select(func.count(SituationReport.id)).where(SituationReport.hash.is_not(None)))
    wrong = broken_reports(session) if count else []
    return [Proof("情况报告未改", not wrong, f"首个：{wrong[0]}" if wrong else f"{count} 份")] if count else []


def _accounting(session: Session, run: NightRun) -> Proof:
    wrong = session.execute(
        select(Verdict.division_code, Verdict.book).where(
            Verdict.run_id == run.id, Verdict.rows_in != Verdict.accepted + Verdict.duplicates + Verdict.quarantined
        )
    ).all()
    detail = "报送 = 接受 + 重复 + 隔离" if not wrong else f"不等于：{wrong[0].division_code} {wrong[0].book}"
    return Proof(_label(run, "行数平衡"), not wrong, detail)


def _accepted_rows(session: Session, settings: Settings, run: NightRun) -> Proof:
    """The rows in the snapshot are as many as the verdicts say, per division and book."""
    said = {
        (division, book): accepted
        for division, book, accepted in session.execute(
            select(Verdict.division_code, Verdict.book, Verdict.accepted).where(
                Verdict.run_id == run.id, Verdict.accepted > 0
            )
        )
    }
    held: dict[tuple[str, str], int] = {}
    for book in BOOKS:
        column = pq.read_table(snapshot_dir(settings, run) / f"{book}.parquet", columns=["delivered_by"])[
            "delivered_by"
        ]
        for entry in column.value_counts().to_pylist():
            held[entry["values"], book] = entry["counts"]
    wrong = sorted(set(said.items()) ^ set(held.items()))
    detail = f"{sum(held.values())} 行" if not wrong else f"不符：{wrong[0][0][0]} {wrong[0][0][1]}"
    return Proof(_label(run, "接受行数与快照一致"), not wrong, detail)


def _raw_copies(session: Session, settings: Settings, run: NightRun) -> Proof:
    deliveries = session.scalars(select(Delivery).where(Delivery.run_id == run.id, Delivery.book.is_not(None))).all()
    wrong = [
        f"{delivery.division_code}/{delivery.file}"
        for delivery in deliveries
        if not (path := raw_path(settings, delivery.sha256, delivery.file)).exists()
        or sha256_of(path) != delivery.sha256
    ]
    return Proof(_label(run, "原始副本未变"), not wrong, f"{len(deliveries)} 份" if not wrong else f"首个：{wrong[0]}")


def _findings(session: Session, settings: Settings, run: NightRun) -> Proof:
    """What settled is what the rules found: the same keys, each once; all but the keys, where they were rotated since."""
    if run.key_mark not in (None, mark_in_force(session)):
        return _rekeyed_findings(session, settings, run)
    kept = session.scalars(select(FindingRow.key).where(FindingRow.run_id == run.id)).all()
    found = pq.read_table(snapshot_dir(settings, run) / "findings.parquet", columns=["key"])["key"].to_pylist()
    holds = sorted(kept) == sorted(found) and len(set(kept)) == len(kept)
    return Proof(
        _label(run, "发现与入库一致"), holds, f"{_told(kept)} 条入库，{_told(found)} 条发现（线索亦核对，不计数）"
    )


def _rekeyed_findings(session: Session, settings: Settings, run: NightRun) -> Proof:
    columns = ("rule", "severity", "division_code", "unit_code", "person_mask", "expected", "found", "cause")
    kept = session.execute(select(*(getattr(FindingRow, name) for name in columns)).where(FindingRow.run_id == run.id))
    found = pq.read_table(snapshot_dir(settings, run) / "findings.parquet", columns=list(columns))
    was = Counter(zip(*(found[name].to_pylist() for name in columns), strict=True))
    holds = Counter(map(tuple, kept)) == was
    told = sum(count for (rule, *_), count in was.items() if rule not in RESTRICTED)
    return Proof(
        _label(run, "发现与入库一致"), holds, f"{told} 条发现（线索亦核对，不计数），密钥已轮换：除人员键外逐条一致"
    )


def _people_counted(session: Session, settings: Settings, run: NightRun) -> Proof:
    """In post per unit, counted again from the roster's rows by the plainest means."""
    folder = snapshot_dir(settings, run)
    columns = ["person_key", "unit_code", "post_type", "fund_form", "status", "entry_date", "exit_date", "row", "file"]
    roster = pq.read_table(read_path(folder, "roster"), columns=[*columns, "delivered_by"]).to_pandas()
    day = pd.Timestamp(run.as_of)
    entry, leave = pd.to_datetime(roster["entry_date"]), pd.to_datetime(roster["exit_date"])
    active = roster[
        roster["status"].isin([status.value for status in ACTIVE_STATUSES])
        & (entry.isna() | (entry <= day))
        & (leave.isna() | (leave > day))
        & (roster["post_type"] != "CONTROL_NUMBER")
    ]
    somebody = active["person_key"].fillna(
        active["delivered_by"] + "/" + active["file"] + "/" + active["row"].astype(str)
    )
    people = set(zip(active["unit_code"], active["post_type"], active["fund_form"], somebody, strict=True))
    counted = {unit: len(list(rows)) for unit, rows in groupby(sorted(people), key=lambda person: person[0])}
    counts_only = _units_on_counts(folder)
    said = {
        unit: in_post
        for unit, in_post in session.execute(
            select(CellFigure.unit_code, CellFigure.in_post).where(
                CellFigure.run_id == run.id, CellFigure.post_type == "", CellFigure.in_post > 0
            )
        )
        if unit not in counts_only
    }
    wrong = sorted(unit for unit in counted if unit not in counts_only and said.get(unit) != counted[unit])
    wrong += sorted(set(said) - set(counted) - _headcount_units(folder))
    detail = f"{sum(said.values())} 人" if not wrong else f"首个不符：{wrong[0]}"
    return Proof(_label(run, "实有人数重算"), not wrong, detail)


def _units_on_counts(folder) -> set[str]:
    units = pq.read_table(folder / "units.parquet", columns=["unit_code", "delivers"]).to_pylist()
    return {unit["unit_code"] for unit in units if unit["delivers"] == "COUNTS"}


def _headcount_units(folder) -> set[str]:
    return set(pq.read_table(folder / "headcount.parquet", columns=["unit_code"])["unit_code"].to_pylist())


def _outputs(session: Session, settings: Settings, run: NightRun) -> Proof:
    """Workbooks and manifest are the very bytes that were written, and the manifest's signature is ours."""
    artefacts = session.scalars(select(Artefact).where(Artefact.run_id == run.id)).all()
    wrong = [
        artefact.path
        for artefact in artefacts
        if not (settings.reports_dir / artefact.path).exists()
        or sha256_of(settings.reports_dir / artefact.path) != artefact.sha256
    ]
    texts = [(settings.reports_dir / artefact.path, artefact) for artefact in artefacts if artefact.kind == "manifest"]
    wrong += [
        artefact.path
        for path, artefact in texts
        if artefact.path not in wrong and not manifest_holds(path.read_text(encoding="utf-8"), settings.secret_key)
    ]
    return Proof(_label(run, "报表文件未变"), not wrong, f"{len(artefacts)} 份" if not wrong else f"首个：{wrong[0]}")


def as_json(results: Iterable[Proof]) -> str:
    """The proofs as evidence."""
    return json.dumps([vars(proof) for proof in results], ensure_ascii=False, indent=1)
