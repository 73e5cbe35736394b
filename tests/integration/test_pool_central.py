"""R12 beyond loans: what moves administrative posts between levels asks for the central number, keeps it, and is no Q09."""

from __future__ import annotations

import pytest

from core.accounts import GrantSpec, create_user
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound, Refused
from pool.models import PoolMovement
from pool.position import position_tables
from pool.service import convert_posts, deposit_posts, grant_posts, transfer_posts, withdraw_posts
from pool.service_loans import withdraw_request
from pool.service_nodes import merge_nodes, reparent_node
from tests.poolkit import CITY, FULL, K2, Province, assert_whole, found_province

ADMIN = ("ADMIN", "FULL")
NUMBER = "中编办〔2026〕7号"


@pytest.fixture
def province(database_url) -> Province:
    made = found_province(engine_for(database_url))
    with writing(made.engine) as session:
        for login, role in (("crossreviewer", "REVIEWER"), ("crossdirector", "DIRECTOR")):
            grants = [GrantSpec(role, "990102", "COUNTY"), GrantSpec(role, "990100", "CITY")]
            create_user(session, login=login, email=f"{login}@example.org", display_name=login, grants=grants,
                        actor="test", now=made.now)  # fmt: skip
    for unit, login in (("A1", "reviewer"), ("C1", "cityreviewer")):
        made.do(grant_posts, login, f"U:{unit}", *ADMIN, 4, "编委1")
    return made


def refused(province: Province, *call, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        province.do(*call, **more)
    assert caught.value.details["answer"] == "NEEDS_CENTRAL_NUMBER"
    return caught.value


def crossings(province: Province) -> list[dict]:
    """What the night reads as crossing levels, of the types of Q09."""
    with reading(province.engine) as session:
        rows = position_tables(session, province.today)["movement"]
    return [row for row in rows if row["from_level"] != row["to_level"] and row["post_type"] == "ADMIN"]


def test_a_transfer_between_levels_says_who_which_levels_and_what_is_missing(province):
    move = ("U:A1", "U:C1", *ADMIN, 1, "编委2")
    error = refused(province, transfer_posts, "crossreviewer", *move)
    for words in ("单位A1（县）", "单位C1（市）", "中央编办批准文号", "填写该文号再办"):
        assert words in error.message
    assert (error.details["rule"], error.details["giver_level"], error.details["taker_level"]) == (
        "R12",
        "COUNTY",
        "CITY",
    )
    refused(province, transfer_posts, "crossreviewer", *move, central_no="  ")
    with pytest.raises(InputRejected):
        province.do(transfer_posts, "crossreviewer", *move, central_no="文" * 201)
    seq = province.do(transfer_posts, "crossreviewer", *move, central_no=f" {NUMBER} ")["movement"]
    with reading(province.engine) as session:
        assert session.get(PoolMovement, seq).central_no == NUMBER
    assert [row["central_no"] for row in crossings(province)] == [NUMBER]
    assert_whole(province)


def test_within_a_level_and_for_other_types_no_number_is_asked_for(province):
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *ADMIN, 1, "编委2")
    province.grant("A1", 1)
    province.do(transfer_posts, "crossreviewer", "U:A1", "U:C1", *FULL, 1, "编委2")
    assert crossings(province) == []


def test_who_holds_one_of_the_two_levels_moves_nothing_between_them(province):
    for login in ("reviewer", "cityreviewer"):
        with pytest.raises((Forbidden, NotFound)):
            province.do(transfer_posts, login, "U:A1", "U:C1", *ADMIN, 1, "编委2", central_no=NUMBER)
        with pytest.raises((Forbidden, NotFound)):
            province.pool(
                CITY, 1, "PLACEMENT", login, partition=ADMIN, source="RECLAIM", giver="U:A1", central_no=NUMBER
            )


