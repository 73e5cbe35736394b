"""What the files of duties, standards, workloads and reform plans hold: their columns, and rows made into statements. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from core.standard_posts import MEASURE_LABELS, ROUNDING_LABELS
from staffing.csv_rows import Column, Rows, code, day, hundredths, number, one_of, read_rows, text
from staffing.labels import FUND_FORMS, LEVELS, POST_TYPES


class FileKind(StrEnum):
    """What a file brings."""

    DETERMINATIONS = "determinations"
    ITEMS = "items"
    STANDARDS = "standards"
    WORKLOADS = "workloads"
    REFORM = "reform"


class ItemKind(StrEnum):
    """Kinds of powers and duties."""

    LICENCE = "LICENCE"
    PENALTY = "PENALTY"
    COMPULSION = "COMPULSION"
    LEVY = "LEVY"
    PAYMENT = "PAYMENT"
    INSPECTION = "INSPECTION"
    CONFIRMATION = "CONFIRMATION"
    REWARD = "REWARD"
    RULING = "RULING"
    OTHER = "OTHER"


class Part(StrEnum):
    """Parts of a 三定."""

    DUTY = "DUTY"
    BODY = "BODY"
    QUOTA = "QUOTA"
    LEADERS = "LEADERS"


FILE_LABELS = {
    FileKind.DETERMINATIONS: "三定规定", FileKind.ITEMS: "权责清单", FileKind.STANDARDS: "配置标准",
    FileKind.WORKLOADS: "工作量", FileKind.REFORM: "改革方案",
}  # fmt: skip
ITEM_LABELS = {
    ItemKind.LICENCE: "许可", ItemKind.PENALTY: "处罚", ItemKind.COMPULSION: "强制", ItemKind.LEVY: "征收",
    ItemKind.PAYMENT: "给付", ItemKind.INSPECTION: "检查", ItemKind.CONFIRMATION: "确认", ItemKind.REWARD: "奖励",
    ItemKind.RULING: "裁决", ItemKind.OTHER: "其他",
}  # fmt: skip
PART_LABELS = {Part.DUTY: "职责", Part.BODY: "内设机构", Part.QUOTA: "编制", Part.LEADERS: "领导职数"}
_words = lambda labels: {str(name): label for name, label in labels.items()}
TYPE = one_of(_words(POST_TYPES))
FORM = one_of(_words(FUND_FORMS))
LEADERS, POSTS = number(0, 1000), number(0, 100_000)
UNIT = Column("unit_code", "单位编码", code)
CELL = (Column("post_type", "编制类型", TYPE, False), Column("fund_form", "经费形式", FORM, False))

COLUMNS: dict[FileKind, tuple[Column, ...]] = {
    FileKind.DETERMINATIONS: (
        UNIT, Column("doc_no", "文号", text(200)), Column("valid_from", "生效日期", day),
        Column("part", "部分", one_of(_words(PART_LABELS))), Column("text", "内容", text(2000), False),
        Column("chief", "正职", LEADERS, False), Column("deputy", "副职", LEADERS, False), *CELL,
        Column("posts", "编制数", POSTS, False),
    ),
    FileKind.ITEMS: (
        UNIT, Column("code", "事项编码", code), Column("name", "事项名称", text(400)),
        Column("kind", "事项类型", one_of(_words(ITEM_LABELS))), Column("legal_basis", "法定依据", text(2000)),
        Column("inner_body", "承办机构", text(200), False), Column("duty", "三定职责序号", number(1, 200), False),
        Column("valid_from", "起始日期", day), Column("valid_to", "截止日期", day, False), *CELL,
        Column("posts", "编制数", number(1, 100_000), False),
    ),
    FileKind.STANDARDS: (
        Column("trade", "行业", text(64)), Column("level", "层级", one_of(_words(LEVELS))),
        Column("measure", "指标", one_of(_words(MEASURE_LABELS))), Column("per", "每多少", hundredths),
        Column("posts", "编制数", number(1, 1000)), Column("rounding", "取整", one_of(_words(ROUNDING_LABELS))),
        Column("post_type", "编制类型", TYPE), Column("valid_from", "起始日期", day), Column("doc_no", "文号", text(200)),
    ),
    FileKind.WORKLOADS: (
        UNIT, Column("trade", "行业", text(64)), Column("measure", "指标", one_of(_words(MEASURE_LABELS))),
        Column("served", "数量", number(0, 2_000_000_000)), Column("as_of", "截至日期", day),
        Column("source", "来源", text(200)),
    ),
    FileKind.REFORM: (
        UNIT, Column("what", "任务", text(1000)), Column("deadline", "期限", day),
        Column("responsible", "责任人账号", text(64)), Column("leader_posts", "领导职数变化", number(-1000, 1000), False),
        *CELL, Column("posts", "编制变化", number(-100_000, 100_000), False),
    ),
}  # fmt: skip


@dataclass
class ItemGiven:
    """An item as files state it; row: the first row that names it. posts: per cell, None where no row names any."""

    row: int
    unit_code: str
    code: str
    about: dict[str, Any]
    posts: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class VersionGiven:
    """A version of a 三定 as a file states it."""

    row: int
    unit_code: str
    doc_no: str
    valid_from: date
    duties: list[str] = field(default_factory=list)
    bodies: list[tuple[str, int | None, int | None]] = field(default_factory=list)
    quotas: dict[tuple[str, str], int] = field(default_factory=dict)
    chief: int | None = None
    deputy: int | None = None


@dataclass
class TaskGiven:
    """A task of a plan as a file states it."""

    row: int
    unit_code: str
    what: str
    deadline: date
    responsible: str
    leader_posts: int = 0
    cells: dict[tuple[str, str], int] = field(default_factory=dict)


def rows_of(kind: FileKind, file: str, content: bytes) -> Rows:
    """The rows of a file of a kind, with the faults of single values. Errors: InputRejected."""
    return read_rows(file, content, COLUMNS[kind])


def template_of(kind: FileKind) -> str:
    """The header of a file of a kind, for somebody to fill in (UTF-8 with BOM, as spreadsheets want it)."""
    return "\ufeff" + ",".join(column.label for column in COLUMNS[kind]) + "\r\n"


def _cell(rows: Rows, row: int, values: dict[str, Any], into: dict[tuple[str, str], int]) -> None:
    """Add the cell of a row: type, form and posts together, or none of them."""
    names = ("post_type", "fund_form", "posts")
    given = [values[name] for name in names]
    if all(value is None for value in given) or any((row, name) in rows.bad for name in names):
        return
    if any(value is None for value in given):
        rows.fault(row, "编制类型、经费形式、编制数", "须一并填写，或都不填。")
    elif (given[0], given[1]) in into:
        rows.fault(row, "编制类型、经费形式", "同一编制类型和经费形式写了两次；请合并。")
    else:
        into[given[0], given[1]] = given[2]


def _known(values: dict[str, Any], names: Sequence[str]) -> bool:
    return all(values[name] is not None for name in names)


def items_given(rows: Rows) -> list[ItemGiven]:
    """Items of a file; rows of the same unit, code and first day add cells to it."""
    found: dict[tuple, ItemGiven] = {}
    told = ("name", "kind", "legal_basis", "inner_body", "duty", "valid_from", "valid_to")
    for row, values in rows.rows:
        if not _known(values, ("unit_code", "code", "name", "kind", "legal_basis", "valid_from")):
            continue
        about = {name: values[name] for name in told}
        key = (values["unit_code"], values["code"], values["valid_from"])
        item = found.setdefault(key, ItemGiven(row, values["unit_code"], values["code"], about))
        if item.about != about:
            rows.fault(row, "事项编码", f"与第 {item.row} 行是同一事项而内容不同；请改成一致。")
        elif about["valid_to"] is not None and about["valid_to"] < about["valid_from"]:
            rows.fault(row, "截止日期", "早于起始日期；请改正。")
        else:
            _cell(rows, row, values, item.posts)
    return list(found.values())


def versions_given(rows: Rows) -> list[VersionGiven]:
    """Versions of a file: duties and bodies in the order of their rows."""
    found: dict[tuple, VersionGiven] = {}
    for row, values in rows.rows:
        if not _known(values, ("unit_code", "doc_no", "valid_from", "part")):
            continue
        key = (values["unit_code"], values["doc_no"], values["valid_from"])
        _add_part(rows, row, values, found.setdefault(key, VersionGiven(row, *key)))
    for given in found.values():
        if not given.duties:
            rows.fault(given.row, "部分", "这一版没有任何职责；至少要有一行“职责”。")
    return list(found.values())


def _add_part(rows: Rows, row: int, values: dict[str, Any], version: VersionGiven) -> None:
    part, said = values["part"], values["text"]
    if part in (Part.DUTY, Part.BODY) and said is None:
        rows.fault(row, "内容", "没有填写；请补上。")
    elif part == Part.DUTY:
        version.duties.append(said)
    elif part == Part.BODY:
        if len(said) > 200 or said in [name for name, _, _ in version.bodies]:
            rows.fault(row, "内容", "内设机构名称重复或超过 200 个字；请改正。")
        version.bodies.append((said, values["chief"], values["deputy"]))
    elif part == Part.LEADERS:
        version.chief, version.deputy = values["chief"], values["deputy"]
    elif values["posts"] is None and (row, "posts") not in rows.bad:
        rows.fault(row, "编制数", "没有填写；请补上。")
    else:
        _cell(rows, row, values, version.quotas)


def tasks_given(rows: Rows) -> list[TaskGiven]:
    """Tasks of a plan; rows of the same unit and task add cells to it."""
    found: dict[tuple, TaskGiven] = {}
    for row, values in rows.rows:
        if not _known(values, ("unit_code", "what", "deadline", "responsible")):
            continue
        told = (values["unit_code"], values["what"], values["deadline"], values["responsible"])
        task = found.setdefault(told[:2], TaskGiven(row, *told))
        if (task.deadline, task.responsible) != told[2:]:
            rows.fault(row, "期限、责任人账号", f"与第 {task.row} 行是同一任务而不同；请改成一致。")
        if values["posts"] == 0:
            rows.fault(row, "编制变化", "须为不等于 0 的整数；没有变化的不要列。")
        if values["leader_posts"] is not None:
            task.leader_posts = values["leader_posts"]
        _cell(rows, row, values, task.cells)
    return list(found.values())
