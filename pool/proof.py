"""The proof: every invariant of DOMAIN §5 recomputed from the rows alone, by code that shares nothing with the ledger's
own arithmetic (no import of pool.ledger, pool.entries, pool.tree, pool.forest or pool.posting). Fast: whole columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from pool.proof_rows import CELL, KEY, Proof, Rows, joined, read_rows, same, says
from pool.proof_tree import feasible_or_in_debt, sums_are_right


def entries_sum_to_nothing(rows: Rows) -> Proof:
    """Entries of a movement sum to 0 per partition, with `borrowed` and without; only an EXTEND has none."""
    entry = rows.entry.assign(right=rows.entry.account == "borrowed")
    sums = entry.groupby(["movement_seq", *CELL, "right"], as_index=False)["posts"].sum()
    wrong = sums[sums.posts != 0]
    bare = rows.movement[~rows.movement.seq.isin(rows.entry.movement_seq) & (rows.movement.kind != "EXTEND")]
    both = pd.concat([wrong[["movement_seq"]], bare[["seq"]].rename(columns={"seq": "movement_seq"})])
    return says("entries of a movement sum to 0", rows.movement, both, ["movement_seq"])


def balances_equal_entries(rows: Rows) -> Proof:
    """Every kept balance is the sum of its entries, and every entry's key has one."""
    return same("balance = Σ entries", rows.entry.groupby(KEY)["posts"].sum(), rows.balance.set_index(KEY)["posts"])


def partitions_balance(rows: Rows) -> Proof:
    """home + reserved + in_use + idle + pending + lent = granted, per partition."""
    entry = rows.entry
    held = entry[~entry.account.isin(["authority", "borrowed"])].groupby(CELL)["posts"].sum()
    granted = -entry[entry.account == "authority"].groupby(CELL)["posts"].sum()
    return same("home + reserved + in use + idle + pending + lent = granted", held, granted)


def no_day_is_negative(rows: Rows) -> Proof:
    """No balance is below 0 at the end of any day. Own vacancies may be, by no more than what a CUT, an opening over
    quota or a merger with one that is over took away until then."""
    entry = rows.entry.merge(rows.movement[["seq", "kind", "source"]], left_on="movement_seq", right_on="seq")
    entry = entry[~entry.account.isin(["authority", "borrowed"])]
    home = entry.account == "home"
    entry = entry[~home | (entry.purpose == "")]
    owes = (entry.account == "home") & ((entry.kind == "CUT") | entry.source.isin(["OPENING", "MERGER"]))
    entry = entry.assign(debt=(-entry.posts).clip(lower=0).where(owes, 0))
    days = entry.groupby([*KEY, "effective_date"], as_index=False)[["posts", "debt"]].sum()
    days = days.sort_values([*KEY, "effective_date"])
    held = days.groupby(KEY)[["posts", "debt"]].cumsum()
    wrong = days[held.posts + held.debt < 0]
    return says("no balance is negative on any day", days, wrong, ["account", "holder", *CELL, "effective_date"])


def lent_is_borrowed(rows: Rows) -> Proof:
    """Lot by lot: lent = borrowed = live slots, each with lender, borrower, document, due date."""
    entry = rows.entry
    lent = entry[entry.account == "lent"].groupby(["lot", "purpose"])["posts"].sum()
    right = entry[entry.account == "borrowed"].merge(rows.lot[["lot_no", "owner_id"]], left_on="lot", right_on="lot_no")
    borrowed = right[right.holder != right.owner_id].groupby(["lot", "purpose"])["posts"].sum()
    first = same("lent = borrowed, post by post", lent, borrowed)
    live = rows.slot[rows.slot.ended_on.isna()]
    slots = live.groupby(["node_id", "lot_no"]).size()
    slots.index.names = ["holder", "lot"]
    held = right[right.holder != right.owner_id].groupby(["holder", "lot"])["posts"].sum()
    second = same(first.name, slots, held)
    papers = rows.slot.merge(rows.loan[["loan_no", "document_no"]], on="loan_no", how="left")
    papers = papers.merge(rows.lot[["lot_no", "owner_id"]], on="lot_no", how="left")
    bare = papers[papers.document_no.isna() | papers.due_date.isna() | (papers.owner_id != papers.lender_id)]
    third = says(first.name, papers, bare, ["slot_no"])
    return joined(first.name, [first, second, third])


