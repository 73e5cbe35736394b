"""The ledger's arithmetic: entries, balances by day, what may be typed."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputRejected, InvariantViolated, Refused
from core.quota import allowed, usable
from pool import entries, ledger
from pool.ledger import (
    HELD,
    KINDS,
    Account,
    Cell,
    Entry,
    Key,
    Kind,
    Lot,
    balances_by_day,
    check_balances,
    check_entries,
    parse_cell,
    parse_posts,
)  # fmt: skip

U1, U2 = Cell("U:1", "INSTITUTION", "FULL"), Cell("U:2", "INSTITUTION", "FULL")
CITY = Cell("CITY:990100", "INSTITUTION", "FULL")
LOT = Lot(7, U1, "HEALTH")
DAY = date(2026, 10, 20)
SHAPES = {
    Kind.GRANT: [entries.grant(U1, 5), entries.grant(U1, 5, 7), entries.grant(U1, 5, 5)],
    Kind.CUT: [entries.cut(U1, 5)],
    Kind.TRANSFER: [entries.transfer(U1, U2, 3), entries.transfer(U1, U2, 3, 2), entries.transfer(U1, U2, 3, 3)],
    Kind.DEPOSIT: [entries.deposit(U1, LOT, 2), entries.deposit(U1, Lot(7, CITY, "HEALTH"), 2),
                   entries.deposit(None, Lot(7, CITY, "HEALTH"), 2)],
    Kind.WITHDRAW: [entries.withdraw(LOT, 1)],
    Kind.ASK: [entries.ask([(LOT, 1)])],
    Kind.DROP: [entries.drop([(LOT, 1)])],
    Kind.LEND: [entries.lend(U2, [(LOT, 2), (Lot(9, CITY, "HEALTH"), 1)])],
    Kind.RETURN: [entries.give_back(U2, [(LOT, 1)])],
    Kind.SWAP: [entries.swap(U2, LOT)],
    Kind.RESERVE: [entries.reserve(U1, 2, 5)],
    Kind.RELEASE: [entries.release(U1, 2, 5)],
    Kind.FILL: [entries.fill(U1, 1, 5), entries.fill_slot(U2, "HEALTH")],
    Kind.VACATE: [entries.vacate(U1, 1), entries.vacate_slot(U2, "HEALTH")],
    Kind.EXTEND: [[]],
    Kind.CONVERSION: [entries.convert(U1, Cell("U:1", "INSTITUTION", "PART"), 2)],
    Kind.REVERSE: [entries.reversed_entries(entries.lend(U2, [(LOT, 2)]))],
}  # fmt: skip


def total(*movements: list[Entry]) -> dict[Key, int]:
    sums: Counter[Key] = Counter()
    for movement in movements:
        for key, posts in movement:
            sums[key] += posts
    return dict(sums)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_row_and_its_entries_sum_to_nothing(kind):
    assert kind in KINDS
    for shape in SHAPES[kind]:
        check_entries(kind, shape)


def test_an_entry_too_few_a_foreign_account_or_a_double_key_is_no_movement():
    for kind, legs in (
        (Kind.GRANT, entries.grant(U1, 5)[:1]),
        (Kind.ASK, entries.lend(U2, [(LOT, 1)])),
        (Kind.RESERVE, entries.reserve(U1, 1, 5) * 2),
        (Kind.CONVERSION, [*entries.cut(U1, 2)[:1], *entries.grant(Cell("U:1", "SUPPORT", "FULL"), 2)[1:]]),
        (Kind.LEND, entries.lend(U2, [(LOT, 1)])[:3]),
    ):
        with pytest.raises(InvariantViolated):
            check_entries(kind, legs)


def quota_of(held, cell) -> int:
    """All posts under a cell's name, wherever they are."""
    return sum(posts for key, posts in held.items() if tuple(key)[1:4] == tuple(cell) and key.account in HELD)


def held_less_granted(held) -> int:
    return sum(posts for key, posts in held.items() if key.account != "borrowed")


def test_loans_change_no_quota_and_lent_equals_borrowed():
    held = total(entries.grant(U1, 5), entries.grant(U2, 3, 3), entries.deposit(U1, LOT, 2), entries.ask([(LOT, 2)]),
                 entries.lend(U2, [(LOT, 2)]), entries.fill_slot(U2, "HEALTH"))  # fmt: skip
    assert (quota_of(held, U1), quota_of(held, U2)) == (5, 3)
    assert held_less_granted(held) == 0
    lent = held[Key("lent", *U1, "HEALTH", 7)]
    assert lent == held[Key("borrowed", *U2, "HEALTH", 7)] == -held[Key("borrowed", *U1, "HEALTH", 7)] == 2
    assert sum(posts for key, posts in held.items() if key.account == "in_use" and key.holder == "U:2") == 4


