"""Identity of a finding: the key computed where the rows are is the one everybody else computes."""

import json

import duckdb
import ibis
import pytest

from reconcile.catalog import RULES
from reconcile.findings import flag_key, grain_text
from reconcile.rules import texts
from tests.spec.spec import night, on_duckdb

AWKWARD = ["U1", 'U"1', "U\\1", "单位〔1〕", "a\tb\nc\rd", "\x01\x1f\x7f", "é/'", ""]


def _said(expression):
    return duckdb.connect().execute(ibis.to_sql(expression, dialect="duckdb")).fetchone()[0]


@pytest.mark.parametrize("text", [*AWKWARD, None])
def test_a_text_is_spelled_as_json_spells_it(text):
    value = ibis.null("string") if text is None else ibis.literal(text)
    assert _said(texts.json_text(value)) == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize("unit", AWKWARD)
def test_a_key_in_the_engine_is_the_key_in_python(unit):
    grain = grain_text(person_key="p1", unit_code=unit)
    assert _said(texts.flag_key(ibis.literal("F02"), ibis.literal(grain))) == flag_key("F02", grain)


def test_every_finding_of_a_night_carries_its_own_key_and_the_catalog_s_grain_and_severity():
    whole = night(
        {
            "roster": 'person | unit | type | fund\n p1 | U"1 | INSTITUTION | PART\n p1 | U2 | |\n - | U2 | |',
            "payroll": "person | payer | mode\n p1 | 某单位 | SELF\n p2 | 某单位 |",
            "establishment": 'unit | quota\n U"1 | 0',
        }
    )
    findings = on_duckdb(whole).findings
    assert {row["rule"] for row in findings} >= {"F01", "F07", "F08", "F09", "D01", "D02", "Q01", "Q03"}
    for row in findings:
        grain = json.loads(row["grain"])
        assert row["grain"] == grain_text(**grain)
        assert row["key"] == flag_key(row["rule"], row["grain"])
        assert tuple(grain) == RULES[row["rule"]].grain
        assert row["severity"] in RULES[row["rule"]].severities
        assert row["expected"] is not None
        assert row["found"] is not None
    assert len({row["key"] for row in findings}) == len(findings)
    assert [(row["rule"], row["key"]) for row in findings] == sorted((row["rule"], row["key"]) for row in findings)
