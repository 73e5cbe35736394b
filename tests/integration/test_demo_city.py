"""The demo city: what it writes, and that it is the same for a seed. That whole nights find exactly its truth: test_truth.py."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.errors import InvariantViolated, Refused
from core.identity import normalise_name
from demo import names
from demo.accounts import LEAD_REVIEWERS
from demo.atlas import COUNTED, STREET, build_atlas
from demo.city import make_city, nights_until
from demo.rewriting import rewrite
from demo.stage import Claim
from demo.truth import check_claims, compare, key_of
from reconcile.catalog import RULES

LAST = date(2026, 10, 31)
CAUSES = {
    "F01": {None, "QUARANTINE", "BLANK_ID"},
    "F02": {None, "QUARANTINE", "BLANK_ID", "TIMING", "LEAVE", "PAID_AS_OTHER"},
    "F03": {"QUARANTINE", "TIMING", "EXITED", "OFF_QUOTA", "NOT_YET_ENTERED", "NO_EXIT_DATE"},
    "F09": {None, "UNEXPLAINED", "PERSONS_NOT_DELIVERED"},
    "Q06": {None, "QUARANTINE"},
    "P01": {"NO_PERMIT", "UNKNOWN_PERMIT", "OTHER_CELL", "APPROVED_LATER"},
    "P03": {"OVERUSED", "EXPIRED"},
    "P05": {None, "QUARANTINE"},
    "D03": {None, "QUARANTINE"},
    "D05": {None, "QUARANTINE"},
}
KEY = "city-person-key-" * 3


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "city"
    make_city(out, people=400, seed=3, as_of=LAST)
    return out


def truths(city: Path) -> list[dict]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((city / "truth").iterdir())]


def contents(city: Path) -> dict[str, bytes]:
    paths = (path for path in city.rglob("*") if path.suffix in (".csv", ".json", ".txt"))
    return {str(path.relative_to(city)): path.read_bytes() for path in paths}


def test_the_city_says_in_two_languages_that_nobody_in_it_is_real(city):
    text = (city / "README.txt").read_text(encoding="utf-8")
    assert "虚构" in text
    assert "invented" in text
    accounts = (city / "accounts.csv").read_text(encoding="utf-8")
    assert all(f"\n{login},{login}@example.org," in accounts for login in LEAD_REVIEWERS)


def test_every_rule_and_every_cause_is_planted(city):
    findings = [finding for truth in truths(city) for finding in truth["findings"]]
    assert {finding["rule"] for finding in findings} == set(RULES)
    for rule in RULES.values():
        assert {finding["severity"] for finding in findings if finding["rule"] == rule.code} >= set(rule.severities)
    for rule, causes in CAUSES.items():
        assert {finding["cause"] for finding in findings if finding["rule"] == rule} == causes, rule


def test_the_first_night_is_green_and_the_next_are_rightly_red(city):
    first, second, third = truths(city)
    assert (first["exit"], second["exit"], third["exit"]) == (0, 11, 11)
    assert [(reason["book"], reason["why"]) for reason in second["red_reasons"]] == [("payroll", "REFUSED")]
    assert [(reason["book"], reason["why"]) for reason in third["red_reasons"]] == [("headcount", "MISSING")]


def test_flags_open_persist_close_and_reopen_over_the_nights(city):
    seen = [{key_of(f["rule"], f["grain"], KEY) for f in truth["findings"]} for truth in truths(city)]
    assert seen[0] & seen[1] & seen[2]
    assert seen[2] - seen[1] - seen[0]
    assert seen[0] - seen[1] - seen[2]
    assert (seen[0] & seen[2]) - seen[1]


def test_rows_in_are_accepted_duplicates_and_quarantined(city):
    verdicts = [verdict for truth in truths(city) for verdict in truth["verdicts"]]
    assert all(v["rows_in"] == v["accepted"] + v["duplicates"] + v["quarantined"] for v in verdicts)
    assert any(v["duplicates"] for v in verdicts)
    assert {v["verdict"] for v in verdicts} == {"ACCEPTED", "ACCEPTED_WITH_QUARANTINE", "REJECTED", "MISSING"}


def test_the_files_are_as_dirty_as_real_ones(city):
    files = [path for path in (city / "inbox").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".csv", ".xlsx", ".parquet"}
    csvs = [path.read_bytes() for path in files if path.suffix == ".csv"]
    assert any(content.startswith(b"\xff\xfe") for content in csvs)
    assert any(content.startswith(b"\xef\xbb\xbf") for content in csvs)
    assert any(b"\xd0\xa1\xbc\xc6" in content for content in csvs)  # 小计 in GB18030
    assert any("SFZH" in content.decode("utf-16") for content in csvs if content.startswith(b"\xff\xfe"))


def test_a_seed_gives_the_same_bytes_and_another_seed_others(city, tmp_path):
    make_city(tmp_path / "again", people=400, seed=3, as_of=LAST)
    make_city(tmp_path / "other", people=400, seed=4, as_of=LAST)
    assert contents(tmp_path / "again") == contents(city)
    assert contents(tmp_path / "other") != contents(city)


def test_a_clean_city_finds_nothing_and_is_green(tmp_path):
    make_city(tmp_path / "clean", people=400, seed=3, as_of=LAST, clean=True)
    for truth in truths(tmp_path / "clean"):
        assert (truth["findings"], truth["exit"]) == ([], 0)
        # One county delivers counts, one street no monthly figures; elsewhere only figures stated blank are left unjudged.
        gaps = truth["not_evaluable"]
        assert {gap["division_code"] for gap in gaps} >= {COUNTED[0], STREET}
        others = [gap for gap in gaps if gap["division_code"] not in (COUNTED[0], STREET)]
        assert {(gap["rule"], gap["book"]) for gap in others} == {("D05", "headcount")}
        assert "*" not in {gap["unit_code"] for gap in others}
        assert {gap["rule"] for gap in truth["not_evaluable"] if gap["division_code"] == STREET} == {"D05"}
        assert all(verdict["quarantined"] == 0 for verdict in truth["verdicts"])


@pytest.mark.parametrize("as_of", [date(2026, 10, 1), date(2026, 10, 2), date(2027, 2, 28), date(2026, 10, 20)])
def test_planter_and_oracle_agree_on_any_day_of_the_month(tmp_path, as_of):
    make_city(tmp_path / "city", people=300, seed=as_of.day, as_of=as_of)


@pytest.mark.parametrize("nights", [1, 2, 4])
def test_planter_and_oracle_agree_over_any_number_of_nights(tmp_path, nights):
    summary = make_city(tmp_path / "city", people=300, seed=1, as_of=LAST, nights=nights)
    assert len(summary.nights) == nights


def test_nights_are_a_month_apart_and_clipped_at_its_end():
    assert nights_until(date(2026, 3, 31), 3) == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]


def test_a_claim_nobody_finds_stops_the_demo():
    claim = Claim("F01", '{"person_key":"x"}', "S1", "U1")
    with pytest.raises(InvariantViolated, match="F01 planted, not found: unit U1"):
        check_claims({("F01", claim.grain): claim}, [], LAST)


def test_a_folder_that_holds_a_city_is_not_written_over(city):
    with pytest.raises(Refused):
        make_city(city, people=300, seed=1, as_of=LAST)


def test_compare_names_what_differs_and_shows_no_id(city):
    truth = truths(city)[0]
    person = next(f for f in truth["findings"] if f["rule"] == "F01")
    flags = [f | {"key": key_of(f["rule"], f["grain"], KEY)} for f in truth["findings"]]
    assert compare(truth, flags, KEY) == []
    without = [flag for flag in flags if flag["grain"] != person["grain"]]
    (line,) = compare(truth, without, KEY)
    assert "missing F01" in line
    assert person["grain"]["person_id"] not in line
    changed = [flag | {"severity": "S9"} if flag["rule"] == "Q08" else flag for flag in flags]
    assert all("severity is S9" in line for line in compare(truth, changed, KEY))


def test_a_rewritten_inbox_holds_the_same_records(city, tmp_path):
    assert rewrite(city / "inbox", tmp_path / "rewritten", 5) > 10
    folder = Path("2026-08-31") / "990100"
    parts = sorted((tmp_path / "rewritten" / folder).glob("units-r*.csv"))
    assert len(parts) > 1
    before = (city / "inbox" / folder / "units.csv").read_bytes().decode("utf-8-sig").splitlines()
    after = [line for path in parts for line in _lines(path)[1:]]
    assert "机构编码" in next(csv.reader(before[:1]))
    assert len(after) == len(before) - 1


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    if content.startswith(b"\xff\xfe"):
        return content.decode("utf-16").splitlines()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding).splitlines()
        except UnicodeError:
            continue
    raise AssertionError(path.name)


def test_the_names_of_the_demo_are_their_own_normal_form():
    letters = [names.SURNAMES, names.GIVEN, *names.LONG_SURNAMES, *names.RARE_NAMES, *names.DOTTED_NAMES]
    for text in [*letters, *names.AWKWARD_NAMES]:
        assert normalise_name(text) == text


def test_nobody_in_the_clean_city_is_past_retirement_and_some_are_within_a_year(tmp_path):
    registry = names.Registry(1, LAST)
    for months, past in ((-1, True), (0, False), (11, False)):
        for post_type, sex in (("ADMIN", "M"), ("ADMIN", "F"), ("SUPPORT", "F")):
            number = registry.elder(post_type, months, sex).number
            assert (registry.past(number, post_type, None, LAST) is not None) == past
            assert registry.past(number, post_type, None, LAST + timedelta(days=500)) is not None


def test_the_smallest_city_still_has_a_unit_for_every_story():
    atlas = build_atlas(200, 1)
    assert len(atlas.units) >= 60