def people_sit_on_slots(rows: Rows) -> Proof:
    """People on pool posts = filled live slots, per borrower, cell and purpose; nobody holds two live slots."""
    entry = rows.entry[(rows.entry.account == "in_use") & (rows.entry.purpose != "")]
    key = ["holder", *CELL, "purpose"]
    live = rows.slot[rows.slot.ended_on.isna() & rows.slot.person_key.notna()]
    filled = live.rename(columns={"node_id": "holder"}).groupby(key).size()
    name = "every person on a pool post has a slot"
    mirror = rows.entry[(rows.entry.account == "home") & (rows.entry.purpose != "")]
    parts = [
        same(name, entry.groupby(key)["posts"].sum(), filled),
        same(name, entry.groupby(key)["posts"].sum(), -mirror.groupby(key)["posts"].sum()),
        says(name, live, live.person_key.duplicated(), ["slot_no"]),
    ]
    return joined(name, parts)


def pending_resolves_once(rows: Rows) -> Proof:
    """Posts pending of a request = what it asked while it waits, 0 once it is decided; granted = lent."""
    ours = rows.entry[rows.entry.account == "pending"].merge(
        rows.movement[["seq", "request_no", "kind"]], left_on="movement_seq", right_on="seq"
    )
    pending = ours.groupby("request_no")["posts"].sum()
    request = rows.request.set_index("number")
    waits = request.status.isin(["SUBMITTED", "REVIEWED"])
    held = pending.reindex(request.index).fillna(0)
    wrong = request[(waits & (held <= 0)) | (waits & (held > request.posts)) | (~waits & (held != 0))].reset_index()
    issued = rows.loan[rows.loan.loan_no.isin(request.loan_no.dropna())].set_index("request_no")["posts"]
    name = "every pending resolves once"
    orphans = ours[~ours.request_no.isin(request.index)]
    return joined(name, [
        says(name, request, wrong, ["number"]),
        same(name, request[request.status == "APPROVED"].granted.astype("int64"), issued),
        says(name, ours, orphans, ["movement_seq"]),
    ])  # fmt: skip


def reversals_point_back(rows: Rows) -> Proof:
    """A REVERSE holds exactly the other's entries the other way; nothing is reversed twice."""
    back = rows.movement[rows.movement.reverses.notna()]
    name = "a reversal undoes exactly one movement"
    undoing = rows.entry.merge(back[["seq", "reverses"]], left_on="movement_seq", right_on="seq")
    undoing = undoing.assign(reverses=undoing.reverses.astype("int64"))
    ours = -undoing.groupby(["reverses", *KEY])["posts"].sum()
    first = rows.entry[rows.entry.movement_seq.isin(undoing.reverses)].rename(columns={"movement_seq": "reverses"})
    parts = [
        same(name, ours, first.groupby(["reverses", *KEY])["posts"].sum()),
        says(name, back, back.reverses.duplicated(), ["seq"]),
        says(name, rows.movement, (rows.movement.kind == "REVERSE") != rows.movement.reverses.notna(), ["seq"]),
    ]
    return joined(name, parts)


def decided_by_three(rows: Rows) -> Proof:
    """Of a request's steps: nobody decided twice, nor on the own request, through delegations too."""
    step = rows.step
    hands = pd.concat([
        step.assign(person=step.actor), step[step.acting_for.notna()].assign(person=step.acting_for.dropna()),
    ])  # fmt: skip
    applied = hands[hands.move.isin(["SAVE", "SUBMIT"])][["request_no", "person"]].drop_duplicates()
    decided = hands[hands.move.isin(["ENDORSE", "REVIEW", "APPROVE", "REFUSE"])].drop_duplicates(["id", "person"])
    both = decided.merge(applied, on=["request_no", "person"])
    twice = decided[decided.duplicated(["request_no", "person"])]
    name = "applicant, reviewer and director are three persons"
    return says(name, step, pd.concat([both, twice]), ["request_no"])


def documents_are_named(rows: Rows) -> Proof:
    """Every change of quota or pool stock names a document; posts enter the pool from a listed source (R02)."""
    kinds = ["GRANT", "CUT", "TRANSFER", "DEPOSIT", "WITHDRAW", "CONVERSION", "REVERSE"]
    movement = rows.movement
    bare = movement.kind.isin(kinds) & movement.document_no.isna()
    listed = ["RECLAIM", "REFORM", "OVER_STANDARD", "USE_RIGHT_LENT", "TOTAL_SLICE"]
    return says(
        "every change of quota names a document", movement,
        bare | ((movement.kind == "DEPOSIT") & ~movement.source.isin(listed)), ["seq"],
    )  # fmt: skip


