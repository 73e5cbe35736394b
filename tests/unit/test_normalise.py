"""Delivered texts become typed columns, and the masked frame the suites judge."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import check_digit, id_problem, keyed, mask_id, mask_name, normalise_id, normalise_name
from expectations.books import BOOKS
from expectations.crossing import content_ids, group_ids
from expectations.identities import Damage, harmless, identities, keys, names
from expectations.normalise import LOST, Normal, normalise, undamaged_code
from expectations.readers import TextTable
from expectations.verdicts import GateSetting

KEY = "test-person-key-" * 3
GOOD = "370104199001011234"[:17] + check_digit("37010419900101123")


def text_table(rows: list[dict], numeric: dict | None = None) -> TextTable:
    frame = pd.DataFrame(rows, dtype="str").fillna("")
    frame["row"] = range(2, len(rows) + 2)
    sheet = np.array([""] * len(rows), dtype=object)
    return TextTable(frame, numeric or {}, [], [], [], [], [], sheet=sheet)


def normalised(book: str, rows: list[dict], units: tuple[str, ...] = (), numeric: dict | None = None) -> Normal:
    setting = GateSetting(date(2026, 10, 31), KEY, unit_codes=frozenset(units))
    return normalise(BOOKS[book], "370104", f"{book}.csv", text_table(rows, numeric), setting)


def column(normal: Normal, name: str) -> list:
    return normal.table[name].to_pylist()


def judged(texts: list[str], resident: bool = True, numeric: bool = False):
    size = len(texts)
    return identities(
        pa.array(texts, pa.string()), np.arange(size), np.full(size, numeric), np.full(size, resident), KEY
    )


pieces = st.one_of(
    st.text(alphabet="0123456789Xx ' ０１\u3000ABE+.-", max_size=20),
    st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{5}(19|20)[0-9]{2}(0[0-9]|1[0-3])[0-3][0-9][0-9]{3}[0-9X]", fullmatch=True),
    st.from_regex(r"(000)?[0-9]{15}", fullmatch=True),
)


@given(st.lists(pieces, min_size=1, max_size=20), st.booleans())
def test_whole_columns_of_ids_get_what_each_id_gets_alone(texts, resident):
    texts = [text for text in texts if text.strip() not in ("-", "--")] or [GOOD]
    kind = "RESIDENT" if resident else "PASSPORT"
    found = judged(texts, resident)
    normal = [normalise_id(text, kind) for text in texts]
    assert found.key.to_pylist() == [keyed(KEY, text) if text else None for text in normal]
    assert found.mask.to_pylist() == [mask_id(text) or None for text in normal]
    assert found.problem.to_pylist() == [id_problem(text, kind) for text in normal]


@given(st.text(max_size=100), st.text(max_size=40))
def test_the_fast_key_is_the_key(person_key, text):
    raw, known = keys(pa.array([text], pa.string()), person_key)
    assert (raw[0].tobytes().hex(), known[0]) == ((keyed(person_key, text), True) if text else ("0" * 32, False))


def test_birth_date_and_sex_are_read_off_a_well_formed_resident_id_only():
    found = judged([GOOD, "370104199013011234", "12345", ""])
    assert found.birth_date.to_pylist() == [date(1990, 1, 1), None, None, None]
    assert found.sex.to_pylist() == ["M", "M", None, None]
    assert judged([GOOD], resident=False).birth_date.to_pylist() == [None]


@pytest.mark.parametrize(
    ("text", "numeric", "damage"),
    [
        (GOOD, False, Damage.SOUND),
        ("", False, Damage.SOUND),
        ("370104900101123", True, Damage.SOUND),
        ("3.70104E+17", False, Damage.SCIENTIFIC),
        ("３.70104e+17", False, Damage.SCIENTIFIC),
        ("'3.70104199001011E+17", False, Damage.SCIENTIFIC),
        ("370104199001011234.0", False, Damage.FLOAT),
        (GOOD, True, Damage.LONG_NUMBER),
        ("370104199001011000", False, Damage.TRAILING_ZEROS),
    ],
)
def test_what_a_spreadsheet_does_to_an_id_is_seen(text, numeric, damage):
    assert list(judged([text], numeric=numeric).damage) == [damage]


def test_a_genuine_id_may_end_in_000():
    first = next(
        f"3701041990010{n:04d}"
        for n in range(10_000)
        if f"{n:04d}".endswith("00") and check_digit(f"3701041990010{n:04d}") == "0"
    )
    assert list(judged([first + "0"]).damage) == [Damage.SOUND]


def test_trailing_zeros_of_a_passport_are_its_own():
    assert list(judged(["123456789012345000"], resident=False).damage) == [Damage.SOUND]


def test_names_are_keyed_by_their_comparable_form_and_masked():
    texts = ["張三", "张 三", "NA", "null", "-", "", "阿依古丽·买买提"]
    found, masks, _ = names(texts, KEY)
    assert found[0].as_py() == found[1].as_py() == keyed(KEY, normalise_name("张三"))
    assert masks.to_pylist() == [mask_name(text) or None for text in texts]
    assert [key is None for key in found.to_pylist()] == [False] * 5 + [True, False]


def test_words_dates_money_and_codes_become_values():
    normal = normalised(
        "payroll",
        [{"month": "2026年10月", "person_id": GOOD, "person_name": "NA", "paying_unit_code": " ００７ ", "fund_mode": "1",
          "person_state": "在职", "on_establishment": "是", "amount": "1,234.5", "account": "6222 0"}],
    )  # fmt: skip
    assert column(normal, "month") == ["2026-10"]
    assert column(normal, "paying_unit_code") == ["007"]
    assert column(normal, "fund_mode") == ["FULL"]
    assert column(normal, "amount") == [123450]
    assert column(normal, "id_type") == ["RESIDENT"]
    assert "account" not in normal.table.column_names
    assert normal.secrets["account"].to_pylist() == [keyed(KEY, "62220")]


def test_blank_marks_of_optional_columns_are_blank_but_not_in_text_and_names():
    normal = normalised(
        "roster", [{"person_name": "无", "rank": "-", "permit_no": "无", "exit_date": "—", "leader_tier": "/"}]
    )
    assert column(normal, "permit_no") == column(normal, "exit_date") == column(normal, "leader_tier") == [None]
    assert column(normal, "rank") == ["-"]
    assert column(normal, "name_mask") == ["无*"]


def test_a_month_is_its_first_day_and_says_so():
    normal = normalised("leads", [{"date": "2011.05"}, {"date": "2011-05-03"}, {"date": ""}])
    assert column(normal, "date") == [date(2011, 5, 1), date(2011, 5, 3), None]
    assert column(normal, "date_exact") == [False, True, None]


def test_neither_an_id_nor_a_name_is_in_what_great_expectations_sees():
    row = {
        "person_id": GOOD,
        "person_name": "欧阳修",
        "unit_code": "欧阳修",
        "status": "欧阳修",
        "rank": GOOD,
        "entry_date": GOOD,
    }
    seen = normalised("roster", [row]).batch.astype(str).to_csv()
    assert GOOD not in seen
    assert "欧阳修" not in seen
    assert "?欧**" in seen


@pytest.mark.parametrize("text", [GOOD, "370104 1990-0101-1234", "欧阳修", "欧阳·修", "手机13800138000"])
def test_what_is_shown_beside_a_reason_gives_nobody_away(text):
    shown = harmless(text)
    assert shown != text
    assert "阳" not in shown
    assert sum(map(str.isdigit, shown)) <= 4


@pytest.mark.parametrize(
    ("code", "whole"),
    [
        ("007", None),
        ("7", "007"),
        ("07", "007"),
        ("8", None),
        ("7.0", "007"),
        ("100.0", "100"),
        ("3.70104E+11", ""),
        ("1E5", None),
    ],
)
def test_a_code_that_lost_its_zeros_is_told_from_an_unknown_one(code, whole):
    assert undamaged_code(code, frozenset({"007", "100", "000"})) == whole


def test_without_units_no_code_is_judged():
    row = {"unit_code": "7"}
    assert "unit_code__zeros" not in normalised("roster", [row]).batch
    assert list(normalised("roster", [row], ("007",)).batch["unit_code__zeros"]) == [LOST]


def test_one_blank_id_among_thousands_turns_nothing_into_numbers():
    ids = [f"{37010419900101000 + n}"[:17] for n in range(1000)]
    rows = [{"person_id": i + check_digit(i), "unit_code": f"{n % 10:03d}"} for n, i in enumerate(ids)] + [
        {"person_id": "", "unit_code": "007"}
    ]
    normal = normalised("roster", rows)
    keys = column(normal, "person_key")
    assert len(set(keys[:-1])) == 1000
    assert keys[-1] is None
    assert set(column(normal, "unit_code")) == {f"{n:03d}" for n in range(10)}


def test_ids_that_differ_in_the_last_digit_are_two_people():
    first, second = column(normalised("roster", [{"person_id": GOOD}, {"person_id": GOOD[:17] + "0"}]), "person_key")
    assert first != second


def test_an_empty_table_has_all_columns_and_types():
    normal = normalised("roster", [])
    assert normal.rows == 0
    assert str(normal.table.schema.field("entry_date").type) == "date32[day]"


def test_equal_rows_share_a_content_and_nulls_are_equal():
    table = pa.table(
        {"a": ["x", "x", None, None, "x"], "b": pa.array([1, 1, None, None, None], pa.int64()), "row": [1, 2, 3, 4, 5]}
    )
    ids = content_ids(table, np.zeros(5, np.uint64))
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert len(set(ids)) == 3


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y", None]), st.sampled_from([0, 1, None])), max_size=30
    )
)
def test_contents_and_groups_say_exactly_what_equality_says(rows):
    table = pa.table({name: pa.array([row[at] for row in rows], kind) for at, (name, kind) in enumerate(
        [("a", pa.string()), ("b", pa.string()), ("c", pa.int64())])})  # fmt: skip
    # One digest for all: every row is held against the first.
    ids, groups = content_ids(table, np.zeros(len(rows), np.uint64)), group_ids(table, ["a", "b"])
    for i, left in enumerate(rows):
        for j, right in enumerate(rows):
            assert (ids[i] == ids[j]) == (left == right)
            if None not in left[:2]:
                assert (groups[i] == groups[j]) == (left[:2] == right[:2])
