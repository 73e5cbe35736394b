"""Loans of the demo's pool: who lends to whom while the nights pass, and the acts that bring it about through the doors.

The first night knows them from the position book of before; then the ledger is opened, the acts are done by the people
they name (`bianzhi pool apply`), and the nights after it take them from the ledger.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from demo.atlas import CITY, Cell, Unit
from demo.histories import CONTROL
from demo.stage import Stage

COLUMNS = ("on", "name", "act", "as", "arguments")
PURPOSES = ("EDUCATION", "HEALTH")
LONG_TERM, SHORT_TERM = 24, 1
CENTRAL = ("ADMIN", "POLITICAL_LEGAL")
# What becomes of the first loans; the others are filled and run on.
FATES = ("runs", "overdue", "swapped", "recalled")


@dataclass(frozen=True)
class Lending:
    """One post of a cell, lent by one unit to an alike one of the same office."""

    lender: Unit
    borrower: Unit
    cell: Cell
    purpose: str
    fate: str


def lend_posts(stage: Stage) -> None:
    """Pairs of alike units in which nobody comes or goes: one lends a post it does not need, the other fills one more than
    its own quota. The first three pairs are of three levels."""
    wanted = 3 + len(stage.atlas.units) // 100
    pairs = list(_pairs(stage))
    first = {
        level: next((pair for pair in pairs if pair[0].level == level), None)
        for level in ("CITY", "COUNTY", "TOWNSHIP")
    }
    chosen = [pair for pair in first.values() if pair is not None]
    chosen += [pair for pair in pairs if pair not in chosen][: wanted - len(chosen)]
    for n, (lender, borrower, cell) in enumerate(chosen):
        fate = FATES[n] if n < len(FATES) else "runs"
        stage.lendings.append(Lending(lender, borrower, cell, PURPOSES[n % 2], fate))
        stage.loans[lender.code, cell], stage.loans[borrower.code, cell] = (0, 1), (1, 0)
        stage.slack[borrower.code, cell], stage.slack[lender.code, cell] = -1, 1
        if fate == "swapped":
            heads = stage.heads[borrower.code, cell]
            stage.quota_set[borrower.code, cell] = {k: heads[k] for k in range(1, len(stage.nights))}
    used = {unit.code for lending in stage.lendings for unit in (lending.lender, lending.borrower)}
    # What these units had to spare before the ledger came is history; one month of it they were full (Q10).
    before = f"{stage.firsts[0] - timedelta(days=1):%Y-%m}"
    for unit in (unit for unit in stage.atlas.units if unit.code in used):
        stage.full_months |= dict.fromkeys(((unit.code, cell) for cell in unit.heads), (before,))
    stage.quiet = [unit for unit in stage.quiet if unit.code not in used]


def _pairs(stage: Stage) -> Iterator[tuple[Unit, Unit, Cell]]:
    used: set[str] = set()
    # Who is near the retirement would back a loan (R06), and another director than planned would decide.
    elders = {(row["unit_code"], (row["post_type"], row["fund_form"])) for row in stage.elder_rows}
    for (_, _, cell), units in sorted(stage.alike.items(), key=lambda item: item[0]):
        fit = [
            unit
            for unit in units
            if unit.code not in used
            and unit.code in stage.frozen
            and cell == unit.first_cell
            and unit.heads[cell] >= 3
            and (unit.code, cell) not in elders
        ]
        # Who has the type in another fund form too would have to use up that one first (R04).
        fit = [unit for unit in fit if sum(other[0] == cell[0] for other in unit.heads) == 1]
        # A township's unit deposits with its county, which for these types wants the central office (R12, Q09).
        across = fit and fit[0].level == "TOWNSHIP" and cell[0] in CENTRAL
        if cell[0] == CONTROL or across or len(fit) < 3:
            continue
        lender, borrower = fit[-1], fit[-2]
        used |= {lender.code, borrower.code}
        yield lender, borrower, cell


def swap_day(stage: Stage) -> date:
    """When somebody on a lent post moves onto an own one, which takes a slot number of the unit."""
    return stage.nights[0] + timedelta(days=16)


def reviewer(unit: Unit) -> str:
    """Login of the office that answers for a unit."""
    return "bianban" if unit.level == "CITY" else f"bianban-{unit.division[:6]}"


def director(unit: Unit) -> str:
    """Login of the director one level above: nobody retires here, so no loan is backed (R06)."""
    return {"CITY": "shengwei", "COUNTY": "bianwei"}.get(unit.level, f"bianwei-{unit.division[:6]}")


def officer(unit: Unit) -> str:
    return f"danwei-{unit.code.lower()}"


def supervisor(code: str) -> str:
    """Login of a supervising department's officer."""
    return f"zhuguan-{code.lower()}"


