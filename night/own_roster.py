"""The roster of switched units as the rules read it: who is on it as delivered, how they came and went as the gate knows.

Pure but for what it has seen: rows are given in any order, once each, then `missing` says whom the roster lacks.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from core.types import ACTIVE_STATUSES, PersonStatus, PostType
from night.own_difference import Difference, DifferenceKind
from night.own_quota import OURS
from staffing.own_books import CARRIED, OPENING, POOL

Row = dict[str, Any]
K = DifferenceKind
ACTIVE = frozenset(status.value for status in ACTIVE_STATUSES)
# What the gate knows of an entry: blank in the roster it is filled in, another value is a difference.
COMPARED = {
    "permit_no": "通知单号", "slot_no": "用编序号", "entry_date": "入编日期", "post_type": "编制类型", "fund_form": "经费形式",
    "entry_form": "进入方式", "from_unit": "原单位", "from_level": "原层级", "from_fund_form": "原经费形式", "waiver_no": "豁免文号",
}  # fmt: skip
FILLED = ("loan_no",)
# A carry or a loan rests on its own document, and the roster may go on naming the permit of the first entry.
FREE = {CARRIED: ("permit_no",), POOL: ("permit_no",)}
NAMED = (
    "unit_code", "post_type", "fund_form", "person_key", "person_mask", "status", "leader_tier", "entry_form", "from_unit",
    "from_level", "from_fund_form", "waiver_no", "entry_date", "entry_registered", "permit_no", "slot_no", "loan_no",
    "exit_date", "exit_reason", "exit_registered",
)  # fmt: skip


class RosterMerge:
    """One night's merge. stays: own_stay; permits: own_permit; starts: unit → switch date; homes: unit → folder;
    delivered: folders whose roster was accepted."""

    def __init__(
        self, stays: list[Row], permits: list[Row], starts: dict[str, date], homes: dict[str, str],
        delivered: set[str], as_of: date,
    ) -> None:  # fmt: skip
        self.starts, self.homes, self.as_of = starts, homes, as_of
        self.units = set(starts)
        self.differences: list[Difference] = []
        self._delivered = delivered
        self._permitted = {row["unit_code"] for row in permits}
        self._open: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for stay in stays:
            self._open[stay["unit_code"], stay["person_key"]].append(stay)

    def row(self, row: Row) -> Row:
        """A delivered row of a switched unit as the rules read it."""
        off = row["status"] == PersonStatus.OFF_QUOTA.value or row["post_type"] == PostType.CONTROL_NUMBER.value
        if off or row["person_key"] is None:
            return row
        stay = self._stay(row)
        return self._left(self._entered(row, stay), stay)

    def _stay(self, row: Row) -> Row | None:
        """The stay a row is about, each taken once: of the same day of entry, else the first not yet met."""
        stays = self._open.get((row["unit_code"], row["person_key"]), [])
        if not stays:
            return None
        same = next((stay for stay in stays if stay["entry_date"] == row["entry_date"]), stays[0])
        stays.remove(same)
        return same

    def _since(self, unit: str, day: date | None) -> bool:
        return day is not None and self.starts[unit] <= day

    def _entered(self, row: Row, stay: Row | None) -> Row:
        unit = row["unit_code"]
        if stay is None or stay["source"] == OPENING:
            if self._since(unit, row["entry_date"]) and row["entry_date"] <= self.as_of:
                known = "登记为原有人员" if stay else "用编登记无此人"
                self._note(K.ENTRY_UNKNOWN, row, row["entry_date"], row["permit_no"], known)
                return row | {"permit_no": self._cited(row, row["permit_no"], known)}
            fill = {"slot_no": stay["slot_no"]} if stay and row["slot_no"] is None else {}
            return row | fill
        if not self._since(unit, stay["entry_date"]):
            return row
        free = FREE.get(stay["source"], ())
        wrong = [name for name in COMPARED if name not in free and self._differs(name, row, stay)]
        blank = [name for name in (*COMPARED, *FILLED) if row[name] is None and name not in free]
        ours = {name: stay[name] for name in (*blank, *free)} | {"entry_registered": stay["entry_registered"]}
        if row["entry_date"] is None:
            ours["entry_date_exact"] = True
        ours["entry_registered_exact"] = True
        if wrong:
            said = "，".join(f"{COMPARED[name]}登记为{stay[name]}" for name in wrong)
            self._note(K.ENTRY_DIFFERS, row, row["entry_date"], "，".join(f"{row[name]}" for name in wrong), said)
            ours["permit_no"] = self._cited(row, row["permit_no"] or stay["permit_no"], said)
        return row | ours

    def _differs(self, name: str, row: Row, stay: Row) -> bool:
        said, known = row[name], stay[name]
        if said is None or known is None or said == known:
            return False
        # Known to the month only: the same month is the same day.
        to_month = name == "entry_date" and row["entry_date_exact"] is False
        return not (to_month and (said.year, said.month) == (known.year, known.month))

    def _cited(self, row: Row, number: str | None, said: str) -> str | None:
        """A number no permit has, which P01 shows with what the gate knows; blank where the unit has no permit at all."""
        return f"{number}（{said}）" if number and row["unit_code"] in self._permitted else None

    def _left(self, row: Row, stay: Row | None) -> Row:
        unit, said = row["unit_code"], row["exit_date"]
        known = stay["exit_date"] if stay is not None else None
        if known is not None and self._since(unit, known):
            if said == known or said is None:
                if said is None and row["status"] in ACTIVE and known <= self.as_of:
                    self._note(K.EXIT_MISSING, row, known, row["status"], f"{known}")
                reason = row["exit_reason"] or stay["exit_reason"]
                registered = {"exit_registered": stay["exit_registered"], "exit_registered_exact": True}
                return (
                    row
                    | {"exit_date": known, "exit_reason": reason}
                    | registered
                    | ({} if said else {"exit_date_exact": True})
                )
            self._note(K.EXIT_DIFFERS, row, said, f"{said}", f"{known}")
            return row | {"exit_registered": None}
        if self._since(unit, said) and said <= self.as_of:
            self._note(K.EXIT_UNREGISTERED, row, said, f"{said}", None)
            return row | {"exit_registered": None}
        return row

    def missing(self) -> list[Row]:
        """Rows of stays the roster lacks: entered since the switch, or left since. To be asked once, at the end.

        Who is in post has no registration in the roster yet: P04 counts until there is one.
        """
        found = []
        for (unit, _), stays in sorted(self._open.items()):
            for stay in stays if self.homes[unit] in self._delivered else ():
                left = stay["exit_date"] is not None and stay["exit_date"] <= self.as_of
                day = stay["exit_date"] if left else stay["entry_date"]
                if not self._since(unit, day) or (stay["entry_date"] or day) > self.as_of:
                    continue
                row = {name: stay[name] for name in NAMED}
                row |= {"delivered_by": self.homes[unit], "file": OURS, "row": len(found)}
                if not left:
                    self._note(K.ENTRY_MISSING, row, day, None, f"{stay['slot_no']} {day}")
                    row["entry_registered"] = None
                found.append(row)
        return found

    def _note(self, kind: DifferenceKind, row: Row, day: date | None, delivered: str | None, ours: str | None) -> None:
        self.differences.append(
            Difference(
                kind.value, self.homes[row["unit_code"]], row["unit_code"], row["post_type"], row["fund_form"], delivered,
                ours, row["person_key"], row["person_mask"], day, row["file"], row["row"],
            )
        )  # fmt: skip
