"""The two formulas of a cell's posts, each once, for every page, rule, mail and API (DOMAIN §5). Pure."""

from __future__ import annotations


def usable(*, quota: int, borrowed: int, deposited: int, in_post: int, open_permits: int, other_reserves: int) -> int:
    """Posts of a cell a person may still be put on; negative where it is over.

    deposited: own posts in the pool under the cell's name, lent or not. Source: DOMAIN §5, `usable(cell)`.
    """
    return quota + borrowed - deposited - in_post - open_permits - other_reserves


def allowed(*, quota: int, borrowed: int, lent: int) -> int:
    """Posts the people of a cell may fill (Q01, Q02, Q12); deposited but unlent posts still cover them."""
    return quota + borrowed - lent
