"""What Great Expectations is asked, and what it is not asked twice."""

from __future__ import annotations

import pandas as pd

from expectations import validation
from expectations.suites import book_suites


def test_what_is_asked_of_no_rows_once_is_answered_under_every_name():
    frame = pd.DataFrame([], columns=["records", "usable"], dtype="int64")
    asked = book_suites("headcount").divisions
    validation.judge("headcount.divisions", frame, asked)[1]["results"].clear()
    failures, again = validation.judge("permits.divisions", frame, asked)
    assert (failures, again["suite_name"], len(again["results"])) == ([], "permits.divisions", len(asked))
    validation._WITHOUT_ROWS.clear()
    assert validation.judge("permits.divisions", frame, asked) == ([], again)


def test_other_questions_and_other_columns_are_asked_by_themselves():
    asked = book_suites("payroll").divisions
    whole = pd.DataFrame([], columns=["records", "usable", "of_month"], dtype="int64")
    first = validation.judge("payroll.divisions", whole, asked)[1]
    fewer = validation.judge("payroll.divisions", whole, asked[:1])[1]
    assert (len(first["results"]), len(fewer["results"])) == (3, 1)
    assert (
        validation.judge("payroll.divisions", pd.DataFrame({"records": [1], "usable": [1], "of_month": [0]}), asked)[0]
        != []
    )
