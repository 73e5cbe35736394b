"""Our own book taken into a night: whole, once, the same for a corrected night; and parameters from a list."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from core.accounts import GrantSpec, create_user, get_user
from core.db import engine_for, reading, writing
from core.errors import InputRejected
from core.parameter_import import import_parameters
from core.parameters import Parameter, parameter_value
from night.position import take_position
from night.steps import begin
from reconcile.rules.tables import POSITION
from tests.nightkit import A, House, deliver, good_books, quota

MOVED = {
    "movement_no": "HZ1", "post_type": "ADMIN", "fund_form": "FULL", "posts": 1, "from_unit": None, "from_level": "CITY",
    "to_unit": "007", "to_level": "COUNTY", "effective_date": date(2026, 3, 1), "doc_no": "云编〔2026〕1号", "central_no": None,
}  # fmt: skip
NOW = datetime(2026, 10, 16, tzinfo=UTC)


@pytest.fixture
def house(settings) -> House:
    made = House(settings)
    deliver(made.inbox, A, "990102", **good_books())
    return made


def put(house: House, table: pa.Table, name: str = "movement") -> None:
    folder = house.settings.home / "position" / A.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / f"{name}.parquet")


def taken(house: House, run_no: int, name: str = "movement") -> pa.Table:
    return pq.read_table(house.settings.snapshots_dir / A.isoformat() / str(run_no) / f"{name}.parquet")


def test_a_night_takes_our_own_book_and_the_rules_read_it(house):
    put(house, pa.Table.from_pylist([MOVED]))
    assert house.night() == 0
    assert [(flag["rule"], flag["unit_code"], flag["found"]) for flag in house.flags(A, "Q09")] == [
        ("Q09", "007", "云编〔2026〕1号")
    ]
    assert taken(house, 1).to_pylist() == [MOVED]


def test_without_one_the_tables_are_there_and_empty(house):
    run = begin(A, house.inbox, house.settings)
    assert take_position(house.settings, run) == dict.fromkeys(POSITION, 0)
    for name, schema in POSITION.items():
        assert taken(house, 1, name).column_names == list(schema)


def test_a_corrected_night_rests_on_the_book_of_the_first_run(house):
    put(house, pa.Table.from_pylist([MOVED]))
    house.night()
    put(house, pa.Table.from_pylist([MOVED | {"central_no": "中编办〔2026〕1号"}]))
    deliver(house.inbox, A, "990102", establishment=[quota(posts=9)])
    house.night()
    assert taken(house, 2).to_pylist() == [MOVED]
    assert [flag["rule"] for flag in house.flags(A, "Q09")] == ["Q09"]


def test_a_run_that_never_took_the_step_is_not_asked(house):
    begin(A, house.inbox, house.settings)
    put(house, pa.Table.from_pylist([MOVED]))
    deliver(house.inbox, A, "990102", establishment=[quota(posts=9)])
    run = begin(A, house.inbox, house.settings)
    assert take_position(house.settings, run)["movement"] == 1


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda table: table.drop_columns(["central_no"]), "central_no"),
        (lambda table: table.set_column(3, "posts", pa.array(["1"])), "posts"),
        (lambda table: table.set_column(6, "to_unit", pa.array([7])), "to_unit"),
        (lambda table: table.set_column(8, "effective_date", pa.array(["2026-03-01"])), "effective_date"),
    ],
)
def test_a_wrong_column_is_named_and_nothing_is_taken(house, change, column):
    put(house, change(pa.Table.from_pylist([MOVED], pa.schema(SCHEMA))))
    run = begin(A, house.inbox, house.settings)
    with pytest.raises(InputRejected, match=f"movement.parquet.* {column}") as refused:
        take_position(house.settings, run)
    assert refused.value.details["column"] == column
    assert not list(house.settings.snapshots_dir.rglob("*.parquet"))


SCHEMA = [
    (name, {"string": pa.string(), "int64": pa.int64(), "date": pa.date32()}[kind])
    for name, kind in POSITION["movement"].items()
]


def test_a_file_that_is_no_parquet_is_named(house):
    put(house, pa.Table.from_pylist([MOVED]))
    (house.settings.home / "position" / A.isoformat() / "movement.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(InputRejected, match=f"position/{A}/movement.parquet is no readable Parquet file"):
        take_position(house.settings, begin(A, house.inbox, house.settings))


# Parameters from a list.


def bring(house: House, tmp_path, text: str) -> int:
    path = tmp_path / "parameters.csv"
    path.write_text(text, encoding="utf-8")
    with writing(engine_for(house.settings.database_url)) as session:
        return import_parameters(session, path, actor="test", now=NOW)


def person(session, login: str, role: str) -> None:
    grants = [GrantSpec(role, "990102", "COUNTY")]
    create_user(
        session, login=login, email=f"{login}@example.org", display_name=login, grants=grants, actor="test",
        now=datetime.now(UTC),
    )  # fmt: skip


def name_reviewers(house: House, *logins: str) -> None:
    with writing(engine_for(house.settings.database_url)) as session:
        for login in logins:
            person(session, login, "REVIEWER")


def test_a_list_of_parameters_is_put_in_force(house, tmp_path):
    name_reviewers(house, "ann", "bob")
    text = 'name,division,from,value\ngate_start,990102,,2025-01-01\nlead_reviewers,,2026-01-01,"Bob,ann"\n'
    assert bring(house, tmp_path, text) == 2
    with reading(engine_for(house.settings.database_url)) as session:
        assert parameter_value(session, "gate_start", A, "990102001") == "2025-01-01"
        assert parameter_value(session, "gate_start", A, "990103") is None
        assert parameter_value(session, "lead_reviewers", A) == ["ann", "bob"]
        assert parameter_value(session, "lead_reviewers", date(2025, 12, 31)) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gate_start,,,soon", "row 3: gate_start takes a date"),
        ("gate_start,,yesterday,2025-01-01", "row 3: from takes a date"),
        ("gate_opens,,,2025-01-01", "row 3: no parameter"),
        ("gate_start", "row 3: gate_start takes a date"),
        (
            'lead_reviewers,990102,,"ann,bob"',
            "row 3: lead_reviewers holds for every division; set it without a division",
        ),
        ('lead_reviewers,,,"ann,audit"', "row 3: no active reviewer: audit; .* grant it the role REVIEWER"),
        ('lead_reviewers,,,"bob,gone"', "row 3: no active reviewer: gone; create or enable the account"),
        ('lead_reviewers,,,"nobody1,nobody2"', "row 3: no active reviewer: nobody1, nobody2; "),
        ('lead_reviewers,,,"ann,ann"', "row 3: lead_reviewers takes two logins"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_set(house, tmp_path, line, message):
    name_reviewers(house, "ann", "bob", "gone")
    with writing(engine_for(house.settings.database_url)) as session:
        person(session, "audit", "AUDITOR")
        get_user(session, "gone").active = False
    with pytest.raises(InputRejected, match=message):
        bring(house, tmp_path, f"name,division,from,value\nentry_days,,,31\n{line}\n")
    assert house.query(select(Parameter.id)) == []


def test_a_list_without_its_columns_is_refused(house, tmp_path):
    with pytest.raises(InputRejected, match="needs the columns name,division,from,value"):
        bring(house, tmp_path, "name,value\nentry_days,31\n")
