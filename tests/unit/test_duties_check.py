"""Functions and posts held against each other, staffing standards, a reform task's table: the pure parts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.accounts import Role
from core.errors import Forbidden, InputRejected, Refused
from core.permissions import ALLOWED
from core.standard_posts import Line, Rounding, posts_by_type, standard_posts
from staffing.csv_rows import Column, day, hundredths, number, one_of, read_rows, text
from staffing.duties_check import (
    GAP_LABELS,
    SENTENCES,
    Gap,
    Item,
    PostMove,
    item_moves,
    moved_apart,
    post_moves,
    sentence,
    standing_apart,
)
from staffing.duty_files import COLUMNS, FILE_LABELS, FileKind, ItemKind, items_given, rows_of, template_of
from staffing.reform_life import (
    LIVE,
    TASK_LABELS,
    TASK_SENTENCES,
    TASK_TURNS,
    Effect,
    TaskMove,
    TaskStatus,
    check_task,
    is_late,
    same_effect,
    task_barred,
)

DAY = date(2026, 6, 1)
CELL = ("ADMIN", "FULL")


def item(unit: str, code: str = "X1", start: date = date(2020, 1, 1), end: date | None = None, posts: int = 3, **more):
    return Item(unit, code, "名称", start, end, posts={CELL: posts} if posts else {}, **more)


def moved(code: str = "X1", on: date = DAY, posts: int = 3) -> list[Item]:
    return [item("A", code, end=on - timedelta(1), posts=posts), item("B", code, on)]


def transfer(giver: str | None, taker: str | None, on: date, posts: int = 2, document: str = "编委1") -> PostMove:
    return PostMove(giver, taker, *CELL, posts, on, document)


def test_an_item_that_ends_here_and_begins_there_has_moved():
    moves = item_moves(moved(), 90)
    assert [(move.giver, move.taker, move.on) for move in moves] == [("A", "B", DAY)]
    late = [item("A", end=DAY), item("B", start=DAY + timedelta(91))]
    assert item_moves(late, 90) == []
    assert item_moves(late, 91)


def test_an_item_two_units_have_at_once_has_not_moved():
    assert item_moves([item("A"), item("B")], 90) == []
    assert item_moves([item("A", end=DAY), item("B", start=DAY)], 90) == []


@pytest.mark.parametrize(
    ("days", "gap"), [(-90, None), (90, None), (91, Gap.ITEM_WITHOUT_POSTS), (-91, Gap.ITEM_WITHOUT_POSTS)]
)
def test_posts_must_follow_an_item_within_the_days(days, gap):
    found = moved_apart(moved(), [transfer("A", "B", DAY + timedelta(days))], {"A", "B"}, 90)
    gaps = [each.gap for each in found]
    assert (gap in gaps) is (gap is not None)
    assert bool(gaps) is (gap is not None)


def test_a_cut_and_a_grant_by_one_document_are_posts_that_moved():
    cut, grant = transfer("A", None, DAY, 5), transfer(None, "B", DAY + timedelta(3), 2)
    assert [(row.giver, row.taker, row.posts) for row in post_moves([cut, grant], 90)] == [("A", "B", 2)]
    assert moved_apart(moved(), [cut, grant], {"A", "B"}, 90) == []
    other = transfer(None, "B", DAY, 2, "编委2")
    assert post_moves([cut, other], 90) == []


def test_a_cut_pairs_with_one_grant_only():
    cut = transfer("A", None, DAY)
    grants = [transfer(None, "B", DAY), transfer(None, "C", DAY)]
    assert len(post_moves([cut, *grants], 90)) == 1


def test_posts_that_moved_without_an_item_are_seen_where_both_units_have_a_list():
    found = moved_apart([item("A"), item("B", "X2")], [transfer("A", "B", DAY, 4)], {"A", "B"}, 90)
    assert [(each.gap, each.unit_code, each.other_code, each.figures["posts"]) for each in found] == [
        (Gap.POSTS_WITHOUT_ITEM, "A", "B", 4)
    ]
    assert moved_apart([item("A")], [transfer("A", "C", DAY)], {"A"}, 90) == []


def test_a_move_back_does_not_excuse_a_move_there():
    found = moved_apart(moved(), [transfer("B", "A", DAY)], {"A", "B"}, 90)
    assert {each.gap for each in found} == {Gap.ITEM_WITHOUT_POSTS, Gap.POSTS_WITHOUT_ITEM}


def test_what_stands_apart_in_a_day():
    items = [item("A", posts=3), item("A", "X2", posts=0), item("A", "X3", posts=1, inner_body="办公室")]
    quotas = {("A", *CELL): 3, ("A", "SUPPORT", "FULL"): 2, ("B", *CELL): 9}
    found = standing_apart(items, quotas, {"A": ["人事科"]}, DAY)
    assert {(each.gap, each.item_code or each.post_type) for each in found} == {
        (Gap.ITEM_UNSTAFFED, "X2"), (Gap.UNKNOWN_BODY, "X3"), (Gap.OVER_ASSIGNED, "ADMIN"),
        (Gap.CELL_WITHOUT_ITEM, "SUPPORT"),
    }  # fmt: skip
    over = next(each for each in found if each.gap is Gap.OVER_ASSIGNED)
    assert over.figures == {"assigned": 4, "posts": 3}


def test_an_item_ended_or_to_come_takes_no_part():
    items = [item("A", end=DAY - timedelta(1)), item("A", "X2", DAY + timedelta(1))]
    assert standing_apart(items, {("A", *CELL): 3}, {}, DAY) == []


def test_a_unit_without_a_determination_has_no_unknown_body():
    assert standing_apart([item("A", inner_body="办公室")], {("A", *CELL): 3}, {}, DAY) == []


def test_every_gap_has_a_label_and_a_sentence_with_its_figures():
    assert set(GAP_LABELS) == set(SENTENCES) == set(Gap)
    found = moved_apart(moved(), [transfer("B", "A", DAY)], {"A", "B"}, 90)
    found += standing_apart(
        [item("A", posts=9, inner_body="甲"), item("A", "X2", posts=0)],
        {("A", *CELL): 1, ("A", "SUPPORT", "FULL"): 1}, {"A": []}, DAY,
    )  # fmt: skip
    assert {each.gap for each in found} == set(Gap)
    for each in found:
        said = sentence(each, {"A": "甲局", "B": "乙局"})
        assert "{" not in said
        assert "None" not in said
    assert "由 甲局 划给 乙局" in sentence(found[0], {"A": "甲局", "B": "乙局"})


@pytest.mark.parametrize(
    ("served", "per", "posts", "rounding", "due"),
    [
        (190, 1900, 1, "UP", 10), (191, 1900, 1, "UP", 11), (191, 1900, 1, "DOWN", 10), (199, 1900, 1, "NEAREST", 10),
        (135, 1350, 1, "NEAREST", 10), (20, 4000, 1, "NEAREST", 1), (19, 4000, 1, "NEAREST", 0), (10, 1000, 13, "UP", 13),
        (0, 1900, 1, "UP", 0), (2_000_000_000, 1, 1, "UP", 200_000_000_000),
    ],
)  # fmt: skip
def test_posts_by_a_standard(served, per, posts, rounding, due):
    assert standard_posts(served, per, posts, rounding) == due


@pytest.mark.parametrize(("served", "per", "posts"), [(1, 0, 1), (1, 100, 0), (-1, 100, 1)])
def test_a_standard_without_a_ratio_is_refused(served, per, posts):
    with pytest.raises(ValueError):
        standard_posts(served, per, posts, Rounding.UP)


def test_a_school_of_two_trades_adds_its_lines_up_each_rounded_by_itself():
    lines = [
        Line("小学", "STUDENTS", "INSTITUTION", 20, 1900, 1, "UP"),
        Line("初中", "STUDENTS", "INSTITUTION", 14, 1350, 1, "UP"), Line("小学", "STUDENTS", "SUPPORT", 20, 10000, 1, "UP"),
    ]  # fmt: skip
    assert posts_by_type(lines) == {"INSTITUTION": 4, "SUPPORT": 1}


def test_the_table_of_tasks_answers_for_every_move_status_and_role():
    assert set(TASK_TURNS) == set(TaskMove)
    assert set(TASK_LABELS) == set(TaskStatus)
    for move, row in TASK_TURNS.items():
        assert ALLOWED[row.permission]
        for status in TaskStatus:
            for role in Role:
                why = task_barred(move, status, {role}, True)
                legal = role in ALLOWED[row.permission] and status in row.sources
                assert (why is None) is legal
                assert why is None or why in TASK_SENTENCES
    assert all(any(status in row.sources for row in TASK_TURNS.values()) is (status in LIVE) for status in TaskStatus)


def test_a_task_is_finished_only_when_what_was_booked_is_what_was_planned():
    with pytest.raises(Refused):
        check_task(TaskMove.FINISH, TaskStatus.REPORTED, {Role.REVIEWER}, False)
    assert check_task(TaskMove.FINISH, TaskStatus.REPORTED, {Role.REVIEWER}, True).target is TaskStatus.DONE
    with pytest.raises(Forbidden):
        check_task(TaskMove.FINISH, TaskStatus.REPORTED, {Role.UNIT_OFFICER}, True)
    with pytest.raises(Refused):
        check_task(TaskMove.FINISH, TaskStatus.UNDERWAY, {Role.REVIEWER}, True)


def test_effects_are_compared_cell_by_cell():
    planned = Effect({CELL: -2, ("SUPPORT", "FULL"): 1}, 0)
    assert same_effect(planned, Effect({("SUPPORT", "FULL"): 1, CELL: -2, ("ADMIN", "PART"): 0}, None))
    assert not same_effect(planned, Effect({CELL: -1, ("SUPPORT", "FULL"): 1}, 0))
    assert not same_effect(Effect({}, 1), Effect({}, None))


def test_a_task_is_late_from_the_day_after_its_deadline_until_it_ends():
    assert not is_late(TaskStatus.OPEN, DAY, DAY)
    assert is_late(TaskStatus.REPORTED, DAY, DAY + timedelta(1))
    assert not is_late(TaskStatus.DONE, DAY, DAY + timedelta(1))


COLS = (
    Column("code", "编码", text(4)), Column("n", "数量", number(0, 9)), Column("d", "日期", day, False),
    Column("k", "类型", one_of({"A": "甲", "B": "乙"}), False), Column("p", "每", hundredths, False),
)  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_under_either_header_in_any_order(encoding):
    content = "数量,code,别的,类型,每,日期\r\n3,ab,x,甲,13.5,2026-01-02\r\n,,,,,\r\n9,cd,,B,19,\r\n".encode(encoding)
    rows = read_rows("a.csv", content, COLS)
    rows.check()
    assert rows.rows == [
        (2, {"code": "ab", "n": 3, "d": date(2026, 1, 2), "k": "A", "p": 1350}),
        (4, {"code": "cd", "n": 9, "d": None, "k": "B", "p": 1900}),
    ]


def test_every_fault_of_a_file_names_file_row_column_and_remedy():
    content = "编码,数量,日期,类型,每\nabcde,10,2026-02-30,丙,1.234\n,１,,,0\n".encode()
    rows = read_rows("a.csv", content, COLS)
    with pytest.raises(InputRejected) as caught:
        rows.check()
    faults = caught.value.details["faults"]
    assert len(faults) == 8
    assert "a.csv 第 2 行 类型：没有“丙”这一种；请填写甲、乙之一。" in faults
    assert "a.csv 第 2 行 日期：“2026-02-30”不是日期；请写成 YYYY-MM-DD。" in faults
    assert "a.csv 第 3 行 编码：没有填写；请补上。" in faults


@pytest.mark.parametrize(
    "content", [b"", "编码\nab\n".encode(), "编码,数量\n".encode(), b"\x00\x01,\xff\n", b"PK\x03\x04\x00\x00"]
)
def test_what_is_no_such_csv_is_refused_with_a_sentence(content):
    with pytest.raises(InputRejected):
        read_rows("a.csv", content, COLS)


def test_every_kind_of_file_has_a_template_that_reads_as_its_own_header():
    assert set(COLUMNS) == set(FILE_LABELS) == set(FileKind)
    for kind in FileKind:
        content = (template_of(kind) + "x\r\n").encode()
        assert rows_of(kind, "a.csv", content).rows[0][0] == 2


def test_rows_of_one_item_add_its_cells_and_must_agree():
    head = "单位编码,事项编码,事项名称,事项类型,法定依据,起始日期,编制类型,经费形式,编制数\n"
    line = "A,X1,办学许可,许可,教育法,2020-01-01,{cell}\n"
    two = head + line.format(cell="行政,全额拨款,2") + line.format(cell="工勤,全额拨款,1")
    rows = rows_of(FileKind.ITEMS, "a.csv", two.encode())
    given = items_given(rows)
    rows.check()
    assert len(given) == 1
    assert given[0].posts == {("ADMIN", "FULL"): 2, ("SUPPORT", "FULL"): 1}
    assert given[0].about["kind"] == ItemKind.LICENCE
    for bad in (
        line.format(cell="行政,全额拨款,5"),
        line.format(cell="行政,,"),
        line.replace("教育法", "宪法").format(cell=",,"),
    ):
        rows = rows_of(FileKind.ITEMS, "a.csv", (two + bad).encode())
        items_given(rows)
        with pytest.raises(InputRejected):
            rows.check()
