"""Ids and names that tempt a join: one digit apart, blank, the word null, four kinds of dots. As the gate keys them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.identity import keyed, normalise_id, normalise_name
from tests.spec.spec import ENGINE, Night, difference, night, on_oracle

ONE, OTHER = "110105194912310021", "110105194912310022"


def judged(whole: Night):
    """Engine of the run and oracle agree; what the engine says."""
    said = ENGINE.get().said(whole)
    assert difference(said, on_oracle(whole)) == []
    return said


def known_by(whole: Night, ids: dict[str, str | None], names: dict[str, str] | None = None) -> Night:
    """The night with short names of people replaced by keys of real ids, as the gate writes them."""
    books = {book: [_known(dict(row), ids, names or {}) for row in rows] for book, rows in whole.books.items()}
    return replace(whole, books=books)


def _known(row: dict, ids: dict[str, str | None], names: dict[str, str]) -> dict:
    if row.get("person_key") in ids:
        number = ids[row["person_key"]]
        row["person_key"] = keyed("k", normalise_id(number)) if number else None
    if row.get("name_key") in names:
        row["name_key"] = keyed("k", normalise_name(names[row["name_key"]]))
    return row


def found(said, *rules: str) -> list[tuple[str, str | None]]:
    return sorted((row["rule"], row["person_key"] or "") for row in said.findings if row["rule"] in rules)


def key(number: str) -> str:
    return keyed("k", normalise_id(number))


def test_two_ids_of_eighteen_digits_one_digit_apart_are_two_people():
    books = {"roster": "person | unit \n a | U1", "payroll": "person | payer \n b | U1"}
    said = judged(known_by(night(books), {"a": ONE, "b": OTHER}))
    assert found(said, "F01", "F02", "F05", "D01") == [("F01", key(OTHER)), ("F02", key(ONE))]
    same = judged(known_by(night(books), {"a": ONE, "b": ONE}))
    assert found(same, "F01", "F02") == []


@pytest.mark.parametrize("word", ["null", "NULL", "None", "NA", "nan", "0"])
def test_an_id_that_is_a_word_is_a_key_of_its_own_and_no_blank(word):
    books = {"roster": "person | unit \n a | U1 \n n | U1", "payroll": "person | payer \n b | U1 \n a | U1"}
    said = judged(known_by(night(books), {"a": word, "b": word, "n": None}))
    assert found(said, "F01", "F02", "F05") == []
    assert key(word) not in (None, "")


def test_blank_ids_meet_nobody_and_not_one_another():
    books = {
        "roster": "person | unit \n null | U1 \n null | U1 \n null | U2",
        "payroll": "person | payer \n null | U1 \n null | U2 \n null | U2",
    }
    said = judged(night(books))
    assert found(said, "F01", "F02", "F03", "F05", "F07", "F08", "D01", "D03") == []
    assert len(found(said, "D02")) == 4
    assert {row["unit_code"]: (row["expected"], row["found"]) for row in said.findings if row["rule"] == "F09"} == {
        "U1": ("2", "1"), "U2": ("1", "2"),
    }  # fmt: skip


def test_a_name_with_any_of_the_four_dots_is_one_name_and_without_a_dot_another():
    dots = dict(zip(("n1", "n2", "n3", "n4"), (f"阿依{dot}古丽" for dot in "·•・‧"), strict=True)) | {"n5": "阿依古丽"}
    for other in ("n1", "n2", "n3", "n4", "n5"):
        books = {"roster": "person | name_key \n a | n1", "payroll": f"person | name_key | payer \n a | {other} | U1"}
        said = judged(known_by(night(books), {"a": ONE}, dots))
        assert found(said, "D03") == ([("D03", key(ONE))] if other == "n5" else [])


def test_every_row_of_one_key_meets_every_other_and_is_one_person():
    units = [f"U{n:02d}" for n in range(30)]
    books = {
        "roster": "person | unit \n" + "\n".join(f"a | {unit}" for unit in units),
        "payroll": "person | payer \n" + "\n".join(f"a | {unit}" for unit in units),
    }
    said = judged(known_by(night(books), {"a": ONE}))
    assert found(said, "F01", "F02", "F03", "F05", "F08", "F09", "D01") == [("D01", key(ONE)), ("F05", key(ONE))]
    assert {row["found"] for row in said.findings if row["rule"] in ("D01", "F05")} == {"30"}
    assert sum(row["in_post"] for row in said.cells if row["post_type"]) == 30