def test_a_source_that_gives_posts_up_lowers_the_givers_quota_and_raises_the_nodes():
    lot = Lot(7, CITY, "HEALTH")
    held = total(entries.grant(U1, 5), entries.deposit(U1, lot, 2), entries.deposit(None, Lot(8, CITY, "TALENT"), 3))
    assert (quota_of(held, U1), quota_of(held, CITY)) == (3, 5)
    assert held_less_granted(held) == 0


def test_balances_by_day_run_from_the_effective_date_over_all_that_is_booked():
    later = [(date(2026, 12, 1), 4), (date(2026, 11, 1), -3), (date(2026, 11, 1), -1)]
    assert balances_by_day(10, later, DAY) == [(DAY, 10), (date(2026, 11, 1), 6), (date(2026, 12, 1), 10)]


def test_a_movement_may_make_no_later_day_too_small():
    key = entries.reserve(U1, 1, 5)[0].key
    later = {key: [(date(2026, 11, 1), -4)]}
    check_balances(Kind.RESERVE, entries.reserve(U1, 1, 5), {key: 1}, later, DAY)
    with pytest.raises(Refused, match="2026-11-01 的本单位空编只有 1 个，不够 2 个"):
        check_balances(Kind.RESERVE, entries.reserve(U1, 2, 5), {key: 1}, later, DAY)


def test_an_excess_may_shrink_and_only_a_cut_deepens_it():
    key = Key("home", *U1)
    check_balances(Kind.VACATE, entries.vacate(U1, 1), {key: -3, Key("in_use", *U1): 9}, {}, DAY)
    check_balances(Kind.CUT, entries.cut(U1, 2), {key: -3}, {}, DAY)
    for kind, legs in ((Kind.RESERVE, entries.reserve(U1, 1, 5)), (Kind.TRANSFER, entries.transfer(U1, U2, 1))):
        with pytest.raises(Refused):
            check_balances(kind, legs, {key: -3}, {}, DAY)


def test_posts_are_released_returned_and_dropped_once():
    for kind, legs, key in (
        (Kind.RELEASE, entries.release(U1, 1, 5), Key("reserved", *U1, lot=5)),
        (Kind.RETURN, entries.give_back(U2, [(LOT, 1)]), Key("lent", *U1, "HEALTH", 7)),
        (Kind.DROP, entries.drop([(LOT, 1)]), Key("pending", *U1, "HEALTH", 7)),
        (Kind.ASK, entries.ask([(LOT, 1)]), Key("idle", *U1, "HEALTH", 7)),
    ):
        others = {entry.key: -entry.posts for entry in legs if entry.key.account == "borrowed"}
        check_balances(kind, legs, others | {key: 1}, {}, DAY)
        with pytest.raises(Refused):
            check_balances(kind, legs, others | {key: 0}, {}, DAY)


def test_a_unit_gives_back_no_more_than_it_borrowed_itself():
    lent = {Key("lent", *U1, "HEALTH", 7): 5, Key("borrowed", *U1, "HEALTH", 7): -5}
    with pytest.raises(Refused, match="借入编制只有 0 个"):
        check_balances(Kind.RETURN, entries.give_back(U2, [(LOT, 1)]), lent, {}, DAY)


def test_partitions_are_crossed_by_conversion_alone():
    other = Cell("U:2", "SUPPORT", "FULL")
    for act in (
        lambda: entries.transfer(U1, other, 1),
        lambda: entries.deposit(other, LOT, 1),
        lambda: entries.lend(other, [(LOT, 1)]),
    ):
        with pytest.raises(Refused):
            act()


@pytest.mark.parametrize(
    "bad", [0, -1, 1.5, "1e3", "１２", "²", 2**63, str(2**63), "", " ", "+1", "1_0", "٣", True, None, [1], "1.0", "0"]
)
def test_what_is_no_whole_number_of_posts_is_refused_with_a_sentence(bad):
    with pytest.raises(InputRejected, match="编制数"):
        parse_posts(bad)


@given(st.integers(1, ledger.MOST_POSTS))
def test_whole_numbers_of_posts_are_taken_as_numbers_and_as_text(posts):
    assert parse_posts(posts) == parse_posts(f" {posts} ") == posts


def test_a_cell_takes_known_types_and_fund_forms_only():
    assert parse_cell("U:1", "ADMIN", "PART") == Cell("U:1", "ADMIN", "PART")
    for post_type, fund_form in (("admin", "FULL"), ("ADMIN", "HALF"), ("ADMIN", "")):
        with pytest.raises(InputRejected):
            parse_cell("U:1", post_type, fund_form)


def test_the_two_formulas():
    assert usable(quota=10, borrowed=2, deposited=3, in_post=6, open_permits=1, other_reserves=1) == 1
    assert allowed(quota=10, borrowed=2, lent=1) == 11


def test_accounts_that_hold_posts_are_all_but_the_counterpart_and_the_borrowed_book():
    assert set(ledger.HELD) == set(Account) - {Account.AUTHORITY, Account.BORROWED}
