"""The ledger's arithmetic: accounts, kinds of movement, entries that sum to 0, balances by day (DOMAIN §5). Pure.

A cell's quota is what it holds in `home`, `reserved`, `in_use` and, under its name, in `idle`, `pending`, `lent`.
`home` without a purpose is what is vacant on own posts (negative: excess over quota). `home` with a purpose is the
other side of the people who sit on pool posts: minus `in_use` of that purpose. `borrowed` is a book of its own that
sums to 0: plus at the borrower, minus at the lender, lot by lot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from core.errors import InputRejected, InvariantViolated, Refused
from core.types import FundForm, PostType

MOST_POSTS = 1_000_000
AUTHORITY_HOLDER = "AUTHORITY"
NO_LOT = 0
NO_PURPOSE = ""


class Account(StrEnum):
    """Where a post can be."""

    AUTHORITY = "authority"
    HOME = "home"
    RESERVED = "reserved"
    IN_USE = "in_use"
    IDLE = "idle"
    PENDING = "pending"
    LENT = "lent"
    BORROWED = "borrowed"


HELD = (Account.HOME, Account.RESERVED, Account.IN_USE, Account.IDLE, Account.PENDING, Account.LENT)
POOLED = (Account.IDLE, Account.PENDING, Account.LENT)


class Kind(StrEnum):
    """Every kind of movement; one row of `KINDS` each."""

    GRANT = "GRANT"
    CUT = "CUT"
    TRANSFER = "TRANSFER"
    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"
    ASK = "ASK"
    DROP = "DROP"
    LEND = "LEND"
    RETURN = "RETURN"
    SWAP = "SWAP"
    RESERVE = "RESERVE"
    RELEASE = "RELEASE"
    FILL = "FILL"
    VACATE = "VACATE"
    EXTEND = "EXTEND"
    CONVERSION = "CONVERSION"
    REVERSE = "REVERSE"


class Source(StrEnum):
    """Where pool posts come from (R02)."""

    RECLAIM = "RECLAIM"
    REFORM = "REFORM"
    OVER_STANDARD = "OVER_STANDARD"
    USE_RIGHT_LENT = "USE_RIGHT_LENT"
    TOTAL_SLICE = "TOTAL_SLICE"


SOURCE_LABELS: dict[Source, str] = {
    Source.RECLAIM: "收回空编",
    Source.REFORM: "改革精简",
    Source.OVER_STANDARD: "超标准收回",
    Source.USE_RIGHT_LENT: "出借使用权",
    Source.TOTAL_SLICE: "总量切块",
}


@dataclass(frozen=True)
class KindRow:
    """What a kind moves: the accounts it may touch, whether it names a document, may open debt, may be reversed."""

    kind: Kind
    label: str
    touches: frozenset[Account]
    document: bool = False
    debt: bool = False
    reversible: bool = True


def _row(kind: Kind, label: str, *touches: Account, **changes: bool) -> tuple[Kind, KindRow]:
    return kind, KindRow(kind, label, frozenset(touches), **changes)


A = Account
KINDS: dict[Kind, KindRow] = dict(
    (
        _row(Kind.GRANT, "核增", A.AUTHORITY, A.HOME, A.IN_USE, document=True),
        _row(Kind.CUT, "核减", A.AUTHORITY, A.HOME, document=True, debt=True),
        _row(Kind.TRANSFER, "划转", A.HOME, A.IN_USE, document=True),
        _row(Kind.DEPOSIT, "入池", A.HOME, A.IDLE, A.AUTHORITY, document=True),
        _row(Kind.WITHDRAW, "出池", A.HOME, A.IDLE, document=True),
        _row(Kind.ASK, "预占", A.IDLE, A.PENDING, reversible=False),
        _row(Kind.DROP, "退回预占", A.IDLE, A.PENDING, reversible=False),
        _row(Kind.LEND, "借出", A.PENDING, A.LENT, A.BORROWED),
        _row(Kind.RETURN, "归还", A.LENT, A.IDLE, A.BORROWED),
        _row(Kind.SWAP, "置换", A.LENT, A.IDLE, A.BORROWED, A.HOME, A.IN_USE),
        _row(Kind.RESERVE, "预留", A.HOME, A.RESERVED),
        _row(Kind.RELEASE, "解除预留", A.HOME, A.RESERVED, reversible=False),
        _row(Kind.FILL, "入编", A.RESERVED, A.HOME, A.IN_USE),
        _row(Kind.VACATE, "减编", A.HOME, A.IN_USE),
        _row(Kind.EXTEND, "续借"),
        _row(Kind.CONVERSION, "转换", A.AUTHORITY, A.HOME, document=True),
        _row(Kind.REVERSE, "冲正", *Account, document=True, reversible=False),
    )
)


class Cell(NamedTuple):
    """A holder's posts of one type and fund form. holder: a node of the tree (`U:code` or `LEVEL:division`)."""

    holder: str
    post_type: str
    fund_form: str

    @property
    def partition(self) -> tuple[str, str]:
        return self.post_type, self.fund_form


class Lot(NamedTuple):
    """Pool posts that came in together: number (the DEPOSIT's), owner cell, and the purpose they serve."""

    lot_no: int
    owner: Cell
    purpose: str


