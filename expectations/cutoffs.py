"""Cut-off dates that files state about themselves in titles and notes (DOMAIN §4, D08). Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date

from core.identity import strip_spaces
from expectations.values import parse_date

_HAN = "〇○零一二三四五六七八九十"
_DATE = (
    rf"(?P<date>\d{{4}}(?:年\d{{1,2}}月(?:\d{{1,2}}[日号])?|(?P<sep>[-/.])\d{{1,2}}(?:(?P=sep)\d{{1,2}})?|\d{{2}}(?:\d{{2}})?)"
    rf"|[{_HAN}]{{4}}年[{_HAN}]{{1,3}}月(?:[{_HAN}]{{1,3}}[日号])?)(?P<end>月?[底末])?"
)
_LABEL = r"(?:截至|截止|统计时点|数据时点|时点|统计日期|统计时间|数据日期)"
# A date of signing or printing between the label and the date belongs to that, not to the cut-off.
_BEFORE = re.compile(rf"{_LABEL}(?P<gap>[^\d{_HAN}]{{0,8}}){_DATE}(?!\d)")
_AFTER = re.compile(rf"(?<!\d){_DATE}(?:为?止|时点|为?统计时点)")
_NOT_A_CUTOFF = re.compile(r"制表|打印|填报|填表|报送|上报|编制日期|印发|审核")


def cutoffs(texts: Iterable[str]) -> list[date]:
    """Distinct cut-off dates stated in titles and notes, earliest first.

    截至, 截止, 统计时点, 时点 or 统计日期 and a date in any usual form, or a date followed by 止 or 时点. A month alone, or
    月底, is its last day. 制表日期 and 打印日期 are no cut-offs.
    """
    found: set[date] = set()
    for text in texts:
        plain = strip_spaces(text)
        for pattern in (_BEFORE, _AFTER):
            for match in pattern.finditer(plain):
                if pattern is _BEFORE and _NOT_A_CUTOFF.search(match["gap"]):
                    continue
                value, exact, _ = parse_date(match["date"])
                if value is not None:
                    found.add(value if exact else value.replace(day=monthrange(value.year, value.month)[1]))
    return sorted(found)
