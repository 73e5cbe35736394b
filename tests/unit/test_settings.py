"""Settings: every one documented, unknown and wrong ones refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import Misconfigured
from core.settings import KNOWN, PREFIX, load_settings


def given(tmp_path, **more):
    return {"BIANZHI_HOME": str(tmp_path)} | {f"{PREFIX}{name}": value for name, value in more.items()}


def test_every_setting_has_its_line_in_the_docs():
    text = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in KNOWN if f"| `{PREFIX}{name}` |" not in text] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENGINE", "polars"), ("MEMORY_LIMIT", "4"), ("MEMORY_LIMIT", "0GB"), ("ENV", "test"), ("HOEM", "x")],
)
def test_an_unknown_name_or_a_wrong_value_is_refused_by_name(tmp_path, name, value):
    with pytest.raises(Misconfigured, match=f"{PREFIX}{name}|{name}"):
        load_settings(given(tmp_path, **{name: value}))


def test_a_memory_limit_reaches_the_rules_as_it_is_written(tmp_path):
    assert load_settings(given(tmp_path, MEMORY_LIMIT="512MB")).memory_limit == "512MB"
    assert load_settings(given(tmp_path)).memory_limit is None