def lots_keep_their_purpose(rows: Rows) -> Proof:
    """Pool posts and loans stay in their lot's partition and purpose (R03)."""
    held = rows.entry[rows.entry.account.isin(["idle", "pending", "lent", "borrowed"])]
    both = held.merge(rows.lot, left_on="lot", right_on="lot_no", how="left", suffixes=("", "_of_lot"))
    wrong = np.zeros(len(both), dtype=bool)
    for column in (*CELL, "purpose"):
        wrong |= (both[column] != both[f"{column}_of_lot"]).to_numpy()
    slot = rows.slot.merge(rows.lot, on="lot_no", how="left", suffixes=("", "_of_lot"))
    astray = slot[(slot.purpose != slot.purpose_of_lot) | (slot.post_type != slot.post_type_of_lot)]
    name = "no post crosses type, fund form or purpose"
    return joined(name, [
        says(name, both, both[wrong], ["movement_seq"]), says(name, slot, astray, ["slot_no"]),
    ])  # fmt: skip


def chain_is_whole(rows: Rows) -> Proof:
    """Numbers run without a gap, and every hash covers the one before, the movement and its entries."""
    name, previous = "the hash chain is whole", "0" * 64
    columns = [
        "seq", "kind", "effective_date", "booked_at", "actor", "post_type", "fund_form", "purpose", "posts",
        "from_holder", "to_holder", "document_no", "central_no", "source", "request_no", "loan_no", "slot_no",
        "rests_on", "reverses",
    ]  # fmt: skip
    encode = json.JSONEncoder(ensure_ascii=False).encode
    movement = rows.movement.assign(booked_at=[_instant(value) for value in rows.movement.booked_at])
    spelled = zip(*(map(str, movement[column].tolist()) for column in columns), strict=True)
    entry = rows.entry
    lines = list(zip(*(entry[column].tolist() for column in [*KEY, "posts"]), strict=True))
    starts = np.searchsorted(entry.movement_seq.to_numpy("int64"), np.arange(1, len(movement) + 2)).tolist()
    hashes = zip(movement.seq, movement.previous_hash, movement.hash, strict=True)
    for number, (values, (seq, before, kept)) in enumerate(zip(spelled, hashes, strict=True), 1):
        body = encode([previous, values, lines[starts[number - 1] : starts[number]]])
        if seq != number or before != previous or kept != hashlib.sha256(body.encode()).hexdigest():
            return Proof(name, False, len(movement), (f"seq={seq}",))
        previous = kept
    return Proof(name, True, len(movement))


def _instant(value: datetime | str) -> str:
    if isinstance(value, str):
        return f"{value[:10]}T{value[11:]}+00:00"
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def changes_are_trailed(rows: Rows) -> Proof:
    """Every step of a person on a request has its audit event; acts without a request are not counted here."""
    name = "one audit event per change"
    trail = rows.trail
    steps = rows.step[rows.step.move != "REOPEN"].groupby("request_no").size()
    events = trail[trail.action.str.startswith("pool_request_")].subject.str.removeprefix("pool request ")
    steps.index.name = events.name = "request_no"
    counted = events.groupby(events).size()
    counted.index.name = "request_no"
    return same(name, steps, counted) if len(rows.step) or len(trail) else Proof(name, True, 0)


PROOFS: tuple[Callable[[Rows], Proof], ...] = (
    entries_sum_to_nothing, balances_equal_entries, partitions_balance, no_day_is_negative, lent_is_borrowed,
    people_sit_on_slots, pending_resolves_once, sums_are_right, feasible_or_in_debt, reversals_point_back, decided_by_three,
    documents_are_named, lots_keep_their_purpose, chain_is_whole, changes_are_trailed,
)  # fmt: skip


def prove_pool(session: Session) -> list[Proof]:
    """Every invariant, from rows alone; the caller fails the night when one does not hold."""
    rows = read_rows(session)
    return [proof(rows) for proof in PROOFS]


def broken_proofs(session: Session) -> list[Proof]:
    """Only those that do not hold."""
    return [proof for proof in prove_pool(session) if not proof.holds]
