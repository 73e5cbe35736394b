"""Running a suite on a batch, and turning its result into rows, and into a page. Great Expectations' types end here.

Imported inside functions only: Great Expectations takes seconds to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache

# First, because it quietens Great Expectations before that is imported.
from expectations import checks  # noqa: F401  # isort: skip
import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from core.errors import InvariantViolated
from expectations.normalise import ZEROS
from expectations.verdicts import ReasonCode

# Great Expectations keeps 200 values; the list of rows is whole, and it is all that is read.
RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}
SAMPLE_ROWS = 20


@dataclass(frozen=True)
class Failure:
    """The rows (positions in the batch, ascending) that one expectation did not find as expected."""

    reason: ReasonCode
    column: str
    rows: np.ndarray


@lru_cache(maxsize=1)
def _definition() -> tuple:
    """One in-memory context of Great Expectations per process: nothing on disk, no analytics, no progress bars."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("inbox").add_dataframe_asset("book")
    return context, asset.add_batch_definition_whole_dataframe("batch")


def judge(
    name: str, frame: pd.DataFrame, expectations: Sequence[Expectation], rows: np.ndarray | None = None
) -> tuple[list[Failure], dict]:
    """Validate one batch: (failures in the order of the expectations, the result as JSON for the Data Docs).

    frame: masked values only, index 0..n-1. rows: n row numbers of the source, shown in the Data Docs instead of values.
    Where no unit register is known (gating `units`, or none accepted) the checks against it are left out, not passed.
    Errors: InvariantViolated when an expectation could not be evaluated; it must never look like one that passed.
    """
    usable = [one for one in expectations if not any(column.endswith(ZEROS) for column in _lacking(one, frame))]
    if len(frame):
        failures, plain = _validated(name, frame, usable, rows)
    else:
        # Nothing is found in no rows: of a book nobody delivered the answer is known from the book before it.
        asked = tuple((type(one), one.json()) for one in usable), tuple(map(repr, frame.dtypes.items()))
        if asked not in _WITHOUT_ROWS:
            _WITHOUT_ROWS[asked] = _validated(name, frame, usable, rows)[1]
        failures, plain = [], deepcopy(_WITHOUT_ROWS[asked])
    run = {"run_name": name, "run_time": ""}
    meta = {"great_expectations_version": gx.__version__, "run_id": run}
    return failures, plain | {"suite_name": name, "meta": meta}


# What was asked of a batch without rows (expectations, columns) → the result as JSON.
_WITHOUT_ROWS: dict[tuple, dict] = {}


def _validated(
    name: str, frame: pd.DataFrame, expectations: Sequence[Expectation], rows: np.ndarray | None
) -> tuple[list[Failure], dict]:
    suite = gx.ExpectationSuite(name=name, expectations=[expectation.copy(deep=True) for expectation in expectations])
    _, definition = _definition()
    batch = definition.get_batch({"dataframe": frame})
    result = batch.validate(suite, result_format=RESULT_FORMAT)
    failures = []
    for one in result.results:
        rows_failing = _unexpected(name, one, len(frame))
        meta = one.expectation_config.meta or {}
        if len(rows_failing) and "reason" in meta:
            failures.append(Failure(ReasonCode(meta["reason"]), meta["column"], rows_failing))
        elif len(rows_failing):
            raise InvariantViolated(f"{name}: rows in ≠ accepted + duplicates + quarantined")
        _trim(one.result, rows_failing, rows)
    return failures, result.to_json_dict()


def _lacking(expectation: Expectation, frame: pd.DataFrame) -> set[str]:
    named = {getattr(expectation, name, None) for name in ("column", "column_A", "column_B")} - {None}
    return (named | set(getattr(expectation, "column_list", ()))) - set(frame.columns)


