"""The column definitions: one home, no ambiguity, and the page written from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.books import BOOKS, Kind, book_of, fold, header_aliases, snapshot_schema
from expectations.manual import manual

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("book", BOOKS.values(), ids=lambda book: book.name)
def test_identifiers_and_labels_map_to_their_own_column(book):
    aliases = header_aliases(book)
    for column in book.columns:
        assert aliases[fold(column.name)] == column.name
        assert aliases[fold(column.label)] == column.name


@pytest.mark.parametrize("book", BOOKS.values(), ids=lambda book: book.name)
def test_no_header_stands_for_two_columns(book):
    seen: dict[str, str] = {}
    for column in book.columns:
        for spelling in (column.name, column.label, *column.aliases):
            assert seen.setdefault(fold(spelling), column.name) == column.name, (book.name, spelling)


@pytest.mark.parametrize(
    ("book", "column"), [(b, c) for b in BOOKS.values() for c in b.columns if c.words], ids=lambda part: part.name
)
def test_no_word_means_two_things(book, column):
    from expectations.books import WORDS

    seen: dict[str, str] = {}
    for identifier, spellings in WORDS[column.words].items():
        for spelling in (identifier, *spellings):
            assert seen.setdefault(fold(spelling), identifier) == identifier, (column.name, spelling)


def test_codes_of_the_payroll_are_read_as_the_domain_says():
    vocabulary = BOOKS["payroll"].column("fund_mode").vocabulary()
    assert (vocabulary["1"], vocabulary["2"], vocabulary["3"]) == ("FULL", "PART", "SELF")
    states = BOOKS["payroll"].column("person_state").vocabulary()
    assert [states[code] for code in "32159"] == ["IN_SERVICE", "RETIRED", "RETIRED_CADRE", "TEMPORARY", "OTHER"]
    yes = BOOKS["payroll"].column("on_establishment").vocabulary()
    assert (yes["1"], yes["是"], yes["2"], yes["否"]) == ("YES", "YES", "NO", "NO")


def test_no_raw_identity_or_account_stands_in_a_snapshot():
    for name, book in BOOKS.items():
        schema = snapshot_schema(name)
        for column in book.columns:
            if column.kind in (Kind.ID, Kind.NAME, Kind.SECRET):
                assert column.name not in schema


@pytest.mark.parametrize(
    ("stem", "book"),
    [("roster", "roster"), ("roster-2", "roster"), ("ROSTER-东湖", "roster"), ("实名制-1", "roster"), ("notes", None)],
)
def test_a_file_name_says_its_book(stem, book):
    assert book_of(stem) == book


def test_the_page_on_delivering_is_what_the_program_reads():
    assert (ROOT / "docs" / "inbox.md").read_text(encoding="utf-8") == manual()
