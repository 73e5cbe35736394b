"""Functions and posts held against each other: what moved without the other, what stands without the other. Pure.

A function moved without its posts, or posts without a function, is visible (DOMAIN §6). Findings are work to look at, no
accusation: each carries the figures its sentence names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum


class Gap(StrEnum):
    """What does not go together."""

    ITEM_WITHOUT_POSTS = "ITEM_WITHOUT_POSTS"
    POSTS_WITHOUT_ITEM = "POSTS_WITHOUT_ITEM"
    CELL_WITHOUT_ITEM = "CELL_WITHOUT_ITEM"
    ITEM_UNSTAFFED = "ITEM_UNSTAFFED"
    OVER_ASSIGNED = "OVER_ASSIGNED"
    UNKNOWN_BODY = "UNKNOWN_BODY"


GAP_LABELS = {
    Gap.ITEM_WITHOUT_POSTS: "职能划转，编制未随转",
    Gap.POSTS_WITHOUT_ITEM: "编制划转，职能未随转",
    Gap.CELL_WITHOUT_ITEM: "有编制，无事项",
    Gap.ITEM_UNSTAFFED: "有事项，无编制",
    Gap.OVER_ASSIGNED: "事项所配编制多于核定",
    Gap.UNKNOWN_BODY: "承办机构不在三定规定内",
}
SENTENCES = {
    Gap.ITEM_WITHOUT_POSTS: "事项 {item} 于 {on} 由 {unit} 划给 {other}，原配编制 {assigned} 个；前后 {days} 天内两单位之间没有编制划转。",
    Gap.POSTS_WITHOUT_ITEM: "{on} 由 {unit} 划给 {other} 编制 {posts} 个（{document}），前后 {days} 天内没有事项随转。",
    Gap.CELL_WITHOUT_ITEM: "核定编制 {posts} 个，没有任何事项使用。",
    Gap.ITEM_UNSTAFFED: "事项 {item} 没有配备任何编制。",
    Gap.OVER_ASSIGNED: "事项共配编制 {assigned} 个，核定只有 {posts} 个。",
    Gap.UNKNOWN_BODY: "事项 {item} 的承办机构“{body}”不在现行三定规定的内设机构之中。",
}
Cell = tuple[str, str]  # post type, fund form


@dataclass(frozen=True)
class Item:
    """An item of a unit's list. posts: per cell, how many work on it."""

    unit_code: str
    code: str
    name: str
    valid_from: date
    valid_to: date | None = None
    inner_body: str | None = None
    posts: Mapping[Cell, int] = field(default_factory=dict)

    @property
    def assigned(self) -> int:
        return sum(self.posts.values())

    def holds(self, on: date) -> bool:
        """Whether the item is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or self.valid_to >= on)


@dataclass(frozen=True)
class PostMove:
    """Posts that changed owner: TRANSFER has both ends, GRANT a taker, CUT a giver."""

    giver: str | None
    taker: str | None
    post_type: str
    fund_form: str
    posts: int
    on: date
    document_no: str


@dataclass(frozen=True)
class ItemMove:
    """An item that changed unit: in force at the giver until the day before, at the taker from the day on."""

    item: Item
    giver: str
    taker: str
    on: date


@dataclass(frozen=True)
class Finding:
    """One gap. figures: what its sentence names beside the units."""

    gap: Gap
    unit_code: str
    other_code: str | None = None
    on: date | None = None
    item_code: str | None = None
    post_type: str | None = None
    fund_form: str | None = None
    figures: Mapping[str, int | str] = field(default_factory=dict)


def item_moves(items: Iterable[Item], days: int) -> list[ItemMove]:
    """Items that ended at one unit and began at another, under the same code, within `days` days after."""
    by_code: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_code[item.code].append(item)
    moves = []
    for held in by_code.values():
        for ended in held:
            if ended.valid_to is None:
                continue
            begun = [
                item for item in held
                if item.unit_code != ended.unit_code and ended.valid_to < item.valid_from <= ended.valid_to + timedelta(days)
            ]  # fmt: skip
            if begun:
                first = min(begun, key=lambda item: (item.valid_from, item.unit_code))
                moves.append(ItemMove(ended, ended.unit_code, first.unit_code, first.valid_from))
    return sorted(moves, key=lambda move: (move.on, move.item.code, move.giver))


def post_moves(movements: Iterable[PostMove], days: int) -> list[PostMove]:
    """Posts that went from one unit to another: each TRANSFER, and each CUT paired with a GRANT of the same cell in time.

    A GRANT pairs once, with the CUT nearest to it; the pair counts the smaller number of posts, on the GRANT's day.
    """
    rows = list(movements)
    found = [row for row in rows if row.giver and row.taker]
    cuts = sorted((row for row in rows if row.giver and not row.taker), key=lambda row: (row.on, row.giver))
    used: set[int] = set()
    for grant in sorted((row for row in rows if row.taker and not row.giver), key=lambda row: (row.on, row.taker)):
        near = [
            (abs((cut.on - grant.on).days), place)
            for place, cut in enumerate(cuts)
            if place not in used and cut.giver != grant.taker
            and (cut.post_type, cut.fund_form) == (grant.post_type, grant.fund_form)
            and cut.document_no == grant.document_no and abs((cut.on - grant.on).days) <= days
        ]  # fmt: skip
        if near:
            place = min(near)[1]
            used.add(place)
            found.append(PostMove(cuts[place].giver, grant.taker, grant.post_type, grant.fund_form,
                                  min(cuts[place].posts, grant.posts), grant.on, grant.document_no))  # fmt: skip
    return sorted(found, key=lambda row: (row.on, row.giver or "", row.taker or ""))


def moved_apart(
    items: Iterable[Item], movements: Iterable[PostMove], listed: Collection[str], days: int
) -> list[Finding]:
    """Items moved without posts, posts moved without an item; units that have no list are judged by neither.

    listed: units with a list. days: within how many the other has to follow, before or after.
    """
    moves, posts = item_moves(items, days), post_moves(movements, days)
    near = lambda first, second: abs((first - second).days) <= days
    found = [
        Finding(Gap.ITEM_WITHOUT_POSTS, move.giver, move.taker, move.on, move.item.code,
                figures={"assigned": move.item.assigned, "days": days})
        for move in moves
        if not any((row.giver, row.taker) == (move.giver, move.taker) and near(row.on, move.on) for row in posts)
    ]  # fmt: skip
    found += [
        Finding(Gap.POSTS_WITHOUT_ITEM, row.giver, row.taker, row.on, None, row.post_type, row.fund_form,
                {"posts": row.posts, "document": row.document_no, "days": days})
        for row in posts
        if {row.giver, row.taker} <= set(listed)
        and not any((move.giver, move.taker) == (row.giver, row.taker) and near(row.on, move.on) for move in moves)
    ]  # fmt: skip
    return found


def standing_apart(
    items: Iterable[Item], quotas: Mapping[tuple[str, str, str], int], bodies: Mapping[str, Collection[str]], on: date
) -> list[Finding]:
    """What a day's lists and quotas say of each other. quotas: (unit, type, form) → posts. bodies: unit → inner bodies
    of its 三定, absent where it has none. Units without an item in force have no list and are left out."""
    held = [item for item in items if item.holds(on)]
    listed = {item.unit_code for item in held}
    assigned: dict[tuple[str, str, str], int] = defaultdict(int)
    found = []
    for item in held:
        for (post_type, fund_form), posts in item.posts.items():
            assigned[item.unit_code, post_type, fund_form] += posts
        if not item.assigned:
            found.append(Finding(Gap.ITEM_UNSTAFFED, item.unit_code, item_code=item.code))
        if item.inner_body and item.inner_body not in bodies.get(item.unit_code, [item.inner_body]):
            found.append(
                Finding(Gap.UNKNOWN_BODY, item.unit_code, item_code=item.code, figures={"body": item.inner_body})
            )
    for cell in sorted({*assigned, *(cell for cell in quotas if cell[0] in listed)}):
        posts, uses = quotas.get(cell, 0), assigned.get(cell, 0)
        if posts > 0 and not uses:
            found.append(Finding(Gap.CELL_WITHOUT_ITEM, cell[0], None, None, None, *cell[1:], {"posts": posts}))
        elif uses > posts:
            found.append(
                Finding(Gap.OVER_ASSIGNED, cell[0], None, None, None, *cell[1:], {"assigned": uses, "posts": posts})
            )
    return sorted(found, key=lambda each: (each.unit_code, each.gap, each.item_code or "", each.post_type or ""))


def sentence(finding: Finding, names: Mapping[str, str]) -> str:
    """The finding in one Chinese sentence. names: unit code → name."""
    name = lambda code: names.get(code, code) if code else ""
    return SENTENCES[finding.gap].format(
        unit=name(finding.unit_code), other=name(finding.other_code), on=finding.on, item=finding.item_code,
        **finding.figures,
    )  # fmt: skip
