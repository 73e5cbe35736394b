"""A plan is spelled once for all nights: with the days put right it is the text that night would have been spelled as."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reconcile.engine.spelling import Compiled, Kept, _spelled, _spelled_here, compiled_plan
from reconcile.rules.plan import plan
from reconcile.rules.tables import Night
from tests.spec.spec import PARAMETERS


def text(spelled) -> tuple[list, dict]:
    """Where a long line is broken depends on the length of a day."""
    bare = "".join
    stages = [(name, bare(sql.split())) for name, sql in spelled.stages]
    return stages, {name: bare(sql.split()) for name, sql in spelled.outputs.items()}


def forget() -> None:
    """As a new process, which has spelled nothing."""
    _spelled.cache_clear()
    _spelled_here.cache_clear()


@pytest.mark.parametrize(
    ("as_of", "dialect"), [(date(2024, 2, 29), "duckdb"), (date(2026, 1, 1), "duckdb"), (date(2025, 12, 31), "pyspark")]
)
def test_a_plan_put_right_for_a_day_is_the_plan_of_that_day(as_of, dialect):
    night = Night.of(as_of, **PARAMETERS)
    assert text(compiled_plan(night, dialect)) == text(Compiled(plan(night), dialect))


def test_the_text_waits_in_its_folder_for_the_next_night_and_a_damaged_copy_is_spelled_again(tmp_path):
    night = Night.of(date(2026, 10, 15), **PARAMETERS)
    for each in (night, replace(night, idle_months=6)):
        compiled_plan(each, keep=tmp_path)._spelled.wait()
    first = text(compiled_plan(night, keep=tmp_path))
    forget()
    kept = compiled_plan(replace(night, as_of=date(2026, 11, 15)), keep=tmp_path)
    assert isinstance(kept._spelled, Kept)
    assert text(compiled_plan(night, keep=tmp_path)) == first
    cut, altered = lambda said: said[:-3], lambda said: said.replace("'IN_SERVICE'", "'RETIRED'")
    for damage in (cut, altered):
        for file in tmp_path.glob("plan-*.json"):
            said = file.read_text(encoding="utf-8")
            assert damage(said) != said
            file.write_text(damage(said), encoding="utf-8")
        forget()
        again = compiled_plan(night, keep=tmp_path)
        assert isinstance(again._spelled, Compiled)
        again._spelled.wait()
        assert text(again) == first


def test_a_plan_spelled_for_one_folder_is_kept_in_another_without_being_spelled_again(tmp_path):
    night = Night.of(date(2026, 10, 15), **PARAMETERS)
    first = compiled_plan(night, keep=tmp_path / "one")
    first._spelled.wait()
    second = compiled_plan(night, keep=tmp_path / "two")
    assert second._spelled is first._spelled
    forget()
    kept = compiled_plan(night, keep=tmp_path / "two")
    assert isinstance(kept._spelled, Kept)
    assert text(kept) == text(first)
