"""The gate with the real Great Expectations: verdicts, quarantine, duplicates, and what the Data Docs show."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InvariantViolated
from core.identity import check_digit
from core.types import BookVerdict
from expectations.books import BOOKS, CUTOFFS_SCHEMA, QUARANTINE_SCHEMA, TOTALS_SCHEMA, snapshot_schema
from expectations.docs import build_docs
from expectations.gate import ReasonCode
from expectations.identity_blocks import SCHEMA as SEALED
from expectations.normalise import arrow_schema
from expectations.rivals import RETIRING_SCHEMA
from expectations.snapshot_files import parts_of, snapshot_path
from tests.gatekit import ROWS, Night, establishment, only, payroll, resident, roster, unit, without


@pytest.fixture
def night(tmp_path) -> Night:
    return Night(tmp_path)


BAD_ROWS = [
    ("roster", {"person_name": ""}, "person_name", ReasonCode.BLANK_REQUIRED),
    ("roster", {"unit_code": " "}, "unit_code", ReasonCode.BLANK_REQUIRED),
    ("roster", {"post_type": "-"}, "post_type", ReasonCode.BLANK_REQUIRED),
    ("roster", {"post_type": "公益"}, "post_type", ReasonCode.BAD_WORD),
    ("roster", {"exit_date": "2026-02-30"}, "exit_date", ReasonCode.BAD_DATE),
    ("roster", {"person_id": "3.70104E+17"}, "person_id", ReasonCode.ID_PRECISION_LOST),
    ("roster", {"person_id": "370104199001011234.0"}, "person_id", ReasonCode.ID_PRECISION_LOST),
    ("roster", {"person_id": "370104199001011000"}, "person_id", ReasonCode.ID_PRECISION_LOST),
    ("roster", {"unit_code": "7"}, "unit_code", ReasonCode.CODE_PRECISION_LOST),
    ("roster", {"person_id": "#N/A"}, "person_id", ReasonCode.ID_PRECISION_LOST),
    ("roster", {"person_name": "#REF!"}, "person_name", ReasonCode.SHEET_ERROR),
    ("roster", {"unit_code": "＃Ｎ／Ａ"}, "unit_code", ReasonCode.SHEET_ERROR),
    ("payroll", {"on_behalf_of": "#value!"}, "on_behalf_of", ReasonCode.SHEET_ERROR),
    ("roster", {"unit_code": resident(9)}, "unit_code", ReasonCode.ID_IN_OTHER_COLUMN),
    ("payroll", {"paying_unit_code": f"张三 {resident(9)}"}, "paying_unit_code", ReasonCode.ID_IN_OTHER_COLUMN),
    ("units", {"unit_code": "100", "unit_name": f"{resident(9)}办公室"}, "unit_name", ReasonCode.ID_IN_OTHER_COLUMN),
    ("establishment", {"doc_no": resident(9)}, "doc_no", ReasonCode.ID_IN_OTHER_COLUMN),
    ("payroll", {"on_behalf_of": "王伟"}, "on_behalf_of", ReasonCode.NOT_A_CODE),
    ("payroll", {"paying_unit_code": "7"}, "paying_unit_code", ReasonCode.CODE_PRECISION_LOST),
    ("payroll", {"on_behalf_of": "07"}, "on_behalf_of", ReasonCode.CODE_PRECISION_LOST),
    ("payroll", {"month": "十月份"}, "month", ReasonCode.BAD_MONTH),
    ("payroll", {"amount": "五千"}, "amount", ReasonCode.BAD_NUMBER),
    ("establishment", {"quota": "-3", "doc_no": "x"}, "quota", ReasonCode.BAD_NUMBER),
    ("establishment", {"leaders_chief": "1.5", "doc_no": "x"}, "leaders_chief", ReasonCode.BAD_NUMBER),
]


@pytest.mark.parametrize(("book", "change", "column", "code"), BAD_ROWS)
def test_a_bad_row_is_quarantined_and_passes_once_its_expectation_is_gone(night, book, change, column, code):
    make = ROWS[book]
    numbered = book in ("roster", "payroll")
    night.deliver("370104", f"{book}.csv", [make(), make(2, **change) if numbered else make(**change)])
    verdict = only(night.gate(book))
    assert (verdict.verdict, verdict.accepted, verdict.quarantined) == (BookVerdict.ACCEPTED_WITH_QUARANTINE, 1, 1)
    assert night.reasons(book) == [(3, column, code.value)]
    assert (verdict.reasons[0].code, verdict.reasons[0].row) == (code, 3)
    assert f"{book}.csv 第 3 行" in verdict.reasons[0].message
    verdict = only(night.gate(book, without(book, code)))
    assert (verdict.verdict, verdict.accepted) == (BookVerdict.ACCEPTED, 2)


CONFLICTS = [
    ("roster", [roster(1), roster(1, rank="x")], ReasonCode.CONFLICTING_ROWS),
    ("establishment", [establishment(), establishment(quota="11")], ReasonCode.DOC_TWICE),
    (
        "units",
        [unit(valid_from="2000-01-01", valid_to="2010-06-30"), unit(valid_from="2010-06-30")],
        ReasonCode.OVERLAPPING_VERSIONS,
    ),
    ("units", [unit(), unit(division_code="370105", valid_to="")], ReasonCode.UNIT_IN_TWO_DIVISIONS),
]


@pytest.mark.parametrize(("book", "rows", "code"), CONFLICTS)
def test_rows_that_contradict_each_other_are_all_quarantined_and_pass_without_the_suite(night, book, rows, code):
    other = {"roster": roster(9), "establishment": establishment(doc_no="z"), "units": unit("100")}[book]
    rows = [row | {"rank": row.get("rank", "")} if book == "roster" else row for row in [other, *rows, rows[0]]]
    night.deliver("370104", f"{book}.csv", rows)
    verdict = only(night.gate(book))
    assert (verdict.accepted, verdict.duplicates, verdict.quarantined) == (1, 0, 3), "copies go with their originals"
    assert {(row, reason) for row, _, reason in night.reasons(book)} == {(3, code), (4, code), (5, code)}
    from expectations.suites import book_suites

    verdict = only(night.gate(book, replace(book_suites(book), rows=[])))
    assert (verdict.accepted, verdict.duplicates, verdict.quarantined) == (3, 1, 0)


def test_versions_that_follow_each_other_are_accepted(night):
    night.deliver("370104", "units.csv", [unit(valid_to="2010-06-29"), unit(valid_from="2010-06-30")])
    assert only(night.gate("units")).accepted == 2


def test_people_who_left_or_have_another_cell_or_no_id_do_not_conflict(night):
    rows = [
        roster(1), roster(1, exit_date="2020-01-01"), roster(1, status="出编", exit_date="2020-01-01"),
        roster(1, unit_code="100"), roster(1, post_type="事业"), roster(2, person_id=""), roster(3, person_id=""),
    ]  # fmt: skip
    night.deliver("370104", "roster.csv", rows)
    assert only(night.gate("roster")).accepted == 7


def test_one_unit_in_two_folders_is_quarantined_in_both_but_an_equal_row_is_a_duplicate(night):
    night.deliver("370104", "units.csv", [unit(), unit("100"), unit("300")])
    night.deliver("370105", "units.csv", [unit(unit_name="另一个"), unit("100"), unit("400")])
    first, second = night.gate("units").verdicts
    assert (first.accepted, first.duplicates, first.quarantined) == (2, 0, 1)
    assert (second.accepted, second.duplicates, second.quarantined) == (1, 1, 1)
    assert {row["unit_code"] for row in night.read("units", ".quarantine")} == {"007"}


def test_a_document_counts_once_with_the_same_quota_and_adds_up_with_another_number(night):
    rows = [establishment(), establishment(doc_date="", leaders_chief=""), establishment(doc_no="编[2021]2号"),
            establishment(copy="证", quota="9")]  # fmt: skip
    night.deliver("370104", "establishment.csv", rows)
    verdict = only(night.gate("establishment"))
    assert (verdict.accepted, verdict.duplicates) == (3, 1)
    assert [row["row"] for row in night.read("establishment")] == [2, 4, 5]


def test_equal_rows_are_dropped_the_later_one_over_files_and_divisions(night):
    night.deliver("370105", "roster-b.csv", [roster(1), roster(3)])
    night.deliver("370104", "roster-b.csv", [roster(2, person_name="张 2"), roster(4)])
    night.deliver("370104", "roster-a.csv", [roster(1), roster(2), roster(2, person_id=f"'{resident(2)}")])
    first, second = night.gate("roster").verdicts
    assert (first.accepted, first.duplicates) == (3, 2)
    assert (second.accepted, second.duplicates) == (1, 1)
    assert [(row["file"], row["row"]) for row in night.read("roster")] == [
        ("roster-a.csv", 2), ("roster-a.csv", 3), ("roster-b.csv", 3), ("roster-b.csv", 3),
    ]  # fmt: skip


def test_payments_to_two_accounts_are_not_duplicates_and_no_account_is_kept(night):
    rows = [payroll(account="622201"), payroll(account="622202"), payroll(account="6222 01")]
    night.deliver("370104", "payroll.csv", rows)
    verdict = only(night.gate("payroll"))
    assert (verdict.accepted, verdict.duplicates) == (2, 1)
    assert "account" not in night.read("payroll")[0]


def test_the_same_bytes_count_once_in_a_division_and_are_recorded(night):
    night.deliver("370104", "roster-1.csv", [roster(1), roster(2)])
    night.deliver("370104", "roster-2.csv", [roster(1), roster(2)])
    result = night.gate("roster")
    assert (only(result).rows_in, only(result).accepted) == (2, 2)
    assert [(file.rows, file.ignored_as_duplicate) for file in result.files] == [(2, False), (0, True)]


@pytest.mark.parametrize("size", [201, 432])
def test_every_failing_row_is_listed_beyond_what_great_expectations_shows(night, size):
    rows = [roster(n, status="不在") for n in range(size)] + [
        roster(n, entry_date="昨天") for n in range(size, 2 * size)
    ]
    night.deliver("370104", "roster.csv", [*rows, roster(999)])
    verdict = only(night.gate("roster"))
    assert (verdict.accepted, verdict.quarantined) == (1, 2 * size)
    reasons = night.reasons("roster")
    assert [row for row, _, _ in reasons] == list(range(2, 2 * size + 2))
    assert sum(reason == "BAD_WORD" for _, _, reason in reasons) == size
    assert [found.count for found in verdict.reasons] == [size, size]


def test_a_book_of_failing_rows_only_is_rejected_and_lists_them_all(night):
    night.deliver("370104", "roster.csv", [roster(n, status="不在") for n in range(432)])
    verdict = only(night.gate("roster"))
    assert (verdict.verdict, verdict.quarantined, verdict.reasons[0].code) == (
        BookVerdict.REJECTED,
        432,
        "ALL_QUARANTINED",
    )
    assert len(night.read("roster", ".quarantine")) == 432
    assert night.read("roster") == []


def test_one_blank_id_in_a_thousand_rows_joins_nothing(night):
    rows = [roster(n, unit_code=["007", "100", "200"][n % 3]) for n in range(999)] + [
        roster(1000, person_id="", person_name="NA")
    ]
    night.deliver("370104", "roster.csv", rows)
    assert only(night.gate("roster")).accepted == 1000
    kept = night.read("roster")
    assert len({row["person_key"] for row in kept[:-1]}) == 999
    assert (kept[-1]["person_key"], kept[-1]["id_problem"], kept[-1]["name_mask"]) == (None, "BLANK", "N*")
    assert {row["unit_code"] for row in kept} == {"007", "100", "200"}


def test_ids_that_differ_in_the_last_digit_stay_two_people(night):
    wrong = resident(1)[:17] + ("0" if resident(1)[17] != "0" else "1")
    night.deliver("370104", "roster.csv", [roster(1), roster(1, person_id=wrong)])
    assert only(night.gate("roster")).accepted == 2
    assert [row["id_problem"] for row in night.read("roster")] == [None, "CHECK_DIGIT"]


def test_a_quarantined_row_names_the_unit_it_would_have_spoken_of(night):
    rows = [payroll(1), payroll(2, paying_unit_code="100", on_behalf_of="7"), payroll(3, amount="?", on_behalf_of="200"),
            payroll(4, paying_unit_code="", on_behalf_of="")]  # fmt: skip
    night.deliver("370104", "payroll.csv", rows)
    night.gate("payroll")
    assert [row["unit_code"] for row in night.read("payroll", ".quarantine")] == ["007", "200", None]


REJECTED = [
    ("roster", "roster.csv", b"", ReasonCode.UNREADABLE),
    ("roster", "roster.xlsx", b"PK\x03\x04 cut short", ReasonCode.UNREADABLE),
    ("roster", "roster.csv", "身份证号,姓名,机构编码,编制类型,经费形式\n1,a,007,行政,全额\n".encode(), ReasonCode.COLUMN_MISSING),
    ("roster", "roster.csv", (",".join(roster()) + "\n").encode(), ReasonCode.EMPTY_BOOK),
]  # fmt: skip


@pytest.mark.parametrize(("book", "name", "content", "code"), REJECTED)
def test_a_book_that_cannot_be_used_is_rejected_and_the_other_divisions_go_on(night, book, name, content, code):
    night.deliver("370104", "roster-good.csv", [roster(5)]) if code is not ReasonCode.EMPTY_BOOK else None
    night.deliver("370104", name, content)
    night.deliver("370105", "roster.csv", [roster(1)])
    bad, good = night.gate(book).verdicts
    assert (bad.verdict, bad.accepted, bad.reasons[0].code) == (BookVerdict.REJECTED, 0, code)
    assert good.verdict is BookVerdict.ACCEPTED
    assert len(night.read("roster")) == 1


def test_the_verdict_on_a_file_falls_with_its_expectation(night):
    night.deliver("370104", "roster.csv", [roster(1)], control_rows=2)
    assert only(night.gate("roster")).verdict is BookVerdict.REJECTED
    assert only(night.gate("roster", without("roster", ReasonCode.CONTROL_ROWS))).verdict is BookVerdict.ACCEPTED


@pytest.mark.parametrize(
    ("control", "missing", "code"),
    [
        ({"control_rows": 3}, [], ReasonCode.CONTROL_ROWS),
        ({"control_sha256": "0" * 64}, [], ReasonCode.CONTROL_SHA256),
        ({"control_rows": 2}, ["roster-2.csv"], ReasonCode.CONTROL_FILE_MISSING),
    ],
)
def test_a_control_that_disagrees_rejects_the_book(night, control, missing, code):
    night.deliver("370104", "roster.csv", [roster(1), roster(2)], **control)
    verdict = only(night.gate("roster", control_missing={"370104": missing} if missing else {}))
    assert (verdict.verdict, verdict.reasons[0].code, verdict.rows_in) == (BookVerdict.REJECTED, code, 2)


def test_a_control_that_agrees_counts_records_only(night):
    lines = [",".join(roster()), *(",".join(roster(n).values()) for n in (1, 2)), "合计,,,,,,,"]
    night.deliver("370104", "roster.csv", "\n".join(lines).encode(), control_rows=2)
    assert only(night.gate("roster")).verdict is BookVerdict.ACCEPTED


def test_a_listed_file_of_a_division_that_delivered_nothing_is_missing(night):
    verdict = only(night.gate("roster", control_missing={"370104": ["roster.csv"]}))
    assert (verdict.verdict, verdict.rows_in) == (BookVerdict.MISSING, 0)
    assert verdict.reasons[0].code is ReasonCode.CONTROL_FILE_MISSING


def test_a_payroll_without_a_usable_row_of_the_month_is_rejected(night):
    night.deliver("370104", "payroll.csv", [payroll(1, month="202609"), payroll(2, amount="x")])
    night.deliver("370105", "payroll.csv", [payroll(1, month="202609"), payroll(3)])
    old, current = night.gate("payroll").verdicts
    assert (old.verdict, old.reasons[0].code) == (BookVerdict.REJECTED, ReasonCode.NO_ROW_OF_MONTH)
    assert (current.accepted, current.duplicates) == (2, 0), "a duplicate of a rejected row is no duplicate"


def test_totals_and_cutoffs_are_written_beside_the_rows(night):
    head = ",".join(establishment())
    rows = [",".join(establishment(doc_no=f"编{n}").values()) for n in (1, 2)]
    text = "\n".join(["编制台账（截至2026年9月30日）,,,,,,,", head, *rows, "合计,,,21,,,,"])
    night.deliver("370104", "establishment.csv", text.encode())
    night.gate("establishment")
    total = night.read("establishment", ".totals")
    assert [(row["kind"], row["column"], row["stated"], row["computed"]) for row in total] == [
        ("合计", "quota", "21", "20")
    ]
    assert [row["cutoff"] for row in night.read("establishment", ".cutoffs")] == [date(2026, 9, 30)]


@pytest.mark.parametrize("book", BOOKS)
def test_every_book_has_its_files_even_when_nothing_came(night, book):
    assert night.gate(book).verdicts == []
    schemas = [arrow_schema(each) for each in (snapshot_schema(book), QUARANTINE_SCHEMA, TOTALS_SCHEMA, CUTOFFS_SCHEMA)]
    schemas += [SEALED, *([arrow_schema(RETIRING_SCHEMA)] if book == "roster" else [])]
    for part, schema in zip(parts_of(book), schemas, strict=True):
        assert pq.read_schema(snapshot_path(night.out, book, part)).equals(schema), part


def test_gating_again_gives_the_same_bytes(night):
    night.deliver("370104", "roster.csv", [roster(n, status="在职" if n % 3 else "?") for n in range(30)])
    first = night.gate("roster")
    before = {path.name: path.read_bytes() for path in [*night.out.iterdir(), *night.docs.iterdir()]}
    assert night.gate("roster") == first
    assert before == {path.name: path.read_bytes() for path in [*night.out.iterdir(), *night.docs.iterdir()]}


def test_a_check_that_cannot_run_is_not_a_check_that_passed(night):
    from expectations.checks import ExpectIdsToBeUndamaged
    from expectations.suites import book_suites

    night.deliver("370104", "roster.csv", [roster(1)])
    broken = replace(book_suites("roster"), columns=[ExpectIdsToBeUndamaged(column="no such column")])
    with pytest.raises(InvariantViolated):
        night.gate("roster", broken)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["370104", "370105"]), st.integers(0, 4), st.sampled_from(["在职", "退休", "?"]),
                  st.sampled_from(["007", "7", "100", ""])),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_every_row_is_accepted_dropped_or_quarantined(tmp_path_factory, drawn):
    night = Night(tmp_path_factory.mktemp("night"))
    for division in sorted({division for division, *_ in drawn}):
        rows = [roster(n, status=status, unit_code=code) for where, n, status, code in drawn if where == division]
        night.deliver(division, "roster.csv", rows)
    result = night.gate("roster")
    verdicts = {verdict.division_code: verdict for verdict in result.verdicts}
    kept, held = night.read("roster"), night.read("roster", ".quarantine")
    for division, verdict in verdicts.items():
        assert verdict.rows_in == sum(where == division for where, *_ in drawn)
        assert verdict.accepted == sum(row["delivered_by"] == division for row in kept)
        assert verdict.quarantined == sum(row["division_code"] == division for row in held)
    seen = [tuple(value for name, value in row.items() if name not in ("delivered_by", "file", "row")) for row in kept]
    assert len(seen) == len(set(seen)), "no two accepted rows are equal"


def test_data_docs_open_offline_and_show_no_person(night, tmp_path):
    planted = {"person_name": "欧阳文忠", "person_id": resident(77)}
    rows = [roster(1), roster(2, status="欧阳文忠", **planted), roster(3, entry_date=resident(77)), roster(4, person_id="3.7E+17"),
            roster(5, unit_code="欧阳文忠", post_type=""), roster(77, **planted), roster(77, **planted)]  # fmt: skip
    night.deliver("370104", "roster.csv", rows)
    night.deliver("370105", "roster.xlsx", b"not a workbook")
    result = night.gate("roster")
    index = build_docs(night.docs, tmp_path / "site", "2026-10-31")
    pages = {path.name: path.read_text(encoding="utf-8") for path in index.parent.iterdir()}
    assert len(pages) == 6
    everything = "\n".join(
        [*pages.values(), *(path.read_text(encoding="utf-8") for path in night.docs.iterdir()), repr(result)]
    )
    everything += repr(night.read("roster", ".quarantine"))
    assert "http://" not in everything
    assert "https://" not in everything
    assert not re.search(r"<(link|img|iframe)|<script[^>]+src", everything)
    for secret in ("欧阳文忠", "欧阳文", resident(77), resident(77)[6:14]):
        assert secret not in everything
    assert "都是报送说明所列的词" in everything
    assert "实名制 · 逐列检查 · 370104 · roster.csv" in pages["index.html"]


def test_figures_published_by_real_units_are_accepted(night):
    head = "unit_code,measure,post_type,fund_form,scope,count,part_of,source\n"
    source = "某县统计局 2018 部门预算公开"
    night.deliver("533422", "headcount.csv", (head + "".join(
        f"DQ-TJ,{measure},{kind},FULL,ON_ESTABLISHMENT,{count},,{source}\n"
        for measure, kind, count in (("QUOTA", "ADMIN", 7), ("IN_POST", "ADMIN", 7), ("QUOTA", "INSTITUTION", 8)))).encode())  # fmt: skip
    night.deliver(
        "430981",
        "headcount.csv",
        (head + "XW,PAID,,,YEAR_END_ALL,128,,a\nXW-在职,PAID,,,YEAR_END_ALL,66,XW,a\n").encode(),
    )
    verdicts = night.gate("headcount", unit_codes=frozenset({"DQ-TJ", "XW", "XW-在职"})).verdicts
    assert [(verdict.verdict, verdict.accepted) for verdict in verdicts] == [
        (BookVerdict.ACCEPTED, 2),
        (BookVerdict.ACCEPTED, 3),
    ]


def test_who_reaches_the_statutory_age_is_counted_per_cell_and_month_and_nobody_else(night):
    def born(day: str, number: int) -> dict[str, str]:
        first = f"370104{day}{number:03d}"
        return {"person_id": first + check_digit(first)}

    man, woman = 101, 102
    people = [
        roster(1, **born("19661012", man)),  # 60 in 2026-10, the 22nd month of the rise: half a year later
        roster(2, **born("19661030", man + 2)),
        roster(3, **born("19760315", woman), post_type="工勤"),  # a worker: 50 in 2026-03, and eight months
        roster(4, **born("19661012", man + 4), exit_date="2027-01-01"),  # leaves on a day of its own
        roster(5, **born("19661012", man + 6), status="出编", exit_date="2020-01-01"),
        roster(6, **born("19550101", man)),  # long past it
        roster(7, **born("19900101", man)),  # too far ahead
        roster(8, person_id="E12345678", id_type="护照"),
        roster(9, **born("19661012", man + 8), status="?"),  # held back
        roster(10, **born("19661012", man + 10), entry_date="2026-12-01"),  # not in post yet
    ]
    night.deliver("370104", "roster.csv", [{"id_type": "身份证"} | person for person in people])
    night.gate("roster")
    counted = [tuple(row.values()) for row in night.read("roster", ".retiring")]
    assert counted == [("007", "ADMIN", "FULL", "2027-04", 2), ("007", "SUPPORT", "FULL", "2026-11", 1)]
