"""One thing the delivered books and our own gate say otherwise of a unit that was switched over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pyarrow as pa


class DifferenceKind(StrEnum):
    """What differs, in the order of a work list; the rule that shows it (decision 0016)."""

    ENTRY_UNKNOWN = "ENTRY_UNKNOWN"  # P01: an entry in the roster our gate does not know
    ENTRY_DIFFERS = "ENTRY_DIFFERS"  # P01: the gate knows the entry otherwise
    ENTRY_MISSING = "ENTRY_MISSING"  # P04 after the deadline: entered at the gate, not in the roster
    EXIT_UNREGISTERED = "EXIT_UNREGISTERED"  # P05 after the deadline: an exit in the roster alone
    EXIT_DIFFERS = "EXIT_DIFFERS"  # P05 after the deadline: left on another day by the gate
    EXIT_MISSING = "EXIT_MISSING"  # D07: left by the gate, still in service in the roster
    QUOTA_DIFFERS = "QUOTA_DIFFERS"  # Q07: a delivered copy that is not ours
    PERMIT_NOT_OURS = "PERMIT_NOT_OURS"  # P01 for whoever cites it: a permit the gate did not give


KIND_LABELS = {
    DifferenceKind.ENTRY_UNKNOWN: "名册上已入编，用编登记无此人",
    DifferenceKind.ENTRY_DIFFERS: "名册上的入编与登记不同",
    DifferenceKind.ENTRY_MISSING: "已登记入编，名册上没有",
    DifferenceKind.EXIT_UNREGISTERED: "名册上已减编，尚未登记",
    DifferenceKind.EXIT_DIFFERS: "名册上的减编日期与登记不同",
    DifferenceKind.EXIT_MISSING: "已登记减编，名册上仍在职",
    DifferenceKind.QUOTA_DIFFERS: "报送的编制数与台账不同",
    DifferenceKind.PERMIT_NOT_OURS: "报送的用编通知单不是本系统核发",
}
# What makes the two agree again, for whoever reads the list; and the rule under which it shows.
TO_DO = {
    DifferenceKind.ENTRY_UNKNOWN: "确已入编的，先办用编许可，再登记入编；名册报错的，请报送单位改正。",
    DifferenceKind.ENTRY_DIFFERS: "名册报错的，请报送单位按登记改正；登记有误的，由编办减编后重新登记。",
    DifferenceKind.ENTRY_MISSING: "请报送单位把此人列入名册；逾期未列入的，记为逾期登记（P04）。",
    DifferenceKind.EXIT_UNREGISTERED: "请登记减编；逾期未登记的，记为逾期减编（P05）。",
    DifferenceKind.EXIT_DIFFERS: "名册报错的，请报送单位按登记改正；登记有误的，凭文件撤销减编后重新登记。",
    DifferenceKind.EXIT_MISSING: "请报送单位把此人改为已出编，并停发工资；减编登记有误的，凭文件撤销减编。",
    DifferenceKind.QUOTA_DIFFERS: "请报送单位按台账改正；台账有误的，凭文件核增或核减。",
    DifferenceKind.PERMIT_NOT_OURS: "请报送单位说明来源；据以入编的人员按无许可入编核查。",
}
RULE_OF = {
    DifferenceKind.ENTRY_UNKNOWN: "P01", DifferenceKind.ENTRY_DIFFERS: "P01", DifferenceKind.ENTRY_MISSING: "P04",
    DifferenceKind.EXIT_UNREGISTERED: "P05", DifferenceKind.EXIT_DIFFERS: "P05", DifferenceKind.EXIT_MISSING: "D07",
    DifferenceKind.QUOTA_DIFFERS: "Q07", DifferenceKind.PERMIT_NOT_OURS: "P01",
}  # fmt: skip
ORDER = list(DifferenceKind)


@dataclass(frozen=True)
class Difference:
    """delivered, ours: the two readings as text; day: the entry or exit; file, row: where the delivered row stands."""

    kind: str
    home: str
    unit_code: str
    post_type: str | None
    fund_form: str | None
    delivered: str | None
    ours: str | None
    person_key: str | None = None
    person_mask: str | None = None
    day: date | None = None
    file: str | None = None
    row: int | None = None

    @property
    def order(self) -> tuple:
        texts = (self.unit_code, self.post_type, self.fund_form, self.person_key, self.file)
        return (ORDER.index(DifferenceKind(self.kind)), *(text or "" for text in texts), self.row or 0)


SCHEMA = pa.schema(
    [(name, pa.string()) for name in (
        "kind", "home", "unit_code", "post_type", "fund_form", "delivered", "ours", "person_key", "person_mask",
    )]
    + [("day", pa.date32()), ("file", pa.string()), ("row", pa.int64())]
)  # fmt: skip
