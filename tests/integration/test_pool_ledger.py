"""The ledger and the tree on both databases: history, days, opening, limits, reorganisations, the night, the position."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core.db import engine_for, reading, writing
from core.errors import InputRejected, InvariantViolated, Refused
from core.outbox import OutboxMail
from core.parameters import set_parameter
from pool.housekeeping import keep_pool, open_suggestions
from pool.ledger import Cell
from pool.models import APPEND_ONLY, DivisionTotal, PoolMovement, PoolReorganisation, PoolRequest, PoolSlot
from pool.position import month_ends, position_tables
from pool.proof import broken_proofs, prove_pool
from pool.service import (
    convert_posts,
    cut_posts,
    deposit_posts,
    fill_posts,
    grant_posts,
    release_posts,
    reserve_posts,
    transfer_posts,
    vacate_posts,
)  # fmt: skip
from pool.service_nodes import abolish_node, merge_nodes, reparent_node, set_limits
from pool.service_opening import open_balances, switch_unit, take_strength
from pool.service_reversal import reverse_movement
from pool.service_slots import fill_slot, swap_slot
from pool.store import cell_figures
from pool.whatif import what_if_cut, what_if_merged, what_if_reparented
from tests.poolkit import CITY, FULL, K2, K3, PROVINCE, SEEN, Province, found_province

ALL = (*FULL, "")
U = {code: Cell(f"U:{code}", *FULL) for code in ("A1", "A2", "A3", "B1")}


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def night(province: Province, on: date | None = None, **facts):
    with writing(province.engine) as session:
        return keep_pool(session, on or province.today, province.now, **facts)


def assert_whole(province: Province) -> None:
    with reading(province.engine) as session:
        assert broken_proofs(session) == []


def test_history_cannot_be_rewritten_in_the_database_itself(province):
    province.pool(K2, 3)
    province.lend("A1", 1)
    for table in APPEND_ONLY:
        column = "seq" if table == "pool_movement" else "lot_no" if table == "pool_lot" else "at"
        column = "posts" if table == "pool_entry" else column
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            if table == "pool_reorganisation":
                continue  # empty here; a row trigger has nothing to refuse
            with pytest.raises(DBAPIError), writing(province.engine) as session:
                session.execute(text(statement))
    assert_whole(province)


def test_a_balance_below_nothing_is_refused_by_the_schema(province):
    province.pool(K2, 3)
    with pytest.raises(DBAPIError), writing(province.engine) as session:
        session.execute(text("UPDATE pool_balance SET posts = -1 WHERE account = 'idle'"))


def test_a_use_case_refuses_a_transaction_that_only_reads(tmp_path):
    from core.migrate import upgrade

    engine = engine_for(f"sqlite:///{tmp_path / 'r.db'}")
    upgrade(engine)
    province = found_province(engine)
    with pytest.raises(InvariantViolated), reading(engine) as session:
        grant_posts(session, province.act("reviewer"), "U:A1", *FULL, 1, "编委1")


def test_a_back_dated_movement_may_make_no_day_since_then_too_small(province):
    today = province.today
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 3, "编委1", today - timedelta(days=30))
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 3, "编委2", effective=today - timedelta(days=10))
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 5, "编委3", today)
    with pytest.raises(Refused, match=f"{today - timedelta(days=10)} 的本单位空编只有 0 个"):
        province.do(transfer_posts, "reviewer", "U:A1", "U:A3", *FULL, 1, "编委4", effective=today - timedelta(days=20))
    with pytest.raises(InputRejected):
        province.do(grant_posts, "reviewer", "U:A1", *FULL, 3, "编委1", date(1900, 1, 1))
    assert_whole(province)


def test_a_booked_future_movement_counts_from_its_day_on(province):
    later = province.today + timedelta(days=30)
    province.pool(K2, 2)
    province.do(deposit_posts, "reviewer", K2, *FULL, "HEALTH", 3, "TOTAL_SLICE", "编委2", effective=later)
    with pytest.raises(Refused, match="只有 2 个"):
        province.ask("A1", 3)
    province.ask("A1", 2)
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 3, "编委3", later)
    with reading(province.engine) as session:
        assert cell_figures(session, ["U:A2"], province.today)[U["A2"]].quota == 0
        assert cell_figures(session, ["U:A2"], later)[U["A2"]].quota == 3
    assert_whole(province)


def test_a_cell_over_quota_opens_with_its_excess_which_may_only_shrink(province):
    rows = [("A1", *FULL, 5, 7), ("A2", *FULL, 5, 3), ("A3", *FULL, 0, 0)]
    opened = province.do(open_balances, "reviewer", rows, SEEN)
    assert opened == {"opened": 2, "excess": 2}
    with reading(province.engine) as session:
        figures = cell_figures(session, ["U:A1", "U:A2"], province.today)
    assert (figures[U["A1"]].usable, figures[U["A1"]].vacant, figures[U["A2"]].usable) == (-2, -2, 2)
    with pytest.raises(Refused, match="已有账目"):
        province.do(open_balances, "reviewer", rows, SEEN)
    for act in (
        lambda: province.do(reserve_posts, "reviewer", "U:A1", *FULL, 1, "PERMIT"),
        lambda: province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 1, "文1"),
    ):
        with pytest.raises(Refused):
            act()
    province.do(vacate_posts, "reviewer", "U:A1", *FULL, 1)
    with reading(province.engine) as session:
        assert cell_figures(session, ["U:A1"], province.today)[U["A1"]].vacant == -1
    assert_whole(province)


def test_a_mistaken_opening_is_reversed_and_made_again_and_a_later_cell_opens_later(province):
    province.do(open_balances, "reviewer", [("A1", *FULL, 5, 3)], SEEN)
    with reading(province.engine) as session:
        seq = session.scalars(select(PoolMovement.seq)).one()
    province.do(reverse_movement, "director", seq, "更正1")
    assert province.do(open_balances, "reviewer", [("A1", *FULL, 4, 3)], SEEN)["opened"] == 1
    assert province.do(open_balances, "reviewer", [("A1", "SUPPORT", "FULL", 1, 1)], SEEN)["opened"] == 1
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 1, "文1")
    province.do(vacate_posts, "reviewer", "U:A1", *FULL, 3)
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 3, "文2")
    with pytest.raises(Refused, match="已有账目"):
        province.do(open_balances, "reviewer", [("A1", *FULL, 4, 3)], SEEN)
    assert_whole(province)


def test_a_permit_is_its_reserve_and_is_used_once(province):
    province.grant("A1", 3)
    number = province.do(reserve_posts, "reviewer", "U:A1", *FULL, 2, "PERMIT")["movement"]
    province.do(reserve_posts, "reviewer", "U:A1", *FULL, 1, "改革预留")
    with reading(province.engine) as session:
        figures = cell_figures(session, ["U:A1"], province.today)[U["A1"]]
    assert (figures.open_permits, figures.other_reserves, figures.usable, figures.in_post) == (2, 1, 0, 0)
    province.do(fill_posts, "reviewer", number, 1)
    province.do(release_posts, "reviewer", number, 1)
    for use_case in (fill_posts, release_posts):
        with pytest.raises(Refused, match="该项预留只有 0 个"):
            province.do(use_case, "reviewer", number, 1)
    assert_whole(province)


def test_the_nights_strength_stands_until_our_own_movements_after_it(province):
    province.do(open_balances, "reviewer", [("A1", *FULL, 9, 5)], SEEN)
    with writing(province.engine) as session:
        assert take_strength(session, SEEN + timedelta(days=2), [("A1", *FULL, 6)], [("A1", *FULL, "2027-01", 1)]) == 2
        assert take_strength(session, SEEN, [("A1", *FULL, 1)], []) == 0
    province.do(vacate_posts, "reviewer", "U:A1", *FULL, 1)
    with reading(province.engine) as session:
        figures = cell_figures(session, ["U:A1"], province.today)[U["A1"]]
    assert (figures.in_post, figures.usable) == (5, 4)


def test_a_refusal_names_the_node_the_figures_the_holders_and_what_would_help(province):
    province.pool(CITY, 9, login="cityreviewer")
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=2)
    province.lend("A1", 1)
    with pytest.raises(Refused, match="借用上限为 2 个，现有余量 -1 个，办理后为 -3 个，超出 1 个") as caught:
        province.ask("A2", 2)
    details = caught.value.details
    assert details["remedies"] == [{"node": K2, "remedy": "RAISE_BORROW_LIMIT", "posts": 1}]
    assert (details["node"], details["most"], details["holders"]) == (K2, 1, [{"node": "U:A1", "posts": 1}])
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=3)
    province.ask("A2", 2)
    assert_whole(province)


def test_borders_are_broken_by_policy_and_document_alone(province):
    province.grant("A1", 3)
    shut = (FULL, ("INSTITUTION", "PART"), 1, "编委4")
    with pytest.raises(Refused, match="未开放"):
        province.do(convert_posts, "director", "U:A1", *shut)
    with writing(province.engine) as session:
        set_parameter(session, "pool_break_borders", "true", "*", date(2026, 1, 1), actor="t", now=province.now)
    province.do(convert_posts, "director", "U:A1", *shut)
    with reading(province.engine) as session:
        figures = cell_figures(session, ["U:A1"], province.today)
    assert {cell.fund_form: held.quota for cell, held in figures.items()} == {"FULL": 2, "PART": 1}
    assert_whole(province)


def test_reparenting_keeps_both_sides_of_the_proof_and_never_deepens_a_deficit(province):
    province.pool(K2, 3)
    province.do(set_limits, "director", K2, *FULL, lend=0, borrow="unlimited")
    province.do(set_limits, "director3", K3, *FULL, lend="unlimited", borrow=0)
    province.lend("A1", 2)
    assert province.do(reparent_node, "superdirector", "U:A3", K3, "文9")["kind"] == "REPARENT"
    with pytest.raises(Refused, match="缺口将增加 2 个"):
        province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
    with reading(province.engine) as session:
        kept = session.scalars(select(PoolReorganisation)).one()
    assert set(json.loads(kept.proof)) == {"before", "after"}
    assert_whole(province)


def test_a_node_with_live_loans_cannot_vanish_and_a_merged_unit_hands_all_it_has_over(province):
    province.do(open_balances, "reviewer", [("A2", *FULL, 5, 7), ("A3", *FULL, 5, 2)], SEEN)
    province.pool(K2, 5)
    with pytest.raises(Refused):
        province.do(abolish_node, "director", "U:A2", "文9")
    merged = province.do(merge_nodes, "director", "U:A2", "U:A3", "文9")
    assert merged["after"]["INSTITUTION FULL"]["PROVINCE:990000"] == 5
    with reading(province.engine) as session:
        figures = cell_figures(session, ["U:A2", "U:A3"], province.today)
    assert (figures[U["A3"]].quota, figures[U["A3"]].in_post, U["A2"] in figures) == (10, 9, False)
    with pytest.raises(Refused, match="已撤并"):
        province.grant("A2", 1, login="superdirector")
    province.lend("A1", 1)
    with pytest.raises(Refused, match="未了"):
        province.do(merge_nodes, "director", "U:A1", "U:A3", "文9")
    assert_whole(province)


def test_what_if_answers_on_a_copy(province):
    province.do(open_balances, "reviewer", [("A2", *FULL, 5, 4), ("A3", *FULL, 5, 7)], SEEN)
    province.pool(K2, 5)
    before = province.balances()
    with reading(province.engine) as session:
        cut = what_if_cut(session, U["A2"], 3, province.today)[ALL]
        assert (cut.before["U:A2"], cut.after["U:A2"], cut.after[PROVINCE], cut.passes) == (0, -2, 1, True)
        assert what_if_merged(session, "U:A2", "U:A3", province.today)[ALL].after["U:A3"] == -1
        moved = what_if_reparented(session, "U:A3", K3)[ALL]
        assert (moved.before[K2], moved.after[K2], moved.after[K3]) == (3, 5, -2)
    assert province.balances() == before


def test_a_night_reminds_expires_and_mails_once(province):
    province.pool(K2, 5)
    loan = province.lend("A1", 2, months=4)
    province.do(fill_slot, "reviewer", loan["slots"][0], "k1", "mask")
    due = date(2027, 2, 20)
    assert night(province, due - timedelta(days=91)).due_soon == 0
    assert vars(night(province, due - timedelta(days=90))) == {
        "due_soon": 2, "overdue": 0, "lapsed": 0, "home": 0, "claimed": 0, "suggested": 0, "mails": 1,
    }  # fmt: skip
    assert not any(vars(night(province, due - timedelta(days=90))).values())
    assert night(province, due).overdue == 0
    assert (night(province, due + timedelta(days=1)).overdue, night(province, due + timedelta(days=1)).overdue) == (
        2,
        0,
    )
    with reading(province.engine) as session:
        assert set(session.scalars(select(PoolSlot.status))) == {"OVERDUE"}
        digests = list(session.scalars(select(OutboxMail.digest).order_by(OutboxMail.id)))
    assert [digest.split("_")[1] for digest in digests] == ["decision", "due", "overdue"]
    assert_whole(province)


def test_a_night_proposes_swaps_withdrawals_and_returns_and_takes_them_back(province):
    province.pool(K2, 5)
    loan = province.lend("A1", 2)
    province.do(fill_slot, "reviewer", loan["slots"][0], "k1", "mask")
    province.pass_days(200)
    assert night(province).suggested == 1
    province.grant("A1", 1)
    assert night(province, left=["k1"]).suggested == 2
    with reading(province.engine) as session:
        open_ones = {(row.kind, row.slot_no) for row in open_suggestions(session, "A1")}
    first, second = loan["slots"]
    assert open_ones == {("SWAP", first), ("RETURN", first), ("WITHDRAW", second)}
    province.do(swap_slot, "reviewer", first)
    province.pass_days(1)
    night(province)
    with reading(province.engine) as session:
        assert {(row.kind, row.slot_no) for row in open_suggestions(session)} == {("WITHDRAW", second)}


def test_a_request_nobody_decides_lapses_and_its_posts_go_back(province):
    province.pool(K2, 5)
    province.ask("A1", 2)
    assert night(province, province.today + timedelta(days=365)).lapsed == 0
    assert night(province, province.today + timedelta(days=366)).lapsed == 1
    assert (province.sum_of("idle"), province.sum_of("pending")) == (5, 0)
    with reading(province.engine) as session:
        assert session.scalars(select(PoolRequest.status)).one() == "LAPSED"
    assert_whole(province)


def test_the_total_of_a_division_bounds_what_it_borrows_from_outside(province):
    province.pool(CITY, 5, login="cityreviewer")
    province.do(open_balances, "reviewer", [("A2", *FULL, 3, 3)], SEEN)
    with writing(province.engine) as session:
        session.add(DivisionTotal(division_code="990102", post_type="INSTITUTION", posts=4))
    with pytest.raises(Refused, match="990102 的编制总量限额为 4 个，借入后将达 5 个"):
        province.ask("A1", 2)
    province.ask("A1", 1)


def test_the_position_book_says_what_is_effective_on_the_day(province):
    today = province.today
    province.do(open_balances, "reviewer", [("A2", *FULL, 5, 3)], SEEN)
    province.do(deposit_posts, "reviewer", K2, *FULL, "HEALTH", 2, "USE_RIGHT_LENT", "文1", giver="U:A2")
    loan = province.lend("A1", 1)
    province.do(transfer_posts, "reviewer", "U:A2", "U:A3", *FULL, 1, "文2", people=1, central_no="中编1")
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 4, "文3", today + timedelta(days=9))
    with reading(province.engine) as session:
        tables = position_tables(session, today)
        assert position_tables(session, SEEN - timedelta(days=1))["position_quota"] == []
    cells = {row["unit_code"]: row for row in tables["position"] if row["borrowed"] or row["lent"] or row["usable"]}
    assert {code: (row["borrowed"], row["lent"], row["usable"]) for code, row in cells.items()} == {
        "A1": (1, 0, 1), "A2": (0, 1, 0),
    }  # fmt: skip
    quota = [
        (row["unit_code"], row["quota"], row["valid_from"], row["valid_to"], row["doc_no"])
        for row in tables["position_quota"]
    ]
    assert ("A2", 5, SEEN, today - timedelta(days=1), "开账2026-10-15") in quota
    assert ("A2", 4, today, None, "文2") in quota
    moves = {row["movement_no"].split("-")[0]: row for row in tables["movement"]}
    assert set(moves) == {"DEPOSIT", "LEND", "TRANSFER"}
    assert (moves["LEND"]["from_unit"], moves["LEND"]["to_unit"], moves["LEND"]["posts"]) == (K2, "A1", 1)
    assert moves["TRANSFER"]["central_no"] == "中编1"
    assert {row["month"] for row in tables["usable_month"]} == {"2026-10"}
    assert month_ends(date(2026, 3, 5), 3) == [date(2026, 3, 5), date(2026, 2, 28), date(2026, 1, 31)]
    assert loan["slots"]


def test_the_proof_names_what_was_tampered_with(province):
    province.pool(K2, 5)
    province.lend("A1", 1)
    with writing(province.engine) as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER pool_movement_no_update"))
        else:
            session.execute(text("DROP TRIGGER pool_movement_no_change ON pool_movement"))
        session.execute(text("UPDATE pool_movement SET actor = 'nobody' WHERE seq = 2"))
        session.execute(text("UPDATE pool_balance SET posts = posts + 1 WHERE account = 'idle'"))
    with reading(province.engine) as session:
        proofs = {proof.name: proof for proof in prove_pool(session)}
    assert [name for name, proof in proofs.items() if not proof.holds] == [
        "balance = Σ entries",
        "the hash chain is whole",
    ]
    assert proofs["the hash chain is whole"].broken == ("seq=2",)


def test_a_unit_is_switched_to_our_ledger_from_a_day(province):
    with pytest.raises(Refused, match="尚未建账"):
        province.do(switch_unit, "director", "A1", province.today)
    province.do(open_balances, "reviewer", [("A1", *FULL, 3, 1)], province.today)
    with pytest.raises(Refused, match="启用日不得早于这一天"):
        province.do(switch_unit, "director", "A1", province.today - timedelta(days=1))
    assert province.do(switch_unit, "director", "A1", province.today)["switched_on"] == "2026-10-20"


def test_an_empty_ledger_is_proved_too(province):
    assert_whole(province)
    with reading(province.engine) as session:
        assert all(rows == [] for name, rows in position_tables(session, province.today).items())
        assert session.scalar(select(func.count()).select_from(PoolSlot)) == 0
