"""The many ways one value is written by people and spreadsheets, none of which may change its meaning (DOMAIN §3)."""

from __future__ import annotations

from datetime import date

from demo.names import TRADITIONAL
from expectations.books import WORDS, Column, Kind

WIDE = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}
DOTS = "•・‧"
SERIAL_EPOCH = date(1899, 12, 30)
BRACKETS = (("〔", "〕"), ("[", "]"), ("［", "］"), ("【", "】"))


def plain(column: Column, value: object, codes: bool = False) -> str:
    """The usual text of a value: the first label of a word (or its code number), ISO dates, yuan with two decimals."""
    if value is None:
        return ""
    if column.kind is Kind.WORD:
        return word(column, str(value), codes)
    if column.kind is Kind.MONEY:
        assert isinstance(value, int)
        sign = "-" if value < 0 else ""
        return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"
    return str(value)


def word(column: Column, identifier: str, codes: bool = False) -> str:
    assert column.words is not None
    spellings = WORDS[column.words][identifier]
    if codes:
        if column.name == "fund_mode":
            return {"FULL": "1", "PART": "2", "SELF": "3"}[identifier]
        return next((spelling for spelling in spellings if spelling.isdigit()), spellings[0])
    return spellings[0]


def odd_number(number: str, turn: int) -> str:
    """An identity number as people deliver it. Only for valid resident numbers."""
    forms = [
        number.lower(),
        f"{number[:6]} {number[6:14]} {number[14:]}",
        "'" + number,
        number.translate(WIDE),
        "　" + number + " ",
        number[:14] + "\u200b" + number[14:],
    ]
    if number[6:8] == "19":
        forms += [number[:6] + number[8:17], "000" + number[:6] + number[8:17]]
    return forms[turn % len(forms)]


def odd_name(name: str, turn: int) -> str:
    if "·" in name:
        return name.replace("·", DOTS[turn % len(DOTS)])
    if name.isascii():
        return name
    forms = ("　".join(name), "".join(TRADITIONAL.get(c, c) for c in name), name + " ", " ".join(name))
    return forms[turn % len(forms)]


def odd_date(day: date, turn: int) -> str:
    """Always the full day, so that no rule is put in doubt."""
    forms = (
        f"{day.year}-{day.month}-{day.day}",
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y/%m/%d}",
        f"{day:%Y.%m.%d}",
        str((day - SERIAL_EPOCH).days),
        f"{day:%Y-%m-%d} 00:00:00",
        f"{day:%Y-%m-%d}".translate(WIDE),
    )
    return forms[turn % len(forms)]


def month_only(day: date) -> str:
    """2011.05: only for days no rule asks about."""
    return f"{day:%Y.%m}"


def odd_month(month: str, turn: int) -> str:
    year, number = month.split("-")
    forms = (month, f"{year}{number}", f"{year}年{int(number)}月", f"{year}.{number}", f"{year}/{number}")
    return forms[turn % len(forms)]


def odd_code(code: str, turn: int) -> str:
    if "〔" in code:
        left, right = BRACKETS[turn % len(BRACKETS)]
        return code.replace("〔", left).replace("〕", right)
    return (code.translate(WIDE), f" {code}", f"{code}　", f"'{code}")[turn % 4]


def odd_money(text: str, turn: int) -> str:
    whole, _, cents = text.partition(".")
    grouped = f"{int(whole):,}.{cents}"
    return (grouped, text.translate(WIDE), f"¥{text}" if not text.startswith("-") else text, f"{text} ")[turn % 4]


def odd_word(column: Column, identifier: str, turn: int) -> str:
    assert column.words is not None
    spellings = (identifier, *WORDS[column.words][identifier])
    return spellings[turn % len(spellings)] + (" " if turn % 2 else "")


def odd(column: Column, value: object, turn: int, is_resident: bool = True) -> str:
    """Any value in one of its odd but equal spellings."""
    if value is None or value == "":
        return ""
    if column.kind is Kind.ID:
        return odd_number(str(value), turn) if is_resident else str(value)
    if column.kind is Kind.NAME:
        return odd_name(str(value), turn)
    if column.kind is Kind.DATE:
        assert isinstance(value, date)
        return odd_date(value, turn)
    if column.kind is Kind.MONTH:
        return odd_month(str(value), turn)
    if column.kind is Kind.CODE:
        return odd_code(str(value), turn)
    if column.kind is Kind.MONEY:
        return odd_money(plain(column, value), turn)
    if column.kind is Kind.WORD:
        return odd_word(column, str(value), turn)
    if column.kind is Kind.COUNT:
        return str(value).translate(WIDE) if turn % 2 else f"{value}.0"
    return str(value) + ("　" if turn % 2 else "")