class Key(NamedTuple):
    """What a balance is of. lot: the DEPOSIT for pooled and borrowed posts, the RESERVE for reserved ones, else 0."""

    account: str
    holder: str
    post_type: str
    fund_form: str
    purpose: str = NO_PURPOSE
    lot: int = NO_LOT


class Entry(NamedTuple):
    """Signed posts on a key."""

    key: Key
    posts: int


def check_entries(kind: Kind, entries: Sequence[Entry]) -> None:
    """A movement's entries sum to 0, in all and without `borrowed`, per partition, on accounts of its kind.

    Errors: InvariantViolated. Source: DOMAIN §5, invariants.
    """
    sums: dict[tuple[str, str, bool], int] = defaultdict(int)
    for key, posts in entries:
        sums[key.post_type, key.fund_form, key.account == Account.BORROWED] += posts
        if posts == 0 or key.account not in KINDS[kind].touches:
            raise InvariantViolated(f"{kind} may not put {posts} on {key.account}")
    if any(sums.values()):
        raise InvariantViolated(f"entries of {kind} do not sum to 0")
    if len({entry.key for entry in entries}) != len(entries):
        raise InvariantViolated(f"{kind} names a balance twice")


def balances_by_day(total: int, later: Sequence[tuple[date, int]], effective: date) -> list[tuple[date, int]]:
    """The balance on `effective` and on every later day with a booking.

    total: of all bookings whatever their day. later: (day, posts) of bookings after `effective`, in any order.
    """
    by_day: dict[date, int] = defaultdict(int)
    for day, posts in later:
        by_day[day] += posts
    at = total - sum(by_day.values())
    days = [(effective, at)]
    for day in sorted(by_day):
        at += by_day[day]
        days.append((day, at))
    return days


def decide_balance(kind: Kind, key: Key, posts: int, before: int, debt: bool) -> bool:
    """Whether a balance of `before` may change by `posts` on a day.

    Vacant own posts may be negative (excess), but only what may open debt (a CUT, opening balances) deepens that; the
    counterpart and the other side of pool people have no floor of their own: others mirror them. `borrowed` grows, away
    from 0 on either side, by a LEND, or by a REVERSE of what gave back; whatever else touches it gives back, at most to 0.
    """
    after = before + posts
    if key.account == Account.AUTHORITY or (key.account == Account.HOME and key.purpose):
        return True
    if key.account == Account.BORROWED:
        gives_back = before * posts < 0 and abs(posts) <= abs(before)
        grows = before * posts >= 0
        return {Kind.LEND: grows, Kind.REVERSE: grows or gives_back}.get(kind, gives_back)
    if key.account == Account.HOME:
        return after >= 0 or after >= before or debt
    return after >= 0


LACKING: dict[str, str] = {
    Account.HOME: "本单位空编",
    Account.RESERVED: "该项预留",
    Account.IN_USE: "在编人员",
    Account.IDLE: "池中闲置编制",
    Account.PENDING: "预占编制",
    Account.LENT: "借出编制",
    Account.BORROWED: "借入编制",
}


def check_balances(
    kind: Kind,
    entries: Sequence[Entry],
    totals: Mapping[Key, int],
    later: Mapping[Key, Sequence[tuple[date, int]]],
    effective: date,
    debt: bool = False,
) -> None:
    """No balance is too small on any day from `effective` on, future bookings included. Errors: Refused with the day.

    totals, later: as `balances_by_day`, per key; a key without one is 0.
    """
    for key, posts in entries:
        for day, before in balances_by_day(totals.get(key, 0), later.get(key, ()), effective):
            if not decide_balance(kind, key, posts, before, debt or KINDS[kind].debt):
                raise Refused(
                    f"{day} 的{LACKING[key.account]}只有 {before} 个，不够 {-posts} 个。",
                    answer="NOT_ENOUGH", account=key.account, holder=key.holder, day=day.isoformat(), has=before,
                    needs=-posts,
                )  # fmt: skip


def parse_posts(value: object) -> int:
    """A number of posts as typed or sent: a whole number from 1 to MOST_POSTS, in ASCII digits.

    Errors: InputRejected with the sentence; 0, −1, 1.5, "1e3", "１２", "²", True and 2^63 among them.
    """
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdecimal()) or len(text) > 12:
            raise InputRejected("编制数须为半角数字的整数。", field="posts")
        value = int(text)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputRejected("编制数须为整数。", field="posts")
    if value < 1:
        raise InputRejected("编制数须至少为 1。", field="posts")
    if value > MOST_POSTS:
        raise InputRejected(f"编制数不得超过 {MOST_POSTS}。", field="posts")
    return value


def parse_cell(holder: str, post_type: str, fund_form: str) -> Cell:
    """A cell from identifiers. Errors: InputRejected for an unknown type or fund form."""
    if post_type not in set(PostType):
        raise InputRejected("没有这种编制类型。", field="post_type")
    if fund_form not in set(FundForm):
        raise InputRejected("没有这种经费形式。", field="fund_form")
    return Cell(holder, PostType(post_type).value, FundForm(fund_form).value)
