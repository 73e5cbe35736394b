"""Data Docs of a night: Great Expectations' own renderer on our masked results, in a page that loads nothing.

Great Expectations' page takes its looks from five other sites and calls home through a picture, so only its sections
are used; the page round them is ours. What it shows of a failing row is the row's number, never a value.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.errors import InvariantViolated
from expectations.books import BOOKS
from expectations.snapshot_files import replace_file

STAGES = {
    "deliveries": "报送文件",
    "columns": "逐列检查",
    "rows": "行间检查",
    "divisions": "整批检查",
    "accounting": "控制等式",
}
# What Great Expectations says in English round every table.
PHRASES = {
    "Overview": "概况",
    "Expectation Validation Result": "检查结果",
    "Evaluates whether a batch of data matches expectations.": "",
    "Expectation Suite:": "检查组：",
    "Data asset:": "",
    "Status:": "结论：",
    "Succeeded": "通过",
    "Failed": "未通过",
    "Statistics": "统计",
    "Evaluated Expectations": "检查项",
    "Successful Expectations": "通过",
    "Unsuccessful Expectations": "未通过",
    "Success Percent": "通过率",
    "Sampled Unexpected Values": "例：源文件行号",
    "Observed Value": "观察到",
    "Show more info...": "更多",
    "Table-Level Expectations": "整表",
    "Status": "",
    "Expectation": "应当",
    "Info": "信息",
    "Great Expectations Version": "Great Expectations 版本",
    "Run Name": "检查组",
    "Run Time": "",
    "__none__": "",
    "Unexpected": "未通过",
}
STYLE = """
:root{--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--back:#fff;--good:#1a7f37;--bad:#b42318}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#30363d;--back:#0d1117;--good:#3fb950;--bad:#ff7b72}}
body{margin:0 auto;max-width:72rem;padding:1rem;font:1rem/1.6 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;
 color:var(--ink);background:var(--back)}
h1{font-size:1.4rem}h2,h3,h4,h5{font-size:1.1rem}a{color:inherit}
table{border-collapse:collapse;margin:.5rem 0;width:100%}
th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
table table{width:auto}.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}
.badge{border:1px solid var(--line);border-radius:.3rem;padding:0 .3rem}.fa-check-circle::before{content:"✓ ";color:var(--good)}
.fa-times::before,.fa-exclamation-triangle::before{content:"✗ ";color:var(--bad)}
.collapse:not(.show){display:none}.only-failed .passed{display:none}
"""
SCRIPT = """
document.querySelectorAll("[data-toggle=collapse]").forEach(function (link) {
  link.addEventListener("click", function (event) {
    event.preventDefault();
    var target = document.querySelector(link.getAttribute("href") || link.dataset.target);
    if (target) { target.classList.toggle("show"); }
  });
});
var box = document.getElementById("only-failed");
if (box) { box.addEventListener("change", function () { document.body.classList.toggle("only-failed", box.checked); }); }
"""
_LOADS = re.compile(
    r"""(?:src|href|action|data)\s*=\s*["']?\s*(?:[a-z]+:)?//|url\(\s*["']?(?:[a-z]+:)?//|@import""", re.I
)
_RANDOM = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OUTSIDE = re.compile(r"<(script|link|iframe|object|embed)\b[^>]*>(?:.*?</\1>)?|<img\b[^>]*>", re.I | re.S)


def build_docs(results: Path, target: Path, title: str = "") -> Path:
    """Render every result of a night into one site and give its index page.

    results: the folder the gate wrote its `<book>.json` into. target: folder of the site; replaced. title: e.g. the
    night's date. Errors: InvariantViolated when a page would load anything from outside.
    """
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    entries = []
    for book in BOOKS:
        path = results / f"{book}.json"
        documents = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        for number, document in enumerate(documents, start=1):
            name = f"{book}-{number:04d}.html"
            heading = _heading(document)
            body = _sections(document["result"])
            _write(fresh / name, f"{title} {heading}".strip(), f'<p><a href="index.html">目录</a></p>{body}')
            entries.append((name, heading, document))
    _write(fresh / "index.html", f"{title} 数据检查".strip(), _index(entries))
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return target / "index.html"


def _heading(document: dict[str, Any]) -> str:
    parts = (BOOKS[document["book"]].label, STAGES[document["stage"]], document["division_code"], document["file"])
    return " · ".join(part for part in parts if part)


def _index(entries: Iterable[tuple[str, str, dict[str, Any]]]) -> str:
    rows = []
    for name, heading, document in entries:
        results = document["result"]["results"]
        failed = sum(not one["success"] for one in results)
        held = sum(one["result"].get("unexpected_count", 0) for one in results)
        mark = f'<span class="bad">✗ {failed} 项未通过</span>' if failed else '<span class="good">✓ 通过</span>'
        link = f'<a href="{name}">{html.escape(heading)}</a>'
        kind = "failed" if failed else "passed"
        rows.append(f'<tr class="{kind}"><td>{link}</td><td>{len(results)}</td><td>{mark}</td><td>{held}</td></tr>')
    head = "<tr><th>检查</th><th>项数</th><th>结论</th><th>未通过的行次</th></tr>"
    box = '<p><label><input type="checkbox" id="only-failed"> 只看未通过</label></p>'
    return f"{box}<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _sections(result: dict[str, Any]) -> str:
    """The sections of Great Expectations' validation page, without anything that points outside."""
    from expectations.validation import page_sections

    # Random numbers in its anchors would make every run's pages differ.
    text = _RANDOM.sub("", _OUTSIDE.sub("", page_sections(result)))
    for english, chinese in PHRASES.items():
        text = re.sub(rf"(?<=>)(\s*){re.escape(english)}(\s*)(?=<)", rf"\g<1>{chinese}\g<2>", text)
    return text


def _write(path: Path, title: str, body: str) -> None:
    page = (
        '<!DOCTYPE html>\n<html lang="zh-Hans"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1><main>{body}</main><script>{SCRIPT}</script></body></html>\n"
    )
    if found := _LOADS.search(page):
        raise InvariantViolated(f"{path.name} would load something from outside: {found[0]}")
    replace_file(path, lambda fresh: fresh.write_text(page, encoding="utf-8"))
