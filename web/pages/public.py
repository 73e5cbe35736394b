"""Pages for everybody: units with their posts, the pool's totals, open data. No account, no person, no flag."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Response, render_template, request

from core.errors import NotFound
from core.types import Level
from core.units import division_lineage
from night.published import PublicUnit
from web.errors import SENTENCES
from web.pages.flags import PAGE, TEXT_LIMIT
from web.public_cache import public_answer, public_cache, published
from web.public_files import COLUMNS, KINDS, open_file, schema

ENDPOINTS = ("public", "public_unit", "public_data", "public_file", "public_schema")
HTML = "text/html; charset=utf-8"


@dataclass
class PublicSum:
    """Units of a place, and the posts and people of those where both are known: like with like. None: of no unit.

    `unknown`: units left out because one of the two is not known.
    """

    place: str
    units: int = 0
    quota: int | None = None
    in_post: int | None = None
    unknown: int = 0

    @property
    def vacant(self) -> int | None:
        """quota − in post."""
        return None if self.quota is None or self.in_post is None else self.quota - self.in_post

    def add(self, unit: PublicUnit) -> None:
        """Add a unit's figures."""
        if unit.quota is None or unit.in_post is None:
            self.unknown += 1
        else:
            self.quota, self.in_post = (self.quota or 0) + unit.quota, (self.in_post or 0) + unit.in_post


def sums(units: Iterable[PublicUnit], place_of: Callable[[PublicUnit], str]) -> list[PublicSum]:
    """Totals per place. Parts of another unit's total count as units and add nothing: the total holds them."""
    held: dict[str, PublicSum] = {}
    for unit in units:
        so_far = held.setdefault(place_of(unit), PublicSum(place_of(unit)))
        so_far.units += 1
        if unit.part_of is None:
            so_far.add(unit)
    return list(held.values())


def show_public() -> Response:
    """Totals per level and division, the pool, and every published unit, found by name or code."""
    held = published()
    text = (request.args.get("q") or "").strip()[:TEXT_LIMIT]
    levels = list(Level)
    level = request.args.get("level") if request.args.get("level") in set(Level) else None
    division = (request.args.get("division") or "").strip()[:9] or None
    found = [
        unit
        for unit in held.units
        if (not text or text in unit.unit_name or text in unit.unit_code or text in unit.aliases)
        and (level is None or unit.level == level)
        and (division is None or division in division_lineage(unit.division_code))
    ]
    page_count = max(1, -(-len(found) // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), page_count)
    by_level = sorted(sums(held.units, lambda unit: unit.level), key=lambda each: levels.index(Level(each.place)))
    body = render_template(
        "public.html", held=held, total=sums(held.units, lambda unit: ""), by_level=by_level,
        by_division=sorted(sums(held.units, lambda unit: unit.division_code), key=lambda each: each.place),
        pools=sorted(held.pool, key=lambda pool: (levels.index(Level(pool.level)), pool.division_code)),
        units=found[(page - 1) * PAGE : page * PAGE], found=len(found), page=page, page_count=page_count, text=text,
        level=level, division=division, levels=levels,
    )  # fmt: skip
    return public_answer(held, body, HTML)


def show_public_unit(unit: str) -> Response:
    """One unit's posts."""
    held = published()
    shown = held.unit(unit)
    if shown is None:
        raise NotFound(SENTENCES[404])
    under: dict[str | None, list[PublicUnit]] = defaultdict(list)
    for each in held.units:
        under[each.parent_code].append(each)
    parent = held.unit(shown.parent_code) if shown.parent_code else None
    body = render_template("public_unit.html", held=held, unit=shown, parent=parent, under=under[shown.unit_code])
    return public_answer(held, body, HTML)


def show_public_data() -> Response:
    """The files, and what their columns mean."""
    held = published()
    body = render_template("public_data.html", held=held, columns=COLUMNS, forms=KINDS)
    return public_answer(held, body, HTML)


def show_public_file(book: str, form: str) -> Response:
    """A file of open data, for anybody and any page of the web."""
    held = published()
    content = public_cache().file(held, f"{book}.{form}", lambda: open_file(held, book, form))
    response = public_answer(held, content, KINDS[form], varies=False)
    day = held.state.as_of.isoformat() if held.state.as_of else "none"
    response.headers["Content-Disposition"] = f'attachment; filename="bianzhi-{book}-{day}.{form}"'
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def show_public_schema() -> Response:
    """The schema of the files."""
    held = published()
    body = json.dumps(schema(), ensure_ascii=False, indent=1).encode()
    response = public_answer(held, body, "application/schema+json; charset=utf-8", varies=False)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
