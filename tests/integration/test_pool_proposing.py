"""The proposal over a real ledger: what it is told is what the rows say, and what is accepted is proved."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert, select

from core.db import engine_for, reading, writing
from core.errors import Refused
from core.parameters import set_parameter
from core.types import FundForm, PostType
from pool.ledger import Cell
from pool.models import DivisionTotal, PoolSum, Strength
from pool.proof import prove_pool
from pool.proposal import propose
from pool.proposal_input import Need, PoolKey, Situation
from pool.proposal_standing import Rule, Standing
from pool.proposing import key_of, situation_of
from pool.service_approvals import approve_request
from pool.service_loans import review_request
from pool.service_nodes import set_limits
from pool.service_slots import fill_slot, recall_loan
from pool.store import backing, cell_figures
from pool.totals import total_after
from tests.poolkit import CITY, DIRECTOR_OF, FULL, K2, PROVINCE, SEEN, Province, found_province

HEALTH = PoolKey(PostType.INSTITUTION, FundForm.FULL, "HEALTH")


@pytest.fixture
def province(database_url) -> Province:
    made = found_province(engine_for(database_url))
    made.grant("A2", 4)
    made.pool(K2, 3)
    made.pool(CITY, 4, login="cityreviewer")
    made.pool(K2, 2, "PLACEMENT")
    made.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    made.do(set_limits, "director", K2, *FULL, lend=2, borrow=5, purpose="HEALTH")
    made.do(set_limits, "topdirector", PROVINCE, *FULL, lend="unlimited", borrow="unlimited", floor=1, purpose="HEALTH")
    return made


def retire(province: Province, unit: str, month: str, people: int) -> None:
    with writing(province.engine) as session:
        session.execute(insert(Strength.__table__).values(
            unit_code=unit, post_type=FULL[0], fund_form=FULL[1], month=month, people=people, as_of=SEEN
        ))  # fmt: skip


def situation(province: Province) -> Situation:
    with reading(province.engine) as session:
        return situation_of(session, province.today)


def holds(province: Province) -> bool:
    with reading(province.engine) as session:
        return all(proof.holds for proof in prove_pool(session))


def test_with_the_requests_taken_back_the_standing_is_the_ledgers_own_tree(province):
    province.lend("B1", 3, reviewer="reviewer3")
    kept = province.lend("A1", 2)
    province.do(fill_slot, "reviewer", kept["slots"][0], "k1", "mask")
    province.do(recall_loan, "reviewer", kept["slots"][:1], "急用")
    province.ask("A3", 2)
    province.ask("T1", 1)
    province.ask("C1", 1, purpose="PLACEMENT", exception_doc="函1")
    seen = situation(province)
    standing = Standing(seen)
    for request in seen.requests:
        standing.take(request)
    with reading(province.engine) as session:
        kept_sums = {
            (key_of(row), row.node_id): row.surplus
            for row in session.scalars(select(PoolSum).where(PoolSum.purpose != ""))
        }
    assert {pool for pool, _ in kept_sums} == {HEALTH, PoolKey(HEALTH.post_type, HEALTH.fund_form, "PLACEMENT")}
    for (pool, node), surplus in kept_sums.items():
        assert standing.surplus(pool)[node] == surplus, (pool, node)
    assert sum(loan.posts for loan in seen.loans) == 5
    assert not any(loan.recalled for loan in seen.loans), "a node's own post comes back to its pool, called back or not"


def test_it_is_told_what_the_rows_say(province):
    retire(province, "A1", "2026-10", 9)  # the month of today is past
    retire(province, "A1", "2027-03", 2)
    retire(province, "A1", "2029-01", 7)  # after any term asked for
    with writing(province.engine) as session:
        session.execute(insert(DivisionTotal.__table__).values(division_code="990102", post_type=FULL[0], posts=30))
        for name, value in (("pool_unit_cap", "6"), ("pool_purpose_caps", '{"HEALTH": 4}'), ("pool_skip_days", "30")):
            set_parameter(session, name, value, "*", date(2020, 1, 1), actor="test", now=province.now)
    first = province.lend("A1", 1)
    province.do(fill_slot, "reviewer", first["slots"][0], "k1", "mask")
    second = province.ask("A1", 1)
    province.ask("A3", 2, purpose="PLACEMENT")
    seen = situation(province)
    by_unit = {request.unit: request for request in seen.requests}
    assert (by_unit["U:A1"].backing_waived, by_unit["U:A3"].backing_waived) == (False, True)
    assert (by_unit["U:A1"].need, by_unit["U:A3"].need) == (Need.ORDINARY, Need.PLACEMENT)
    assert by_unit["U:A1"].number == second["request"]
    assert {(cap.unit, cap.purpose, cap.most) for cap in seen.caps} == {
        (unit, purpose, most) for unit in ("U:A1", "U:A3") for purpose, most in ((None, 6), ("HEALTH", 4))
    }  # fmt: skip
    assert seen.skip_days == 30
    standing, cell = Standing(seen), ("U:A1", HEALTH.post_type, HEALTH.fund_form)
    due = date.fromisoformat(first["due_date"])
    used, coming = standing.backing(cell, due)
    with reading(province.engine) as session:
        ledger_cell = Cell("U:A1", *FULL)
        figures = cell_figures(session, ["U:A1"], province.today)[ledger_cell]
        assert coming - used == backing(session, ledger_cell, figures, province.today, due) == 1
        total, limit = total_after(session, "990102", FULL[0], 0)
    assert (standing.divisions[K2, HEALTH.post_type][0], standing.usage(K2, HEALTH.post_type)) == (limit, total)


def test_accepted_it_makes_ordinary_movements_and_a_second_one_grants_nothing_more(province):
    retire(province, "A1", "2027-03", 2)
    asked = [
        province.ask("A1", 2),
        province.ask("A3", 2),
        province.ask("B1", 3),
        province.ask("T1", 1),
    ]
    for receipt, reviewer in zip(asked, ("reviewer", "reviewer", "reviewer3", "townreviewer"), strict=True):
        province.do(review_request, reviewer, receipt["request"])
    proposal = propose(situation(province))
    assert {grant.request.number for grant in proposal.grants} == {receipt["request"] for receipt in asked}
    for grant in proposal.grants:
        receipt = next(row for row in asked if row["request"] == grant.request.number)
        with pytest.raises(Refused):
            province.do(approve_request, "reviewer", grant.request.number)
        province.do(approve_request, DIRECTOR_OF[receipt["decision_node"]], grant.request.number)
    assert holds(province)
    again = propose(situation(province))
    assert (again.grants, again.rejections) == ((), ())
    assert sum(row.posts for row in again.coming) == proposal.posts == 8


def test_a_request_the_floor_no_longer_bears_is_named_with_its_limit_and_its_remedy(province):
    first, second = province.ask("A1", 3), province.ask("A3", 2)
    assert propose(situation(province)).rejections == ()
    province.do(
        set_limits, "topdirector", PROVINCE, *FULL, lend="unlimited", borrow="unlimited", floor=5, purpose="HEALTH"
    )
    proposal = propose(situation(province))
    [grant], [rejection] = proposal.grants, proposal.rejections
    assert (grant.request.number, rejection.request.number) == (first["request"], second["request"])
    [binding] = rejection.reason.bindings
    assert (binding.rule, binding.node, binding.limit) == (Rule.FLOOR, PROVINCE, 5)
    assert "须留余粮 5 个" in rejection.sentence