@pytest.mark.parametrize("source", ["RECLAIM", "REFORM", "USE_RIGHT_LENT"])
def test_a_deposit_into_an_upper_pool_keeps_the_number(province, source):
    deposit = (CITY, *ADMIN, "PLACEMENT", 1, source, "编委2")
    refused(province, deposit_posts, "crossreviewer", *deposit, giver="U:A1")
    lot = province.do(deposit_posts, "crossreviewer", *deposit, giver="U:A1", central_no=NUMBER)["movement"]
    assert [row["central_no"] for row in crossings(province)] == [NUMBER]
    if source == "USE_RIGHT_LENT":  # coming home again crosses nothing: the quota never left
        province.do(withdraw_posts, "reviewer", lot, 1, "编委3")
    assert len(crossings(province)) == 1


def test_a_deposit_into_the_own_level_or_cut_from_the_total_asks_for_none(province):
    province.pool(K2, 1, "PLACEMENT", partition=ADMIN, source="RECLAIM", giver="U:A1")
    province.pool(CITY, 1, "PLACEMENT", "cityreviewer", partition=ADMIN)
    assert crossings(province) == []


def test_a_merger_carries_posts_to_another_level_under_the_number_alone(province):
    refused(province, merge_nodes, "crossdirector", "U:A1", "U:C1", "编委9")
    province.do(merge_nodes, "crossdirector", "U:A1", "U:C1", "编委9", central_no=NUMBER)
    assert [row["central_no"] for row in crossings(province)] == [NUMBER]
    assert_whole(province)


def test_a_node_hung_under_another_level_keeps_its_own(province):
    """No way round: the unit's level is its register's, so its posts still ask for the number."""
    province.do(reparent_node, "crossdirector", "U:A1", CITY, "编委9")
    refused(province, transfer_posts, "crossreviewer", "U:A1", "U:C1", *ADMIN, 1, "编委2")
    refused(province, deposit_posts, "crossreviewer", CITY, *ADMIN, "PLACEMENT", 1, "RECLAIM", "编委2", giver="U:A1")


def test_a_conversion_moves_nothing_between_levels(province):
    province.do(convert_posts, "director", "U:A1", ADMIN, ("POLITICAL_LEGAL", "FULL"), 1, "编委2")
    error = refused(province, transfer_posts, "crossreviewer", "U:A1", "U:C1", "POLITICAL_LEGAL", "FULL", 1, "编委2")
    assert "政法专项" in error.message


def asks(province: Province, unit: str, posts: int, answer: str, **changes) -> dict[str, object]:
    with pytest.raises(Refused) as caught:
        province.ask(unit, posts, **changes)
    assert caught.value.details["answer"] == answer
    return caught.value.details


def test_a_loan_that_lacks_the_central_number_is_told_whose_posts_need_it_and_how_many_do_not(province):
    province.pool(K2, 1, partition=ADMIN)
    lot = province.pool(CITY, 3, login="cityreviewer", partition=ADMIN)
    asked = {"post_type": "ADMIN"}
    details = asks(province, "A2", 3, "NEEDS_CENTRAL_NUMBER", **asked)
    assert (details["rule"], details["needs"], details["most"]) == ("R12", "central_no", 1)
    assert details["lots"] == [
        {"lot": lot, "owner": CITY, "node": CITY, "level": "CITY", "posts": 2, "document_no": "编委2"}
    ]
    asks(province, "A2", 2, "NEEDS_CENTRAL_NUMBER", **asked)
    number = province.ask("A2", 1, **asked)["request"]
    province.do(withdraw_request, "officer-a2", number)
    province.ask("A2", 3, central_no=NUMBER, **asked)
    assert_whole(province)


def test_a_loan_from_a_lower_level_is_told_whose_posts_need_the_exception_document(province):
    province.grant("A1", 1)
    lot = province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A1")
    details = asks(province, "C1", 1, "UPWARD_NEEDS_DOCUMENT")
    assert (details["rule"], details["needs"], details["most"]) == ("R12", "exception_doc", 0)
    assert details["lots"] == [
        {"lot": lot, "owner": "U:A1", "node": K2, "level": "COUNTY", "posts": 1, "document_no": "编委2"}
    ]
    province.ask("C1", 1, exception_doc="文5")
