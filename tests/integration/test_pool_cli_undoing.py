"""`bianzhi pool save` and `bianzhi pool reverse`: a draft changed, mistakes undone from the command line."""

from __future__ import annotations

import json

from tests.integration.test_pool_cli import CELL, Desk, ask, desk  # noqa: F401 (a fixture)


def test_a_draft_is_saved_again_and_a_mistaken_return_and_renewal_are_reversed(desk: Desk):  # noqa: F811
    draft = json.loads(ask(desk, 1, "--draft", "yes").stdout)
    wish = ("A1", *CELL, "HEALTH", 2, 9, "--reason", "改为两人")
    assert desk.done("officer-a1", "save", draft["request"], *wish)["status"] == "DRAFT"
    [row] = desk.listed("requests", "--all")
    assert (row["request"], row["posts"], row["months"]) == (draft["request"], 2, 9)
    assert desk.by("officer-a2", "save", draft["request"], *wish).exit_code != 0
    assert desk.done("officer-a1", "submit", draft["request"])["status"] == "SUBMITTED"
    assert desk.by("officer-a1", "save", draft["request"], *wish).exit_code == 10

    desk.done("reviewer", "review", draft["request"])
    granted = desk.done("citydirector", "approve", draft["request"])
    slot, paper = granted["slots"][0], ("--document", "编委〔2026〕9号")
    back = desk.done("officer-a1", "return", slot)["movements"][0]
    assert desk.by("director", "reverse", back, *paper).exit_code != 0
    assert desk.done("citydirector", "reverse", back, *paper)["reverses"] == back
    [loan] = desk.listed("loans", "--unit", "A1")
    assert (loan["live"], loan["due"]) == (2, granted["due_date"])
    renewed = desk.done("citydirector", "renew", granted["loan"], 6, "--reason", "仍需")["movement"]
    assert desk.done("citydirector", "reverse", renewed, *paper)["reverses"] == renewed
    [again] = desk.listed("loans", "--unit", "A1")
    assert again == loan
    assert desk.run("prove").exit_code == 0
