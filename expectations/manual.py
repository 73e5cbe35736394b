"""docs/inbox.md, written from the column definitions: `python -m expectations.manual > docs/inbox.md`."""

from __future__ import annotations

from expectations.books import BOOKS, FUND_MODE_CODES, WORDS, Column, Kind
from expectations.strays import NAMED_OPENLY

HEAD = """# 怎样报送

本页由列定义生成（`python -m expectations.manual > docs/inbox.md`），与程序读取的完全一致。

```
<收件夹>/<时点 YYYY-MM-DD>/<行政区划代码>/<批次>[-随意].{csv,xlsx,parquet}
```

一个批次可以有任意多个文件，合在一起算。同一文件夹内可放 `control.csv`（`file,rows,sha256`，行数只计记录），与之不符的批次会被退回。
表头可用英文标识或中文名，列序随意，不认识的列留在原始副本里、不使用。编码可为 UTF-8、UTF-16 或 GB18030；
xlsx 可有标题行、合并表头、小计合计和表下注释。`*` 的列必须有，且每行须有值（身份证号除外）。
文件名、工作表名、表头不要写人名和证件号：系统不认识的字一律遮盖（文件名记作 `roster-王＊〔1f0a77c2〕.csv`，工作表记作第几张，
表头记作第几列），各处所见都是遮盖后的写法；批次名、机构名、日期、序号和汇总、更正、花名册一类常用词照原样显示。

证件号码只填在证件号码列，姓名只填在姓名列。其他列的单元格里有证件号码（夹在文字里、分段写、全角写的也算）的行隔离，原因记
`ID_IN_OTHER_COLUMN`；必填的编码列（和代发单位编码）里只有文字或是姓名的行隔离，原因记 `NOT_A_CODE`（文号不在此列）。多半是各列错了位，
请核对后重报；其他编码列（借调单位、主管部门、用编通知单号等）里的文字按空白处理，行照收，收件备注写明有几格。隔离明细只记行号和列名，不显示内容。职级、原因、用途、来源等文字列可以自由填写，系统不认识的字同样遮盖（记作 `王＊填报〔1f0a77c2〕`）。
"""
KINDS = {
    Kind.TEXT: "文字（常用词以外遮盖）",
    Kind.NAME: "姓名",
    Kind.CODE: "编码（文字）",
    Kind.ID: "证件号码（文字）",
    Kind.SECRET: "文字，只留在原始副本",
    Kind.COUNT: "非负整数",
    Kind.MONEY: "金额（元，至多两位小数）",
    Kind.DATE: "日期，如 2012-03-05、2012年3月5日、20120305；2012.03 只知到月，当月哪一天都可能",
    Kind.MONTH: "月份，如 2026-10、202610、2026年10月",
}


def manual() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for book in BOOKS.values():
        parts.append(
            f"\n## `{book.name}` {book.label}\n\n报送方：{book.owner}\n\n| 列 | 表头 | 值 | 也认得的表头 |\n|---|---|---|---|"
        )
        parts += [_row(column) for column in book.columns]
    return "\n".join(parts) + "\n"


def _row(column: Column) -> str:
    star = "*" if column.required else ""
    return f"| `{column.name}`{star} | {column.label} | {_values(column)} | {'、'.join(column.aliases)} |"


def _values(column: Column) -> str:
    if column.words is None:
        return "文字" if column.name in NAMED_OPENLY else KINDS[column.kind]
    codes = {identifier: code for code, identifier in FUND_MODE_CODES.items()} if column.name == "fund_mode" else {}
    words = [
        f"{spellings[0]}（`{identifier}`{'，' + codes[identifier] if identifier in codes else ''}）"
        for identifier, spellings in WORDS[column.words].items()
    ]
    default = f"；空白即 `{column.default}`" if column.default else ""
    return "、".join(words) + default


if __name__ == "__main__":
    print(manual(), end="")
