"""The proof reads whole columns: what its fast ways cannot carry is read exactly, and what was tampered with is named."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.db import engine_for, reading, writing
from core.units import UnitVersion
from pool.proof import prove_pool
from pool.proof_beside import STRETCH
from pool.service import grant_posts
from pool.service_opening import plant_tree
from tests.poolkit import FULL, K2, SEEN, Province, found_province

CHAIN, BALANCES, SUMS = "the hash chain is whole", "balance = Σ entries", "entries of a movement sum to 0"
ODD = 'x\x1f"y",\\Ω'


@pytest.fixture
def province(database_url) -> Province:
    made = found_province(engine_for(database_url))
    made.pool(K2, 5)
    made.lend("A1", 2)
    made.do(grant_posts, "reviewer", "U:A2", *FULL, 3, "编委“1”")
    return made


def broken(province: Province) -> dict[str, tuple[str, ...]]:
    with reading(province.engine) as session:
        return {proof.name: proof.broken for proof in prove_pool(session) if not proof.holds}


def tamper(province: Province, table: str, *statements: str) -> None:
    """Past the triggers, as somebody with the database in hand could."""
    with writing(province.engine) as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text(f"DROP TRIGGER {table}_no_update"))
            session.execute(text(f"DROP TRIGGER {table}_no_delete"))
        else:
            session.execute(text(f"DROP TRIGGER {table}_no_change ON {table}"))
        for statement in statements:
            session.execute(text(statement.replace(":", r"\:")))


def odd_unit(province: Province) -> None:
    """A unit whose code holds quotation marks, a backslash and what parts columns, with a movement of its own."""
    with writing(province.engine) as session:
        session.add(UnitVersion(
            unit_code=ODD, unit_name="单位", division_code="990102", level="COUNTY", unit_kind="INSTITUTION",
            delivers="PERSONS", delivered_by="990102", seen_on=SEEN,
        ))  # fmt: skip
    province.scopes.clear()
    province.do(plant_tree, "topdirector")
    province.do(grant_posts, "reviewer", f"U:{ODD}", *FULL, 4, '编委"2"\\')


def test_words_that_json_escapes_and_columns_part_at_are_proved_like_others(province):
    odd_unit(province)
    assert broken(province) == {}


def test_and_what_is_tampered_with_beside_them_is_found(province):
    odd_unit(province)
    tamper(province, "pool_movement", "UPDATE pool_movement SET actor = 'nobody' WHERE seq = 5")
    assert broken(province) == {CHAIN: ("seq=5",)}


def test_text_moved_from_one_column_into_another_is_no_chain(province):
    moved = "UPDATE pool_movement SET actor = actor || '\", \"' || post_type, post_type = '' WHERE seq = 4"
    tamper(province, "pool_movement", moved)
    assert CHAIN in broken(province)


def test_an_entry_spelled_into_its_neighbour_is_found_by_sums_and_chain(province):
    tamper(
        province, "pool_entry",
        "UPDATE pool_entry SET posts = 3, holder = 'AUTHORITY\", \"INSTITUTION\", \"FULL\", \"\", 0, -3], [\"home\", \"U:A2'"
        " WHERE movement_seq = 4 AND line = 1",
        "DELETE FROM pool_entry WHERE movement_seq = 4 AND line = 2",
    )  # fmt: skip
    assert {CHAIN, SUMS, BALANCES} <= set(broken(province))


def test_an_entry_on_another_day_than_its_movement_is_found(province):
    tamper(province, "pool_entry", "UPDATE pool_entry SET effective_date = '2026-10-19' WHERE movement_seq = 4")
    assert broken(province) == {SUMS: ("movement_seq=4",)}


def test_posts_changed_in_an_entry_are_found(province):
    tamper(province, "pool_entry", "UPDATE pool_entry SET posts = posts * 2 WHERE movement_seq = 4")
    assert set(broken(province)) == {BALANCES, CHAIN}


def test_a_movement_taken_out_breaks_the_chain_at_its_number(province):
    tamper(province, "pool_entry", "DELETE FROM pool_entry WHERE movement_seq = 4")
    tamper(province, "pool_movement", "UPDATE pool_movement SET seq = 9 WHERE seq = 4")
    assert broken(province)[CHAIN] == ("seq=4",)


def test_numbers_far_apart_are_read_row_by_row(province):
    tamper(province, "pool_entry", "DELETE FROM pool_entry WHERE movement_seq = 4")
    tamper(province, "pool_movement", f"UPDATE pool_movement SET seq = {STRETCH * 2} WHERE seq = 4")
    assert broken(province)[CHAIN] == ("seq=4",)


def test_two_processes_and_short_stretches_prove_the_same(province):
    odd_unit(province)
    with reading(province.engine) as session:
        whole, shared = prove_pool(session), prove_pool(session, alone=0, length=2)
    assert shared == whole
    assert all(proof.holds for proof in shared)


@pytest.mark.parametrize(
    "change", ["actor = 'nobody' WHERE seq = 3", "previous_hash = hash WHERE seq = 3", "hash = 'x' WHERE seq = 3"]
)
def test_and_find_the_same_place(province, change):
    tamper(province, "pool_movement", f"UPDATE pool_movement SET {change}")
    with reading(province.engine) as session:
        for length in (1, 2, 4, 100):
            broken = {
                proof.name: proof.broken for proof in prove_pool(session, alone=0, length=length) if not proof.holds
            }
            assert broken == {CHAIN: ("seq=3",)}


def test_what_a_transaction_has_not_committed_is_proved_in_it(province):
    with writing(province.engine) as session:
        session.execute(text("DELETE FROM pool_balance"))
        assert {proof.name for proof in prove_pool(session, alone=0) if not proof.holds} == {BALANCES}
        session.rollback()
    assert broken(province) == {}


@pytest.mark.parametrize("word", ["None", "", "a\nb", "a\rb", "\x1e", "文'號\\"])
def test_a_word_of_any_kind_in_a_movement_is_read_as_it_is(province, word):
    """The chain spells what is missing like the word None: the document is then what is asked for."""
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 1, f"编委{word}9")
    assert broken(province) == {}


TRAIL = "one audit event per change"


def test_a_movement_without_its_event_is_named(province):
    assert province.do(grant_posts, "reviewer", "U:A2", *FULL, 1, "编委9")["movement"] == 5
    tamper(province, "audit_event", "DELETE FROM audit_event WHERE subject = 'pool movement 5'")
    assert broken(province) == {TRAIL: ("seq=5 events=0",)}


@pytest.mark.parametrize(("number", "word"), [(77, "77"), ("x", "-1"), (4, "4")])
def test_an_event_about_no_movement_or_about_one_told_already_is_named(province, number, word):
    event = f"""INSERT INTO audit_event SELECT seq + 1000, at, actor, action, 'pool movement {number}', details,
        previous_hash, 'x' FROM audit_event WHERE subject = 'pool movement 4'"""
    tamper(province, "audit_event", event)
    assert broken(province) == {TRAIL: (f"pool movement {word} is none, or told twice",)}


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM audit_event WHERE action = 'pool_request_review'",
        "UPDATE audit_event SET subject = 'pool node CITY:1' WHERE action = 'pool_request_review'",
    ],
)
def test_a_step_without_its_event_and_an_event_about_no_change_of_the_tree_are_named(province, change):
    tamper(province, "audit_event", change)
    assert set(broken(province)) == {TRAIL}
