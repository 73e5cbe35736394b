"""The proof of the tree: T of every node from the entries, and the limits; shares nothing with pool.tree."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pool.proof_rows import CELL, MOST_NAMED, Proof, Rows, same


@dataclass(frozen=True)
class Claims:
    """What the posts of one partition count for. held: KEY, posts and owner_id of what is home, pooled or borrowed;
    asked: purpose, to_holder and posts of what is pending, by the asker."""

    held: pd.DataFrame
    asked: pd.DataFrame

    def of(self, purpose: str) -> Claims:
        """Those of one purpose; '' = all."""
        if purpose == "":
            return self
        return Claims(self.held[self.held.purpose == purpose], self.asked[self.asked.purpose == purpose])


def sums_are_right(rows: Rows) -> Proof:
    """T of every node, from the entries, equals the sums kept."""
    kept = rows.sums.set_index([*CELL, "purpose", "node_id"])["surplus"]
    found = {}
    for partition, purpose, claims in _trees(rows):
        for node_id, surplus in _surpluses(rows, partition, purpose, *_own(claims, purpose)).items():
            found[*partition, purpose, node_id] = surplus
    ours = pd.Series(found, dtype="int64")
    if len(ours):
        ours.index = pd.MultiIndex.from_tuples(ours.index, names=[*CELL, "purpose", "node_id"])
    return same("T recomputed = T kept", ours, kept)


def _trees(rows: Rows):
    """(partition, purpose, claims) of every tree there is."""
    for partition, claims in _claims(rows).items():
        for purpose in ["", *sorted(set(claims.held.purpose) - {""})]:
            yield partition, purpose, claims


def feasible_or_in_debt(rows: Rows) -> Proof:
    """T ≥ −borrowing limit, and ≥ floor at a root. Short is a node by no more than the excess over quota below it, what of
    an excess its holder has made up with posts from a pool, and what it was short of already when its limit was set."""
    name, checked, broken = "limits hold at every node", 0, []
    above = dict(zip(rows.node.id, rows.node.parent_id, strict=True))
    for partition, purpose, claims in _trees(rows):
        surplus = _surpluses(rows, partition, purpose, *_own(claims, purpose))
        excess = _excess_below(claims.held, purpose, above)
        limits = rows.limit[(rows.limit.post_type == partition[0]) & (rows.limit.fund_form == partition[1])]
        limits = limits[limits.purpose == purpose].set_index("node_id")
        for node_id, held in surplus.items():
            short = _short(node_id, held, above, limits)
            allowed = excess.get(node_id, 0)
            if short > allowed and purpose == "":
                allowed += _made_up_below(rows, partition, above).get(node_id, 0)
            if short > allowed and node_id in limits.index:
                then = _claims(rows, int(limits.loc[node_id, "set_after"])).get(partition)
                own = _own(then, purpose) if then else ({}, {})
                past = _surpluses(rows, partition, purpose, *own).get(node_id, 0)
                allowed += _short(node_id, past, above, limits)
            checked += 1
            if short > allowed:
                broken.append(f"{node_id} {' '.join(partition)} {purpose} short={short}")
    return Proof(name, not broken, checked, tuple(broken[:MOST_NAMED]))


def _short(node_id: str, surplus: int, above: dict[str, str | None], limits: pd.DataFrame) -> int:
    known = node_id in limits.index
    borrow = limits.loc[node_id, "borrow_posts"] if known else None
    floor = int(limits.loc[node_id, "floor_posts"]) if known else 0
    short = 0 if borrow is None or borrow != borrow else max(0, -int(borrow) - surplus)
    return max(short, floor - surplus) if _is_nothing(above.get(node_id)) else short


def _is_nothing(value: object) -> bool:
    return value is None or value != value


def _excess_below(held: pd.DataFrame, purpose: str, above: dict[str, str | None]) -> dict[str, int]:
    """Posts over quota at or below each node; the trees of one purpose know of none."""
    if purpose:
        return {}
    vacant = held[(held.account == "home") & (held.purpose == "")].groupby("holder")["posts"].sum()
    return _all_above(-vacant[vacant < 0], above)


def _made_up_below(rows: Rows, partition: tuple[str, str], above: dict[str, str | None]) -> dict[str, int]:
    """Posts withdrawn from a pool by holders over quota, at or below each node, what was reversed left out: they make up
    an excess and lower the deposit, so that T stays, and with it the debt that the excess opened."""
    keys, movement = rows.entry.keys, rows.movement
    home = (keys.account == "home") & (keys.purpose == "")
    here = home & (keys.post_type == partition[0]) & (keys.fund_form == partition[1])
    lines = rows.of_movement(rows.entry.lines(here), "kind").sort_values("movement_seq", kind="stable")
    before = lines.groupby("holder")["posts"].cumsum() - lines.posts
    taken = (lines.kind == "WITHDRAW") & ~lines.movement_seq.isin(movement.reverses)
    made_up = lines.posts.clip(upper=(-before).clip(lower=0)).where(taken, 0)
    return _all_above(made_up.groupby(lines.holder).sum(), above)


def _all_above(posts: pd.Series, above: dict[str, str | None]) -> dict[str, int]:
    """Posts by holder, added up at the holder and every node above it."""
    found: dict[str, int] = {}
    for holder, count in posts.items():
        at = holder
        while not _is_nothing(at):
            found[at] = found.get(at, 0) + int(count)
            at = above.get(at)
    return found


def _claims(rows: Rows, last: int | None = None) -> dict[tuple[str, str], Claims]:
    """Per partition, what posts count for, up to a movement: those asked for at the asker, those lent at the borrower."""
    entry = rows.entry
    total = entry.held if last is None else entry.total(last)
    total = total[total.account.isin(["home", "idle", "pending", "lent", "borrowed"])]
    total = total.merge(rows.lot[["lot_no", "owner_id"]], left_on="lot", right_on="lot_no", how="left")
    pending = rows.of_movement(entry.lines(entry.keys.account == "pending"), "to_holder")
    if last is not None:
        pending = pending[pending.movement_seq <= last]
    asked = pending.groupby([*CELL, "purpose", "to_holder"], as_index=False)["posts"].sum()
    return {
        partition: Claims(held, asked[(asked.post_type == partition[0]) & (asked.fund_form == partition[1])])
        for partition, held in total.groupby(CELL)
    }


def _own(claims: Claims, purpose: str) -> tuple[dict[str, int], dict[str, int]]:
    claims = claims.of(purpose)
    here = claims.held
    pooled = here[here.account.isin(["idle", "pending", "lent"])].groupby("holder")["posts"].sum()
    asked = claims.asked.groupby("to_holder")["posts"].sum()
    taken = here[(here.account == "borrowed") & (here.holder != here.owner_id)].groupby("holder")["posts"].sum()
    parts = [pooled, -asked, -taken]
    if purpose == "":
        vacant = here[(here.account == "home") & (here.purpose == "")].groupby("holder")["posts"].sum()
        parts.append(vacant.clip(upper=0))
    own = pd.concat(parts).groupby(level=0).sum()
    return own.to_dict(), pooled.to_dict()


def _surpluses(rows: Rows, partition, purpose: str, own: dict[str, int], lends: dict[str, int]) -> dict[str, int]:
    """T by walking each holder's posts up, deepest level first."""
    node = rows.node[rows.node.closed_on.isna()]
    parent = dict(zip(node.id, node.parent_id, strict=True))
    limit = rows.limit[(rows.limit.post_type == partition[0]) & (rows.limit.fund_form == partition[1])]
    limit = limit[limit.purpose == purpose]
    most = dict(zip(limit.node_id, limit.lend_posts, strict=True))
    depth: dict[str, int] = {}
    for node_id in parent:
        at, steps = parent[node_id], 0
        while not _is_nothing(at):
            at, steps = parent.get(at), steps + 1
        depth[node_id] = steps
    surplus = {node_id: int(own.get(node_id, 0)) for node_id in parent}
    for node_id in sorted(parent, key=depth.get, reverse=True):
        above = parent[node_id]
        if _is_nothing(above):
            continue
        cap = lends.get(node_id, 0) if node_id.startswith("U:") else most.get(node_id)
        surplus[above] += surplus[node_id] if _is_nothing(cap) else min(int(cap), surplus[node_id])
    return surplus
