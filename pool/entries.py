"""The entries of every kind of movement: which balances change by how many posts (DOMAIN §5). Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from core.errors import Refused
from pool.ledger import AUTHORITY_HOLDER, NO_LOT, NO_PURPOSE, Account, Cell, Entry, Key, Lot


def _at(account: Account, cell: Cell, purpose: str = NO_PURPOSE, lot: int = NO_LOT) -> Key:
    return Key(account.value, cell.holder, cell.post_type, cell.fund_form, purpose, lot)


def _authority(cell: Cell) -> Key:
    return _at(Account.AUTHORITY, Cell(AUTHORITY_HOLDER, cell.post_type, cell.fund_form))


def _pooled(account: Account, lot: Lot) -> Key:
    return _at(account, lot.owner, lot.purpose, lot.lot_no)


def grant(cell: Cell, posts: int, in_post: int = 0) -> list[Entry]:
    """authority → home; with in_post (opening balances) those people sit on it, over quota if there are more."""
    return net(
        Entry(_authority(cell), -posts),
        Entry(_at(Account.HOME, cell), posts - in_post),
        Entry(_at(Account.IN_USE, cell), in_post),
    )


def cut(cell: Cell, posts: int) -> list[Entry]:
    """home → authority; may go below use."""
    return [Entry(_at(Account.HOME, cell), -posts), Entry(_authority(cell), posts)]


def transfer(giver: Cell, taker: Cell, posts: int, with_people: int = 0) -> list[Entry]:
    """Ownership moves; with_people of the posts move with the person on them (调编带人)."""
    _same_partition(giver, taker)
    return net(
        Entry(_at(Account.HOME, giver), -(posts - with_people)),
        Entry(_at(Account.IN_USE, giver), -with_people),
        Entry(_at(Account.HOME, taker), posts - with_people),
        Entry(_at(Account.IN_USE, taker), with_people),
    )


def deposit(giver: Cell | None, lot: Lot, posts: int) -> list[Entry]:
    """home of the giver (None: authority, TOTAL_SLICE) → idle under the lot's owner."""
    if giver is not None:
        _same_partition(giver, lot.owner)
    source = _authority(lot.owner) if giver is None else _at(Account.HOME, giver)
    return [Entry(source, -posts), Entry(_pooled(Account.IDLE, lot), posts)]


def withdraw(lot: Lot, posts: int) -> list[Entry]:
    """idle → home of the lot's owner."""
    return [Entry(_pooled(Account.IDLE, lot), -posts), Entry(_at(Account.HOME, lot.owner), posts)]


def ask(lots: Iterable[tuple[Lot, int]]) -> list[Entry]:
    """idle → pending, lot by lot."""
    return _across(Account.IDLE, Account.PENDING, lots)


def drop(lots: Iterable[tuple[Lot, int]]) -> list[Entry]:
    """pending → idle, lot by lot."""
    return _across(Account.PENDING, Account.IDLE, lots)


def lend(borrower: Cell, lots: Iterable[tuple[Lot, int]]) -> list[Entry]:
    """pending → lent, and `borrowed` of the unit."""
    lots = list(lots)
    return _across(Account.PENDING, Account.LENT, lots) + _borrowed(borrower, lots, 1)


def give_back(borrower: Cell, lots: Iterable[tuple[Lot, int]]) -> list[Entry]:
    """RETURN: lent → idle, and the unit borrows no more."""
    lots = list(lots)
    return _across(Account.LENT, Account.IDLE, lots) + _borrowed(borrower, lots, -1)


def swap(borrower: Cell, lot: Lot) -> list[Entry]:
    """The person of one slot moves onto an own post; the slot goes back."""
    return net(
        *vacate_slot(borrower, lot.purpose),
        *give_back(borrower, [(lot, 1)]),
        Entry(_at(Account.HOME, borrower), -1),
        Entry(_at(Account.IN_USE, borrower), 1),
    )


def reserve(cell: Cell, posts: int, number: int) -> list[Entry]:
    """home → reserved under the RESERVE's own number."""
    return [Entry(_at(Account.HOME, cell), -posts), Entry(_at(Account.RESERVED, cell, lot=number), posts)]


def release(cell: Cell, posts: int, number: int) -> list[Entry]:
    """reserved → home."""
    return [Entry(_at(Account.RESERVED, cell, lot=number), -posts), Entry(_at(Account.HOME, cell), posts)]


def fill(cell: Cell, posts: int, number: int) -> list[Entry]:
    """reserved → in_use: people enter on a permit."""
    return [Entry(_at(Account.RESERVED, cell, lot=number), -posts), Entry(_at(Account.IN_USE, cell), posts)]


def vacate(cell: Cell, posts: int) -> list[Entry]:
    """in_use → home: people leave own posts."""
    return [Entry(_at(Account.IN_USE, cell), -posts), Entry(_at(Account.HOME, cell), posts)]


def fill_slot(cell: Cell, purpose: str) -> list[Entry]:
    """One person enters on a pool slot: in use, while the post stays lent."""
    return [Entry(_at(Account.HOME, cell, purpose), -1), Entry(_at(Account.IN_USE, cell, purpose), 1)]


def vacate_slot(cell: Cell, purpose: str) -> list[Entry]:
    """The person of a pool slot leaves."""
    return reversed_entries(fill_slot(cell, purpose))


def convert(giver: Cell, taker: Cell, posts: int) -> list[Entry]:
    """Posts change type or fund form: out of one partition, into the other."""
    return cut(giver, posts) + grant(taker, posts)


def reversed_entries(entries: Iterable[Entry]) -> list[Entry]:
    """The same posts the other way."""
    return [Entry(entry.key, -entry.posts) for entry in entries]


def net(*entries: Entry) -> list[Entry]:
    """One entry per key, none of 0, in the order first met."""
    total: dict[Key, int] = defaultdict(int)
    for entry in entries:
        total[entry.key] += entry.posts
    return [Entry(key, posts) for key, posts in total.items() if posts]


def _same_partition(giver: Cell, taker: Cell) -> None:
    if giver.partition != taker.partition:
        raise Refused("编制类型和经费形式不同，不能直接划转；须凭文件办理转换。", answer="BORDER")


def _across(source: Account, target: Account, lots: Iterable[tuple[Lot, int]]) -> list[Entry]:
    entries = []
    for lot, posts in lots:
        entries += [Entry(_pooled(source, lot), -posts), Entry(_pooled(target, lot), posts)]
    return entries


def _borrowed(borrower: Cell, lots: Iterable[tuple[Lot, int]], sign: int) -> list[Entry]:
    entries = []
    for lot, posts in lots:
        _same_partition(lot.owner, borrower)
        entries.append(Entry(_at(Account.BORROWED, borrower, lot.purpose, lot.lot_no), sign * posts))
        entries.append(Entry(_at(Account.BORROWED, lot.owner, lot.purpose, lot.lot_no), -sign * posts))
    return entries
