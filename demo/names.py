"""Invented people: names as they occur, and identity numbers that are valid but belong to nobody.

Every number begins with 9901, a place code that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from core.identity import check_digit

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
LONG_SURNAMES = ("欧阳", "司马", "上官", "诸葛", "皇甫")
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红志国建文永春云飞雪梅海燕晓东宁思远子涵雨欣浩然嘉怡梓萱俊凯"
)
RARE_NAMES = ("赵䶮", "李㛃", "王𬭎", "周䶮华", "钱㛃文", "孙𬭎志")
DOTTED_NAMES = ("买买提·艾力", "阿依古丽·吐尔逊", "巴特尔·乌兰", "扎西·次仁", "迪丽娜尔·阿不都")
AWKWARD_NAMES = ("NA", "None", "null", "NaN", "无")
# Characters the spelling dirt writes in their traditional form; each folds back to one simplified character.
TRADITIONAL = dict(
    zip(
        "张刘陈杨黄赵吴马罗郑谢韩冯邓钟谭陆范丽强军勇艳杰娟华兰红国云飞东远",
        "張劉陳楊黃趙吳馬羅鄭謝韓馮鄧鍾譚陸範麗強軍勇豔傑娟華蘭紅國雲飛東遠",
        strict=True,
    )
)
FIRST_AGE, AGE_SPAN_DAYS, PLACES = 24, 9_000, 90


@dataclass(frozen=True)
class Person:
    """One invented person: a normalised identity number and a name as written."""

    number: str
    name: str


class Registry:
    """Hands out people who are all different. Deterministic for a seed."""

    def __init__(self, seed: int, as_of: date) -> None:
        self.random = Random(f"{seed}|people")
        self.youngest = date(as_of.year - FIRST_AGE, 1, 1)
        self.issued = 0

    def person(self) -> Person:
        return Person(self.number(), self.name())

    def number(self) -> str:
        """Unique by birth day, place and block of the sequence; sex falls out of the sequence."""
        n, self.issued = self.issued, self.issued + 1
        birth = self.youngest - timedelta(days=(n * 7919) % AGE_SPAN_DAYS + 1)
        place = 1 + n // AGE_SPAN_DAYS % PLACES
        block = n // (AGE_SPAN_DAYS * PLACES)
        sequence = 1 + block % 100 + 100 * (n % 9)
        first17 = f"9901{place:02d}{birth:%Y%m%d}{sequence:03d}"
        return first17 + check_digit(first17)

    def name(self) -> str:
        draw = self.random.random()
        if draw < 0.004:
            return self.random.choice(RARE_NAMES)
        if draw < 0.008:
            return self.random.choice(DOTTED_NAMES)
        if draw < 0.010:
            return self.random.choice(AWKWARD_NAMES)
        surname = self.random.choice(LONG_SURNAMES) if draw < 0.02 else self.random.choice(SURNAMES)
        given = "".join(self.random.choices(GIVEN, k=2 if draw > 0.25 else 1))
        return surname + given


def invalid_number(number: str, problem: str) -> str:
    """A number made wrong in exactly one way of `core.identity.IdProblem`; never one that looks damaged by Excel.

    Different numbers stay different.
    """
    if problem == "LENGTH":
        return number[:17]
    if problem == "CHARSET":
        return number[:10] + "AB"[int(number[10])] + number[11:]
    if problem == "BIRTH_DATE":
        first17 = f"{number[:10]}{int(number[10:12]) + 12}{number[12:17]}"  # months 13 to 24
        return first17 + check_digit(first17)
    last = "1" if number[17] != "1" else "2"
    return number[:17] + last
