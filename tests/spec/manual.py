"""docs/rules.md, written from the catalog and the spec files: `python -m tests.spec.manual --write`.

Of each spec file: the definitions in its docstring, and its first test as the worked example.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from expectations.books import BOOKS
from reconcile.catalog import RULES, Rule
from reconcile.rules.not_evaluable import needs
from tests.spec.spec import SHORT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
HEAD = """# 规则手册

本页由规则表（`reconcile/catalog.py`）和规则测试（`tests/spec/`）生成：`python -m tests.spec.manual --write`。每个例子就是一项测试的原样：
上面的名册进，下面的不符项出，在 DuckDB、Spark 和另写的一份逐条判读上各判一遍，结论必须相同。

This page is generated from the catalog and the spec files. Every example is a test as it stands, run on DuckDB, on Spark and on
an independent plain reading of the rules.

* 例子里没有写出的都照常：区划 370102 的机构、编制、实名制、发薪都已接收；单位 U1，行政编制，全额；人员 2001-03-01 入编，由本单位发薪；
  有人的单元格编制数 99；单位已登记、有批准文号。时点 A＝2026-10-20，本月 M＝2026-10。空格＝照常，`-` 或 `null`＝空白，`*`＝整个报送地。
* What an example leaves out is in order: the books of division 370102 accepted, unit U1, ADMIN, FULL, in service since 2001 and
  paid by the unit, quota 99 where there are people, units registered and approved. A = 2026-10-20. An empty cell is the usual
  value, `-` or `null` is blank, `*` the whole folder.
* 列名用简称 short names: SHORT_NAMES。
* 级别：S1 重大或疑似舞弊，S2 违规，S3 程序疏失，S4 数据质量。severity: S1 critical or possible fraud, S2 breach, S3 lapse of process,
  S4 data quality.
* 凭据：每条不符项载明所依据的各行（实名制、发薪、许可、调动、逐月可用），以及别的名册所知的情况、自何时、时间所据（`since_by`；`NOT_TOLD` 为各名册均未
  载明）。一个清单只列文本次序的前 50 条，其余条数记在 `<清单>_left_out`；全部各行在本夜的 Parquet 中，见 [decisions](decisions/0024-evidence.md)。
* evidence: each finding carries the rows it rests on and what the other books know, since when and by what (`since_by`; `NOT_TOLD`:
  no book tells). A list shows its first 50 records in text order and says in `<list>_left_out` how many more there are; the
  night's Parquet has them all.