def write_pool(folder: Path, stage: Stage) -> None:
    """folder/acts.csv as `bianzhi pool apply` takes it, and folder/units.csv: login and unit of every ledger to open."""
    folder.mkdir(parents=True)
    acts = [*_stock(stage), *(act for n, lending in enumerate(stage.lendings) for act in _acts(stage, lending, n))]
    acts += _waiting(stage)
    _write(folder / "acts.csv", COLUMNS, sorted(acts, key=lambda act: act[0]))
    units = [unit for lending in stage.lendings for unit in (lending.lender, lending.borrower)]
    _write(folder / "units.csv", ("login", "unit_code"), [(reviewer(unit), unit.code) for unit in units])


def _write(path: Path, header: tuple[str, ...], rows: list[tuple]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _stock(stage: Stage) -> Iterator[tuple[date, str, str, str, str]]:
    """Posts the commission cut from the city's total for the pool: nobody has asked for most of them."""
    day = stage.nights[0] + timedelta(days=1)
    slices = {(("INSTITUTION", "FULL"), "TALENT"): 6, (("ADMIN", "FULL"), "ENFORCEMENT"): 4}
    # What the waiting request asks for is there, whatever kind of unit it comes from.
    slices |= {(lending.cell, "TALENT"): 6 for lending in stage.lendings[:1]}
    for n, (((post_type, fund_form), purpose), posts) in enumerate(slices.items()):
        yield (
            day, f"slice{n}", "deposit", "bianban",
            f"pool_node=CITY:{CITY}; post_type={post_type}; fund_form={fund_form}; purpose={purpose}; posts={posts};"
            f" source=TOTAL_SLICE; document_no=云编〔{day.year}〕切块{n + 1}号",
        )  # fmt: skip


def _waiting(stage: Stage) -> Iterator[tuple[date, str, str, str, str]]:
    """A request that nobody has decided yet; none in a city too small to lend."""
    if not stage.lendings:
        return
    taker, day = stage.lendings[0].borrower, stage.nights[-1] - timedelta(days=3)
    post_type, fund_form = stage.lendings[0].cell
    across = taker.level != "CITY" and post_type in CENTRAL
    central = f"; central_no=中编云批〔{day.year}〕1号" if across else ""
    yield (
        day, "waiting", "request", officer(taker),
        f"unit_code={taker.code}; post_type={post_type}; fund_form={fund_form}; purpose=TALENT; posts=2; months=12;"
        " reason=引进学科带头人" + central,
    )  # fmt: skip
    if taker.supervising:
        yield day, "", "endorse", supervisor(taker.supervising), "number=@waiting.request"


def _acts(stage: Stage, lending: Lending, n: int) -> Iterator[tuple[date, str, str, str, str]]:
    """(on, name, act, as, arguments) of one loan, from the deposit to its end."""
    # All posts are in the pool before anybody asks for one.
    day, pooled = stage.nights[0] + timedelta(days=2), stage.nights[0] + timedelta(days=1)
    giver, taker, (post_type, fund_form) = lending.lender, lending.borrower, lending.cell
    office, cell = reviewer(taker), f"post_type={post_type}; fund_form={fund_form}"
    pool = f"CITY:{CITY}" if taker.level == "CITY" else f"COUNTY:{taker.division[:6]}"
    months = SHORT_TERM if lending.fate == "overdue" else LONG_TERM
    name, number, slot = f"loan{n}", f"number=@loan{n}.request", f"slot_no=@lent{n}.slots.0"
    yield (
        pooled, f"pooled{n}", "deposit", office,
        f"pool_node={pool}; {cell}; purpose={lending.purpose}; posts=1; source=USE_RIGHT_LENT; giver={giver.code};"
        f" document_no=云编〔{day.year}〕周转{n + 1}号",
    )  # fmt: skip
    # Who is one too many for the own posts moves onto the lent one.
    yield day, "", "vacate-posts", office, f"holder={taker.code}; {cell}; posts=1"
    yield (
        day, name, "request", officer(taker),
        f"unit_code={taker.code}; {cell}; purpose={lending.purpose}; posts=1; months={months}; reason=在编满员，一线急需",
    )  # fmt: skip
    if taker.supervising:
        yield day, "", "endorse", supervisor(taker.supervising), number
    yield day, "", "review", office, number
    yield day, f"lent{n}", "approve", director(taker), number
    yield day, "", "fill", office, f"{slot}; person={_somebody(stage, taker, lending.cell)}"
    if lending.fate == "swapped":
        later = swap_day(stage)
        yield (
            later,
            "",
            "grant",
            office,
            f"holder={taker.code}; {cell}; posts=1; document_no=云编〔{later.year}〕增{n + 1}号",
        )
        yield later, "", "swap", office, slot
    if lending.fate == "recalled" and len(stage.nights) > 1:
        yield (
            stage.nights[1] + timedelta(days=1),
            "",
            "recall",
            office,
            f"slot_nos=@lent{n}.slots.0; reason=出借单位另有急需",
        )


def _somebody(stage: Stage, unit: Unit, cell: Cell) -> str:
    """The identity number of a person who is there all along."""
    return next(
        row["person_key"]
        for mask, row in stage.rows["roster"]
        if mask == stage.always
        and (row["unit_code"], row["post_type"], row["fund_form"]) == (unit.code, *cell)
        and row["status"] == "IN_SERVICE"
        and row["person_key"]
    )
