"""The specs are the manual: every rule has its file, and no file is about a rule that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from reconcile.catalog import RULES

SPECS = Path(__file__).parents[1] / "spec"
OF_A_RULE = re.compile(r"test_([a-z]\d\d)\.py")


def test_every_rule_has_exactly_one_spec_file_and_every_such_file_a_rule():
    named = [match[1].upper() for path in SPECS.iterdir() if (match := OF_A_RULE.fullmatch(path.name))]
    assert sorted(named) == sorted(RULES)


def test_every_spec_file_says_first_which_rule_it_is_about():
    for code, rule in RULES.items():
        text = (SPECS / f"test_{code.lower()}.py").read_text(encoding="utf-8")
        assert text.startswith(f'"""{code} {rule.name}: ')