* F09：实有 − 供养 ＝ 所指明各条影响之和（`effects`）＋ 未指明者之和（`residual_effect`）。in post − paid = Σ `effects` + `residual_effect`.
* 报送地的批次缺报、退回（absent）时不作结论，也不销号；见 [flags.md](flags.md)。判读上的选择见 [decisions](decisions/0001-reading-the-domain.md)。
"""
FACTS = {
    "verdicts": "批次接收情况", "gate_start": "闸口起始日", "position": "我方台账：周转", "position_quota": "我方台账：编制沿革",
    "movement": "我方台账：层级间调动", "usable_month": "我方台账：逐月可用", "quarantine": "被隔离的行", "totals": "小计、合计",
    "cutoffs": "文件写明的截止日期", "year_ago": "去年同月供养人数", "rank_order": "职级次序",
}  # fmt: skip
LABELS = ("定义：", "Flagged when ", "无法判定：", "Not evaluable: ")


class _FirstCheck(Exception):
    """What the first `check` of a test was called with."""


@dataclass(frozen=True)
class Example:
    """Tables in and out as the test gives them."""

    test: str
    given: Mapping[str, str]
    expect: str | None
    not_evaluable: str | None


def manual() -> str:
    """The whole page as Markdown."""
    short = "、".join(f"`{name}`＝`{column}`" for name, column in SHORT.items())
    parts = [HEAD.replace("SHORT_NAMES", short), "| 规则 | 级别 | 定义 |\n|---|---|---|"]
    sections = []
    for code, rule in RULES.items():
        module = importlib.import_module(f"tests.spec.test_{code.lower()}")
        said = _said(module)
        parts.append(f"| [{code} {rule.name}](#{code.lower()}) | {'/'.join(rule.severities)} | {said[0]} |")
        sections.append(_section(rule, said, _example(module)))
    return "\n".join([*parts, *sections]) + "\n"


def _said(module: ModuleType) -> tuple[str, ...]:
    """The four lines of a spec file: definition and what is not evaluable, in Chinese and in English."""
    lines = (module.__doc__ or "").splitlines()
    found = tuple(line.removeprefix(label) for label in LABELS for line in lines if line.startswith(label))
    if len(found) != len(LABELS):
        raise ValueError(f"{module.__name__} must say {LABELS} in its docstring")
    return found


def _section(rule: Rule, said: tuple[str, ...], example: Example) -> str:
    definition, flagged, gaps, not_evaluable = said
    counted = sorted(book for code, book, counts in needs() if code == rule.code and counts and not rule.person)
    books = "、".join(f"{BOOKS[book].label} `{book}`" if book in BOOKS else f"`{book}`" for book in rule.books)
    facts = [
        f"**依据** {rule.basis}",
        f"**级别** {'、'.join(rule.severities)}",
        "**粒度 grain** " + "、".join(f"`{name}`" for name in rule.grain),
        f"**所需批次 books** {books or '自身 itself'}"
        + (f"；只报数字的单位 `{'`、`'.join(counted)}`" if counted else ""),
    ]
    if rule.restricted:
        facts.append("**知悉范围** 仅两名指定核查人；不进邮件、报告和他人的清单 for two named reviewers alone")
    text = f'\n<a id="{rule.code.lower()}"></a>\n\n## {rule.code} {rule.name}\n\n{definition}\n\nFlagged when {flagged}\n\n'
    text += "".join(f"* {fact}\n" for fact in facts)
    text += f"* **无法判定** {gaps}\n  Not evaluable: {not_evaluable}\n"
    return text + _tables(rule, example)


def _tables(rule: Rule, example: Example) -> str:
    text = f"\n例 `{example.test}`\n"
    for name, table in example.given.items():
        label = BOOKS[name].label if name in BOOKS else FACTS[name]
        text += f"\n{label} `{name}`\n\n```\n{_aligned(table)}\n```\n"
    text += f"\n不符项 findings of {rule.code}"
    text += f"\n\n```\n{_aligned(example.expect)}\n```\n" if example.expect else "：没有 none\n"
    if example.not_evaluable:
        text += f"\n无法判定 not evaluable\n\n```\n{_aligned(example.not_evaluable)}\n```\n"
    return text


def _example(module: ModuleType) -> Example:
    """The first test of a spec file, told by what its first `check` is called with."""
    name, test = next((name, each) for name, each in vars(module).items() if name.startswith("test_"))

    def noted(rule: str, books: Mapping[str, str], expect: str | None, **given: Any) -> None:
        del rule
        gaps = given.pop("not_evaluable", None)
        raise _FirstCheck(Example(name, {**books, **given}, expect, gaps))

    before, module.check = module.check, noted
    try:
        test()
    except _FirstCheck as seen:
        return seen.args[0]
    finally:
        module.check = before
    raise ValueError(f"the first test of {module.__name__} shows nothing")


def _aligned(table: str) -> str:
    """The rows of an ASCII table, its columns under one another; Chinese characters are two wide."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines() if line.strip()]
    widths = [max(_width(row[n]) for row in rows if n < len(row)) for n in range(max(map(len, rows)))]
    lines = (
        " | ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} instead of printing it")
    options = parser.parse_args(arguments)
    if options.write:
        PAGE.write_text(manual(), encoding="utf-8")
    else:
        print(manual(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
