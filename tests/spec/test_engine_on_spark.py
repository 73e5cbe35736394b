"""The Spark engine itself: staged files, limits of what is damaged, and the session it finds."""

from dataclasses import replace

import pytest

from core.errors import Unavailable
from reconcile import engine
from tests.property.drawn_nights import drawn_nights
from tests.sparkkit import session
from tests.spec.spec import Result, judged_alone, on_duckdb, setting_of, write_snapshot

pytestmark = pytest.mark.spark


def test_a_night_staged_through_fsspec_is_judged_the_same_and_leaves_nothing_there(tmp_path):
    session()
    staging = tmp_path / "staging"
    whole = drawn_nights(11, 5)[-1]

    def run(home, setting, out):
        engine.detect(home, replace(setting, engine="spark", spark_staging=staging.as_uri()), out)

    said: Result = judged_alone(whole, run)
    assert said == on_duckdb(whole)
    assert list(staging.iterdir()) == []


def test_a_snapshot_file_that_lacks_a_column_is_unavailable_and_leaves_nothing_behind(tmp_path):
    session()
    whole = drawn_nights(11, 5)[-1]
    write_snapshot(whole, tmp_path)
    (tmp_path / "roster.parquet").write_bytes((tmp_path / "limits.parquet").read_bytes())
    with pytest.raises(Unavailable):
        engine.detect(tmp_path, replace(setting_of(whole), engine="spark"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
