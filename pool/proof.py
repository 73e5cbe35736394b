"""The proof: every invariant of DOMAIN §5 recomputed from the rows alone, by code that shares nothing with the ledger's
own arithmetic (no import of pool.ledger, pool.entries, pool.tree, pool.forest or pool.posting). Fast: whole columns.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from pool.proof_beside import ALONE, STRETCH, read_stretches
from pool.proof_chain import chain_is_whole
from pool.proof_rows import CELL, KEY, MOST_NAMED, Proof, Rows, joined, read_kept, same, says
from pool.proof_stretch import entries_of, movements_of
from pool.proof_trail import changes_are_trailed, read_trail
from pool.proof_tree import feasible_or_in_debt, sums_are_right


def entries_sum_to_nothing(rows: Rows) -> Proof:
    """Entries of a movement sum to 0 per partition, with `borrowed` and without; only an EXTEND, and its reversal, has none. An
    entry is of a movement, and effective on its day."""
    entry, keys, movement, owner = rows.entry, rows.entry.keys, rows.movement, rows.owner
    part = keys.assign(right=keys.account == "borrowed").groupby([*CELL, "right"]).ngroup().to_numpy("int64")[entry.key]
    known, uneven = owner >= 0, np.zeros(len(movement), dtype=bool)
    for one in range(part.max(initial=-1) + 1):
        here = (part == one) & known
        uneven |= np.bincount(owner[here], entry.posts[here], len(movement)) != 0
    extends = movement.kind == "EXTEND"
    none = (extends | movement.reverses.isin(movement.seq[extends])).to_numpy()
    bare = (np.bincount(owner[known], minlength=len(movement)) == 0) & ~none
    dates = movement.effective_date.cat
    days = np.append(pd.Index(entry.days).get_indexer(dates.categories), -1)[dates.codes]
    astray = entry.movement[~known | (days[owner] != entry.day)] if len(days) else entry.movement
    numbers = movement.seq.to_numpy()
    wrong = pd.DataFrame({"movement_seq": np.unique(np.concatenate([numbers[uneven | bare], astray]))})
    return says("entries of a movement sum to 0", movement, wrong, ["movement_seq"])


def balances_equal_entries(rows: Rows) -> Proof:
    """Every kept balance is the sum of its entries, and every entry's key has one."""
    return same("balance = Σ entries", rows.entry.held.set_index(KEY)["posts"], rows.balance.set_index(KEY)["posts"])


def partitions_balance(rows: Rows) -> Proof:
    """home + reserved + in_use + idle + pending + lent = granted, per partition."""
    total = rows.entry.held
    held = total[~total.account.isin(["authority", "borrowed"])].groupby(CELL)["posts"].sum()
    granted = -total[total.account == "authority"].groupby(CELL)["posts"].sum()
    return same("home + reserved + in use + idle + pending + lent = granted", held, granted)


def no_day_is_negative(rows: Rows) -> Proof:
    """No balance is below 0 at the end of any day. Own vacancies may be, by no more than what a CUT, an opening over
    quota or a merger with one that is over took away until then."""
    name, entry, keys = "no balance is negative on any day", rows.entry, rows.entry.keys
    home = keys.account == "home"
    counts = ~keys.account.isin(["authority", "borrowed"]) & (~home | (keys.purpose == ""))
    here = np.flatnonzero(counts.to_numpy()[entry.key])
    here = here[np.lexsort((entry.day[here], entry.key[here]))]
    key, day, posts = entry.key[here], entry.day[here], entry.posts[here]
    owes = (rows.movement.kind == "CUT") | rows.movement.source.isin(["OPENING", "MERGER"])
    debt = np.where(home.to_numpy()[key] & owes.to_numpy()[rows.owner[here]], np.maximum(-posts, 0), 0)
    run = np.cumsum(posts + debt)
    first = np.flatnonzero(np.diff(key, prepend=-1))
    before = np.concatenate([[0], run])[first]  # what the keys in front add up to
    held = run - np.repeat(before, np.diff(first, append=len(key)))
    last = np.append((np.diff(key) != 0) | (np.diff(day) != 0), True)[: len(key)]
    wrong = np.flatnonzero(last & (held < 0))[:MOST_NAMED]
    names = keys.take(key[wrong]).drop(columns="lot").to_dict("records")
    places = [f"{' '.join(f'{k}={v}' for k, v in place.items())} effective_date={entry.days[at]}"
              for place, at in zip(names, day[wrong], strict=True)]  # fmt: skip
    return Proof(name, not len(wrong), int(last.sum()), tuple(places))