def _unexpected(name: str, one: object, count: int) -> np.ndarray:
    """The failing positions of one result; never taken from its list of values, which stops at 200."""
    details = one.result
    if count and ("unexpected_index_list" not in details or "unexpected_count" not in details):
        kind = one.expectation_config.type
        raise InvariantViolated(f"{name}: {kind} could not be evaluated on {count} rows")
    found = np.array(details.get("unexpected_index_list") or [], dtype=np.int64)
    if len(found) != details.get("unexpected_count", 0):
        raise InvariantViolated(f"{name}: {len(found)} rows listed, {details['unexpected_count']} counted")
    return np.sort(found)


def _trim(details: dict, failing: np.ndarray, rows: np.ndarray | None) -> None:
    """Leave counts and a few row numbers in a result that goes to the Data Docs."""
    for key in (
        "unexpected_list",
        "partial_unexpected_index_list",
        "partial_unexpected_counts",
        "unexpected_index_list",
    ):
        details.pop(key, None)
    shown = failing[:SAMPLE_ROWS] if rows is None else rows[failing[:SAMPLE_ROWS]]
    details["partial_unexpected_list"] = [f"{row}" for row in shown]


def joined_results(whole: dict | None, piece: dict) -> dict:
    """The results of one suite on two pieces of one file (as JSON) as the result on the whole."""
    if whole is None:
        return piece
    results = [_joined(one, other) for one, other in zip(whole["results"], piece["results"], strict=True)]
    good = sum(one["success"] for one in results)
    statistics = piece["statistics"] | {
        "successful_expectations": good,
        "unsuccessful_expectations": len(results) - good,
        "success_percent": 100 * good / len(results) if results else None,
    }
    return piece | {"success": good == len(results), "results": results, "statistics": statistics}


def _joined(one: dict, other: dict) -> dict:
    first, second = one["result"], other["result"]
    if not first.get("element_count"):
        return other
    if not second.get("element_count"):
        return one
    joined = first | {name: first[name] + second[name] for name in first if name.endswith("_count") and name in second}
    joined["partial_unexpected_list"] = (first["partial_unexpected_list"] + second["partial_unexpected_list"])[
        :SAMPLE_ROWS
    ]
    elements, missing = joined["element_count"], joined.get("missing_count", 0)
    shares = {
        "missing_percent": (missing, elements),
        "unexpected_percent": (joined["unexpected_count"], elements - missing),
        "unexpected_percent_total": (joined["unexpected_count"], elements),
        "unexpected_percent_nonmissing": (joined["unexpected_count"], elements - missing),
    }
    joined |= {name: 100 * part / of if of else None for name, (part, of) in shares.items() if name in joined}
    return one | {"success": one["success"] and other["success"], "result": joined}


@lru_cache(maxsize=1)
def _page() -> tuple:
    """Great Expectations' renderer of validation results, and its view with a template of sections only."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, DictLoader

    view = DefaultJinjaPageView()
    sections = "{% for section in sections %}{% set section_loop = loop -%}{% include 'section.j2' %}{% endfor %}"
    view.env.loader = ChoiceLoader([DictLoader({"sections.j2": sections}), view.env.loader])
    return ValidationResultsPageRenderer(), view


def page_sections(result: dict) -> str:
    """One stored result (the JSON that `judge` gave) as the sections of Great Expectations' validation page, in HTML."""
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    renderer, view = _page()
    results = []
    for one in result["results"]:
        config = one["expectation_config"]
        configuration = ExpectationConfiguration(
            **{key: config.get(key) for key in ("type", "kwargs", "meta", "description")}
        )
        results.append(
            ExpectationValidationResult(
                success=one["success"],
                expectation_config=configuration,
                result=one["result"],
                exception_info=one["exception_info"],
            )
        )
    whole = ExpectationSuiteValidationResult(
        success=result["success"],
        results=results,
        suite_name=result["suite_name"],
        statistics=result["statistics"],
        meta=result["meta"],
    )
    return view.render(renderer.render(whole), template="sections.j2")
