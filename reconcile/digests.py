"""What mails say: counts, rule names and links; never a person, an id or a name. Chinese, as text and as HTML. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from core.accounts import Role
from core.types import BookVerdict
from expectations.books import BOOKS
from reconcile.catalog import RESTRICTED, RULES

FLAGS, BOOK_VERDICTS, PARKED, SILENCE = "flags", "books", "parked", "silence"
UNMAILED = frozenset(RESTRICTED)
# Who answers for each book, besides nobody else: the data owner is told what the gate said of it.
OWNERS: dict[str, frozenset[Role]] = {
    "units": frozenset({Role.REVIEWER}),
    "establishment": frozenset({Role.REVIEWER}),
    "roster": frozenset({Role.PERSONNEL, Role.REVIEWER}),
    "payroll": frozenset({Role.FINANCE}),
    "headcount": frozenset({Role.REVIEWER}),
    "permits": frozenset({Role.REVIEWER}),
    "leads": frozenset({Role.AUDITOR}),
    "base": frozenset({Role.REVIEWER}),
    "limits": frozenset({Role.REVIEWER}),
}
SEVERITIES = {"S1": "严重", "S2": "违规", "S3": "程序疏漏", "S4": "数据质量"}
VERDICTS = {
    BookVerdict.ACCEPTED: "已接收",
    BookVerdict.ACCEPTED_WITH_QUARANTINE: "已接收，有隔离行",
    BookVerdict.REJECTED: "拒收",
    BookVerdict.MISSING: "缺报",
}
LONG_NUMBER = re.compile(r"\d{12,}[\dXx*]*")
MESSAGE_LIMIT = 200


@dataclass(frozen=True)
class RuleCount:
    """One line: flags of a rule and severity. `fresh`: opened or reopened tonight. `live`: all not closed."""

    rule: str
    severity: str
    fresh: int
    live: int
    closed: int


@dataclass(frozen=True)
class BookLine:
    """What the gate said of one book. `messages`: about files, not rows."""

    division_code: str
    book: str
    verdict: BookVerdict
    rows_in: int
    accepted: int
    duplicates: int
    quarantined: int
    messages: tuple[str, ...] = ()

    @property
    def troubles(self) -> bool:
        """Whether its owner has something to do."""
        return self.verdict is not BookVerdict.ACCEPTED


@dataclass(frozen=True)
class Letter:
    """A mail's subject and its two bodies."""

    subject: str
    text: str
    html: str


def flags_letter(as_of: date, counts: Iterable[RuleCount], absent: Sequence[BookLine], portal: str) -> Letter | None:
    """Counts of one person's flags, and the books whose absence kept rules from judging. None when there is nothing."""
    lines = sorted(
        (count for count in counts if count.rule not in UNMAILED and (count.fresh or count.live or count.closed)),
        key=lambda count: (count.severity, count.rule),
    )
    if not lines and not absent:
        return None
    live = sum(count.live for count in lines)
    fresh = sum(count.fresh for count in lines)
    closed = sum(count.closed for count in lines)
    subject = f"【编制核对】{as_of} 不符项：未销号 {live}，新增 {fresh}，销号 {closed}"
    header = ("级别", "规则", "未销号", "本夜新增", "本夜数据销号")
    rows = [
        (f"{count.severity} {SEVERITIES[count.severity]}", f"{count.rule} {rule_name(count.rule)}",
         str(count.live), str(count.fresh), str(count.closed))
        for count in lines
    ]  # fmt: skip
    notes = [f"{line.division_code} {_book(line)}：{VERDICTS[line.verdict]}，相关规则本夜未能判断" for line in absent]
    opening = f"{as_of} 夜间核对，您管辖范围内的不符项如下（只列数量，详情请登录查看）："
    return _letter(subject, opening, header, rows, notes, f"{portal}/flags?as_of={as_of}")


def books_letter(as_of: date, lines: Iterable[BookLine], portal: str) -> Letter | None:
    """The gate's verdicts on one data owner's books. None when every one was accepted whole."""
    troubled = sorted((line for line in lines if line.troubles), key=lambda line: (line.division_code, line.book))
    if not troubled:
        return None
    subject = f"【编制核对】{as_of} 报送批次：{len(troubled)} 份需要处理"
    header = ("区划", "批次", "结论", "报送行数", "接收", "重复", "隔离")
    rows = [
        (line.division_code, _book(line), VERDICTS[line.verdict], str(line.rows_in), str(line.accepted),
         str(line.duplicates), str(line.quarantined))
        for line in troubled
    ]  # fmt: skip
    notes = [
        f"{line.division_code} {_book(line)}：{harmless(message)}" for line in troubled for message in line.messages
    ]
    opening = f"{as_of} 夜间核对，您负责的下列批次被拒收、缺报或有隔离行，请更正后用同一日期补报："
    return _letter(subject, opening, header, rows, notes, f"{portal}/nights/{as_of}")


def parked_letter(as_of: date, new_flags: int, portal: str) -> Letter:
    """A night waits for a person because too many flags are new."""
    subject = f"【编制核对】{as_of} 待放行：新增不符项 {new_flags}"
    opening = f"{as_of} 夜间核对新增不符项 {new_flags} 条，超过设定的上限，已暂停结转，未通知任何单位。请核实后放行："
    return _letter(subject, opening, (), [], [], f"{portal}/nights/{as_of}")


def silence_letter(as_of: date, portal: str) -> Letter:
    """The watchdog: nothing was delivered."""
    subject = f"【编制核对】截至 {as_of} 没有可核对的报送"
    opening = f"截至 {as_of}，收件夹中没有新的报送，夜间核对没有进行。请联系各数据报送单位。"
    return _letter(subject, opening, (), [], [], f"{portal}/nights")


def rule_name(code: str) -> str:
    """The rule's name, or its code when the catalog no longer has it."""
    return RULES[code].name if code in RULES else code


def harmless(message: str) -> str:
    """A sentence of the gate without anything as long as an identity number, cut to MESSAGE_LIMIT."""
    text = LONG_NUMBER.sub("…", " ".join(message.split()))
    return text if len(text) <= MESSAGE_LIMIT else text[:MESSAGE_LIMIT] + "…"


def _book(line: BookLine) -> str:
    return f"{BOOKS[line.book].label}（{line.book}）"


def _letter(
    subject: str, opening: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str], link: str
) -> Letter:
    parts = [opening, ""]
    if rows:
        parts += ["　".join(header), *("　".join(row) for row in rows), ""]
    parts += [*notes, *([""] if notes else []), f"查看：{link}", "", "本邮件由系统自动发出，请勿回复。"]
    return Letter(subject, "\n".join(parts), _html(opening, header, rows, notes, link))


def _html(opening: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str], link: str) -> str:
    # Mail programs know little: one table, inline styles, no script, no picture.
    cell = 'style="border:1px solid #999;padding:4px 8px;text-align:left"'
    row = lambda tag, values: (
        "<tr>" + "".join(f"<{tag} {cell}>{html.escape(value)}</{tag}>" for value in values) + "</tr>"
    )
    table = ""
    if rows:
        body = "".join(row("td", values) for values in rows)
        table = f'<table style="border-collapse:collapse">{row("th", header)}{body}</table>'
    listed = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return (
        '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"></head>'
        '<body style="font-family:sans-serif;font-size:14px">'
        f"<p>{html.escape(opening)}</p>{table}{f'<ul>{listed}</ul>' if notes else ''}"
        f'<p><a href="{html.escape(link)}">{html.escape(link)}</a></p>'
        "<p>本邮件由系统自动发出，请勿回复。</p></body></html>"
    )