def lent_is_borrowed(rows: Rows) -> Proof:
    """Lot by lot: lent = borrowed = live slots, each with lender, borrower, document, due date."""
    total = rows.entry.held
    lent = total[total.account == "lent"].groupby(["lot", "purpose"])["posts"].sum()
    right = total[total.account == "borrowed"].merge(rows.lot[["lot_no", "owner_id"]], left_on="lot", right_on="lot_no")
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
    total = rows.entry.held[rows.entry.held.purpose != ""]
    key = ["holder", *CELL, "purpose"]
    people = total[total.account == "in_use"].groupby(key)["posts"].sum()
    live = rows.slot[rows.slot.ended_on.isna() & rows.slot.person_key.notna()]
    filled = live.rename(columns={"node_id": "holder"}).groupby(key).size()
    name = "every person on a pool post has a slot"
    mirror = total[total.account == "home"].groupby(key)["posts"].sum()
    parts = [
        same(name, people, filled),
        same(name, people, -mirror),
        says(name, live, live.person_key.duplicated(), ["slot_no"]),
    ]
    return joined(name, parts)


def pending_resolves_once(rows: Rows) -> Proof:
    """Posts pending of a request = what it asked while it waits, 0 once it is decided; granted = lent. One for which
    none were ever asked waits for posts: it holds none, and is not decided."""
    ours = rows.of_movement(rows.entry.lines(rows.entry.keys.account == "pending"), "request_no")
    pending = ours.groupby("request_no")["posts"].sum()
    request = rows.request.set_index("number")
    waits = request.status.isin(["SUBMITTED", "REVIEWED"])
    held = pending.reindex(request.index).fillna(0)
    asked = request.index.isin(ours.request_no)
    wrong = request[
        (waits & asked & (held <= 0)) | (waits & (held > request.posts)) | (~waits & (held != 0))
        | (~asked & request.status.eq("APPROVED"))
    ].reset_index()  # fmt: skip
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
    movement, entry = rows.movement, rows.entry
    back = movement[movement.reverses > 0]
    name = "a reversal undoes exactly one movement"
    undoing = rows.of_movement(entry.at(np.flatnonzero(np.isin(entry.movement, back.seq))), "reverses")
    undoing = undoing.assign(reverses=undoing.reverses.astype("int64"))
    ours = -undoing.groupby(["reverses", *KEY])["posts"].sum()
    undone = entry.at(np.flatnonzero(np.isin(entry.movement, undoing.reverses)))
    undone = undone.rename(columns={"movement_seq": "reverses"})
    parts = [
        same(name, ours, undone.groupby(["reverses", *KEY])["posts"].sum()),
        says(name, back, back.reverses.duplicated(), ["seq"]),
        says(name, movement, (movement.kind == "REVERSE") != (movement.reverses > 0), ["seq"]),
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
    held = rows.entry.keys[rows.entry.keys.account.isin(["idle", "pending", "lent", "borrowed"])]
    both = held.merge(rows.lot, left_on="lot", right_on="lot_no", how="left", suffixes=("", "_of_lot"))
    wrong = np.zeros(len(both), dtype=bool)
    for column in (*CELL, "purpose"):
        wrong |= (both[column] != both[f"{column}_of_lot"]).to_numpy()
    slot = rows.slot.merge(rows.lot, on="lot_no", how="left", suffixes=("", "_of_lot"))
    astray = slot[(slot.purpose != slot.purpose_of_lot) | (slot.post_type != slot.post_type_of_lot)]
    name = "no post crosses type, fund form or purpose"
    return joined(name, [
        says(name, both, both[wrong], ["account", "holder", "lot"]), says(name, slot, astray, ["slot_no"]),
    ])  # fmt: skip


PROOFS: tuple[Callable[[Rows], Proof], ...] = (
    entries_sum_to_nothing, balances_equal_entries, partitions_balance, no_day_is_negative, lent_is_borrowed,
    people_sit_on_slots, pending_resolves_once, sums_are_right, feasible_or_in_debt, reversals_point_back, decided_by_three,
    documents_are_named, lots_keep_their_purpose,
)  # fmt: skip


def prove_pool(session: Session, *, alone: int = ALONE, length: int = STRETCH) -> list[Proof]:
    """Every invariant, from rows alone; the caller fails the night when one does not hold. alone: up to so many
    movements, one process reads them; length: of what is read at a time."""
    with _uncollected():
        with read_stretches(session, alone, length) as (last, stretches):
            kept, trail = read_kept(session), read_trail(session, last)
            parts = stretches()
        rows = Rows(movements_of(parts), entries_of(parts), **kept)
        return [
            *(proof(rows) for proof in PROOFS), changes_are_trailed(trail, rows.movement.seq.to_numpy()),
            chain_is_whole([part.run for part in parts], last),
        ]  # fmt: skip


@contextmanager
def _uncollected() -> Iterator[None]:
    """Millions of values and no cycle among them: looking for some would take a tenth of the proof's time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def broken_proofs(session: Session) -> list[Proof]:
    """Only those that do not hold."""
    return [proof for proof in prove_pool(session) if not proof.holds]
