"""What a night looks up beside its books: the finance-paid people of a year ago, division by division."""

from __future__ import annotations

from datetime import date

from tests.nightkit import A, House, deliver, member, pay, quota, unit

THIS, OTHER = "990102", "990103"
# The first and the last of the month a year before A, and a night of the next one.
EARLY, LATE, NEXT_MONTH = date(2025, 10, 12), date(2025, 10, 31), date(2025, 11, 3)
UNREADABLE = "一,二\n1,2\n"


def _deliver(house: House, as_of: date, division: str, paid: int, **instead: str) -> None:
    """A division of one unit and four people, of whom so many are paid."""
    code, people = division, range(4) if division == THIS else range(10, 14)
    books = {
        "units": [unit(code, division)],
        "establishment": [quota(code)],
        "roster": [member(n, code) for n in people],
        "payroll": [pay(n, code, month=f"{as_of:%Y-%m}") for n in people[:paid]],
    }
    deliver(house.inbox, as_of, division, **(books | instead))


def test_a_division_refused_on_the_last_night_of_then_keeps_its_earlier_one(settings):
    house = House(settings)
    for as_of, paid in ((EARLY, 1), (LATE, 2), (NEXT_MONTH, 4)):
        _deliver(house, as_of, THIS, paid)
    _deliver(house, EARLY, OTHER, 3)
    _deliver(house, LATE, OTHER, 4, payroll=UNREADABLE)
    _deliver(house, NEXT_MONTH, OTHER, 1)
    for division in (THIS, OTHER):
        _deliver(house, A, division, 4)
    codes = [house.night(as_of) for as_of in (EARLY, LATE, NEXT_MONTH, A)]
    found = {flag["division_code"]: (flag["expected"], flag["found"]) for flag in house.flags(A, "F11")}
    assert found == {THIS: (2, 4), OTHER: (3, 4)}
    assert codes[1] != 0  # the night of the refused payroll was red, and counts for the other division
