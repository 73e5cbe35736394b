"""Every place that decrypts full identity numbers, by name: a new one must say here what it is for, and leave a trail."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.test_house import OURS, ROOT, sources

# What opens a number, and what gives an opened one on.
OPENERS = {
    "numbers_of",
    "identities_of",
    "full_person",
    "show_identity",
    "full_slot_paper",
    "_full_numbers",
    "hand_over",
}
SEALERS = {"identity_sealer", "block_sealer"}
# Seen by a person or sent: the event stands beside the opening.
TRAILED = {
    "reconcile/identities.py:show_identity": "a reviewer of a flag, on a reason",
    "web/gate_papers.py:full_slot_paper": "a reviewer who prints a notice, on a reason",
    "staffing/deliveries.py:hand_over": "finance and insurance, the notice being the reason",
}
# Give on what they opened to one of those, or are doors to one.
THROUGH = {
    "core/person_identity.py:numbers_of": "the one query of the table",
    "expectations/identity_blocks.py:identities_of": "the one reader of a night's sealed blocks",
    "staffing/deliveries.py:_full_numbers": "hand_over",
    "staffing/printing.py:full_person": "full_slot_paper",
    "night/notice_files.py:export_notices": "hand_over",
    "night/notice_files.py:hand_out": "hand_over",
    "web/api/notices.py:fetch": "hand_over",
    "web/api/views.py:read_identity": "show_identity",
    "web/pages/identities.py:show_flag_identity": "show_identity",
    "web/pages/staffing_slots.py:show_staffing_slot_form": "full_slot_paper",
}
# Nobody sees a number: it is sealed again, or counted.
UNSEEN = {
    "reconcile/identities.py:keep_identities": "sealed blocks into the table",
    "reconcile/rekeying.py:_numbers": "rotation",
    "staffing/people.py:rekey_people": "rotation",
    "night/slot_keys.py:rekey_slots": "rotation",
    "night/strength.py:left_by_our_gate": "birth dates, sealed at once, for counts per month",
}


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        if place.split("/")[0].removesuffix(".py").split("_")[0] in OURS:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    yield f"{place}:{node.name}", node


def called(node: ast.FunctionDef) -> set[str]:
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    return {func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") for func in calls}


def opens(node: ast.FunctionDef) -> bool:
    names = called(node)
    return bool(names & OPENERS) or (bool(names & SEALERS) and "open" in names)


def test_every_place_that_opens_a_number_is_listed():
    found = {place for place, node in functions() if opens(node)}
    assert found == {*TRAILED, *THROUGH, *UNSEEN}


def test_no_other_name_makes_what_opens_them():
    """The purposes the numbers are sealed for are spelled once each, in the sealers above."""
    for purpose in ('"person identity"', "PURPOSE"):
        makers = [
            place
            for place, node in functions()
            if f"Sealer(person_key, {purpose})" in ast.unparse(node).replace("'", '"')
        ]
        assert len(makers) == 1, purpose


def test_whoever_shows_or_sends_one_leaves_an_event_in_the_same_function():
    nodes = dict(functions())
    for place in TRAILED:
        assert called(nodes[place]) & {"record", "trail"}, place
