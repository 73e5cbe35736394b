"""Invented people: names as they occur, and identity numbers that are valid but belong to nobody.

Every number begins with 9901, a place code that does not exist.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import numpy as np

from core.identity import check_digit
from core.retirement import DEFAULT_TABLE, GROUPS, Retirement, age_text

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
        self.as_of = as_of
        self.youngest = date(as_of.year - FIRST_AGE, 1, 1)
        self.issued = 0
        self.retirement = Retirement.of(DEFAULT_TABLE)
        self.elders: set[str] = set()

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

    def elder(self, post_type: str, months: int, sex: str | None = None) -> Person:
        """Somebody who reaches the statutory age of their post `months` after the last night's month.

        0: on the very day of that night, when the table leaves somebody to; below 0: past it by so much. sex: M or F.
        """
        woman = sex == "F" if sex else self.random.random() < 0.5
        worker = post_type in self.retirement.worker_post_types
        born = self.birth_month(GROUPS[(2 if worker else 1) if woman else 0], months)
        day = self.as_of.day if months == 0 else self.random.randrange(1, 29)
        day = min(day, monthrange(born // 12, born % 12 + 1)[1])
        return Person(self._elder_number(f"{born // 12}{born % 12 + 1:02d}{day:02d}", woman), self.name())

    def twin(self, person: Person) -> Person:
        """Another number of the same birth day and sex, for the same name."""
        return Person(self._elder_number(person.number[6:14], int(person.number[16]) % 2 == 0), person.name)

    def _elder_number(self, born: str, woman: bool) -> str:
        """A number at a place of its own, not handed out before."""
        while True:
            place, sequence = self.random.randrange(PLACES + 1, 100), 2 * self.random.randrange(1, 499) + (not woman)
            first17 = f"9901{place:02d}{born}{sequence:03d}"
            number = first17 + check_digit(first17)
            if number not in self.elders:
                self.elders.add(number)
                return number

    def birth_month(self, group: str, months: int) -> int:
        """The first birth month (counted from year 0) whose statutory age falls `months` after the last night or later."""
        due = self.as_of.year * 12 + self.as_of.month - 1 + months
        born = np.arange(due - 66 * 12, due - 48 * 12)
        ages = self.retirement.ages_in_months(born, np.full(len(born), GROUPS.index(group)))
        return int(born[np.flatnonzero(born + ages >= due)[0]])

    def past(self, number: str, post_type: str, rank: str | None, as_of: date) -> tuple[str, str] | None:
        """(age, statutory age) as the gate says them of somebody past it on a day; None of everybody else."""
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        months = born.year * 12 + born.month - 1
        woman = int(number[16]) % 2 == 0 and rank not in self.retirement.as_male_ranks
        group = (2 if post_type in self.retirement.worker_post_types else 1) if woman else 0
        due = int(self.retirement.ages_in_months(np.array([months]), np.array([group]))[0])
        year, month = divmod(months + due, 12)
        reached = date(year, month + 1, min(born.day, monthrange(year, month + 1)[1]))
        age = as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
        return (age_text(age * 12), age_text(due)) if reached < as_of else None

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
