"""Adding up the three numbers for a page. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconcile.models import CellFigure

PLAIN = (
    "units", "unknown", "rated_quota", "rated_in_post", "compared_units", "compared_in_post", "compared_paid",
)  # fmt: skip


@dataclass
class Sum:
    """The known figures of a place, in posts and people, and of how many units a figure is unknown.

    None: no unit of the place has the figure. Blank is unknown, never zero.
    """

    place: str
    units: int = 0
    quota: int | None = None
    in_post: int | None = None
    paid: int | None = None
    unknown: int = 0
    # Rates and differences compare only units where both figures are known: like with like.
    rated_quota: int = 0
    rated_in_post: int = 0
    compared_in_post: int = 0
    compared_paid: int = 0

    compared_units: int = 0

    @property
    def difference(self) -> int | None:
        """paid − in post, people; None where no unit has both."""
        return self.compared_paid - self.compared_in_post if self.compared_units else None


def sums_by(totals: Iterable[CellFigure], place_of: Callable[[CellFigure], str | None], order: list[str]) -> list[Sum]:
    """Unit totals added up per place, places in `order`, unknown ones after it by name.

    Parts of another unit's total are left out: their total already holds them (DOMAIN §3).
    """
    sums: dict[str, Sum] = {}
    for figure in totals:
        if figure.part_of is not None:
            continue
        place = place_of(figure) or ""
        so_far = sums.setdefault(place, Sum(place))
        so_far.units += 1
        so_far.unknown += None in (figure.quota, figure.in_post, figure.paid)
        for name in ("quota", "in_post", "paid"):
            value = getattr(figure, name)
            if value is not None:
                setattr(so_far, name, (getattr(so_far, name) or 0) + value)
        _pair(so_far, figure)
    rank = {place: position for position, place in enumerate(order)}
    return sorted(sums.values(), key=lambda each: (rank.get(each.place, len(rank)), each.place))


def _pair(so_far: Sum, figure: CellFigure) -> None:
    if figure.in_post is not None and figure.quota is not None:
        so_far.rated_quota += figure.quota
        so_far.rated_in_post += figure.in_post
    if figure.in_post is not None and figure.paid is not None:
        so_far.compared_units += 1
        so_far.compared_in_post += figure.in_post
        so_far.compared_paid += figure.paid


def whole(sums: Iterable[Sum]) -> Sum:
    """All places together."""
    total = Sum("")
    for each in sums:
        for name in PLAIN:
            setattr(total, name, getattr(total, name) + getattr(each, name))
        for name in ("quota", "in_post", "paid"):
            value = getattr(each, name)
            if value is not None:
                setattr(total, name, (getattr(total, name) or 0) + value)
    return total
