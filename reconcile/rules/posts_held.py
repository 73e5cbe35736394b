"""Q03 混编混岗 and Q04 超职数: who holds which kind of post. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from core.types import CopyKind, LeaderTier
from reconcile.rules.over_quota import rows
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import answer, as_count, cell_columns, cell_text, choose, sorted_list
from reconcile.rules.units import judged

LEADER_COLUMNS = {
    LeaderTier.CHIEF.value: "leaders_chief",
    LeaderTier.DEPUTY.value: "leaders_deputy",
    LeaderTier.INNER_CHIEF.value: "leaders_inner_chief",
    LeaderTier.INNER_DEPUTY.value: "leaders_inner_deputy",
}


def q03(active: Table, place: Table, night: Night) -> Table:
    """Active persons whose post type the unit's kind may not have. A unit without a known kind fires nothing."""
    kinds = place.filter(place.unit_kind.notnull()).select("unit_code", "unit_kind")
    held = active.filter(active.person_key.notnull()).join(kinds, "unit_code")
    allowed = ibis.literal(False)
    for kind, types in night.allowed_post_types:
        allowed = allowed | ((held.unit_kind == kind) & held.post_type.isin(types))
    wrong = judged(held.filter(~allowed), place, "Q03")
    wrong = wrong.mutate(cell=cell_text(wrong))
    people = wrong.group_by("person_key", "unit_code", "unit_kind").agg(
        cell=wrong.cell.min(), found=sorted_list(wrong.post_type)
    )
    listed = choose(*((people.unit_kind == kind, ";".join(sorted(types))) for kind, types in night.allowed_post_types))
    return answer(
        people, "Q03", person_key=people.person_key, unit_code=people.unit_code,
        expected=listed.fill_null("-"), found=people.found, **cell_columns(people.cell),
    )  # fmt: skip


def q03_gaps(active: Table, place: Table) -> Table:
    """Not evaluable: people in a unit whose kind is not known, because `units` does not have it."""
    people = active.filter(active.person_key.notnull()).select("unit_code").distinct()
    able = judged(people, place, "Q03").select("unit_code")
    unknown = place.filter(place.unit_kind.isnull()).select("unit_code", "home")
    return rows(unknown.semi_join(able, "unit_code"), "Q03", "units")


def leaders(i: Inputs, active: Table, place: Table) -> Table:
    """Per unit and tier with leaders: `posts` (null when every LEDGER row leaves it blank) and `leaders`, each person
    once. Units of persons with roster and establishment only."""
    holders = active.filter(active.leader_tier.notnull())
    known = holders.person_key.nunique()
    tiers = holders.group_by("unit_code", "leader_tier").agg(
        leaders=known + holders.person_key.isnull().sum().cast("int64")
    )
    ledger = i.establishment.filter(i.establishment["copy"] == CopyKind.LEDGER.value)
    posts = ledger.group_by("unit_code").agg(**{column: ledger[column].sum() for column in LEADER_COLUMNS.values()})
    joined = tiers.left_join(posts.mutate(has_row=True), "unit_code", rname="posts_{name}")
    stated = ibis.cases(
        *((joined.leader_tier == tier, joined[column]) for tier, column in LEADER_COLUMNS.items()),
        else_=ibis.null("int64"),
    )
    tiers = joined.select("unit_code", "leader_tier", "leaders", posts=joined.has_row.isnull().ifelse(0, stated))
    return judged(tiers, place, "Q04").select("unit_code", "leader_tier", "leaders", "posts")


def q04(tiers: Table, unknown: Table) -> Table:
    over = tiers.anti_join(unknown, "unit_code").filter(tiers.leaders > tiers.posts)
    return answer(
        over, "Q04", unit_code=over.unit_code, leader_tier=over.leader_tier,
        expected=as_count(over.posts), found=as_count(over.leaders),
    )  # fmt: skip


def q04_gaps(tiers: Table, unknown: Table, place: Table) -> Table:
    """Not evaluable: a tier with leaders whose posts every LEDGER row leaves blank, or in a unit of unknown quota."""
    held = tiers.semi_join(unknown, "unit_code").select("unit_code")
    blank = tiers.filter(tiers.posts.isnull()).select("unit_code").union(held, distinct=True)
    return rows(blank.join(place.select("unit_code", "home"), "unit_code"), "Q04")
