"""Checks that Great Expectations does not bring along, vectorised, for pandas batches.

Imported inside functions only, by way of suites.py: Great Expectations takes seconds to load.
"""

from __future__ import annotations

import logging
import os

# Both are read once, when Great Expectations is imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
logging.getLogger("great_expectations").setLevel(logging.WARNING)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from great_expectations.execution_engine import PandasExecutionEngine  # noqa: E402
from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation  # noqa: E402
from great_expectations.expectations.metrics import ColumnMapMetricProvider  # noqa: E402
from great_expectations.expectations.metrics.map_metric_provider import (  # noqa: E402
    MulticolumnMapMetricProvider,
    column_condition_partial,
    multicolumn_condition_partial,
)

from expectations.identities import Damage  # noqa: E402
from expectations.normalise import KEPT, NOWHERE  # noqa: E402


class ColumnTextHasForm(ColumnMapMetricProvider):
    """Each value, as text, has the form; decided once per category."""

    condition_metric_name = "column_values.text_has_form"
    condition_value_keys = ("form",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, form: str, **_: object) -> pd.Series:
        right = column.cat.categories.astype(str).str.fullmatch(form)
        return pd.Series(np.asarray(right, dtype=bool)[column.cat.codes], index=column.index)


class ColumnEqualsWord(ColumnMapMetricProvider):
    """Each value is the one word that says all is well; decided on the codes."""

    condition_metric_name = "column_values.equal_the_word"
    condition_value_keys = ("word",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, word: str, **_: object) -> pd.Series:
        right = np.asarray(column.cat.categories == word, dtype=bool)
        return pd.Series(right[column.cat.codes], index=column.index)


class RowsOfOneKeyAgree(MulticolumnMapMetricProvider):
    """(key, content): all rows of one key have one content. A negative key takes no part."""

    condition_metric_name = "multicolumn_values.rows_of_one_key_agree"

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: object) -> pd.Series:
        key, content = column_list.columns
        distinct = column_list.loc[column_list[key] >= 0, [key, content]].drop_duplicates()
        disputed = distinct.loc[distinct[key].duplicated(), key].unique()
        return ~column_list[key].isin(disputed)


class VersionsDoNotOverlap(MulticolumnMapMetricProvider):
    """(key, start, end, content): different rows of one key cover no day twice. Starts and ends are day numbers."""

    condition_metric_name = "multicolumn_values.versions_do_not_overlap"

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: object) -> pd.Series:
        key, start, end, content = column_list.columns
        rows = column_list.drop_duplicates([key, content]).sort_values([key, start, end], kind="stable")
        furthest = rows.groupby(key)[end].cummax().groupby(rows[key]).shift()
        following = rows.groupby(key)[start].shift(-1)
        overlaps = (rows[start] <= furthest) | (following <= rows[end])
        return ~column_list[content].isin(rows.loc[overlaps, content])


class SumOfParts(MulticolumnMapMetricProvider):
    """(whole, part, part, ...): the parts add up to the whole."""

    condition_metric_name = "multicolumn_values.parts_add_up"

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, **_: object) -> pd.Series:
        whole, *parts = column_list.columns
        return column_list[whole] == column_list[parts].sum(axis=1)


class ExpectColumnTextToHaveForm(ColumnMapExpectation):
    """Dates, months, counts and amounts could be read."""

    map_metric = ColumnTextHasForm.condition_metric_name
    success_keys = ("form", "mostly")
    form: str


class ExpectIdsToBeUndamaged(ColumnMapExpectation):
    """No identity number went through a spreadsheet's number format."""

    map_metric = ColumnEqualsWord.condition_metric_name
    success_keys = ("word", "mostly")
    word: str = Damage.SOUND.value


class ExpectUnitCodesToKeepTheirZeros(ColumnMapExpectation):
    """No unit code lost its leading zeros."""

    map_metric = ColumnEqualsWord.condition_metric_name
    success_keys = ("word", "mostly")
    word: str = KEPT


class ExpectNothingOfPeopleElsewhere(ColumnMapExpectation):
    """No identity number stands in a column of something else, no name where a code belongs."""

    map_metric = ColumnEqualsWord.condition_metric_name
    success_keys = ("word", "mostly")
    word: str = NOWHERE


class ExpectCurrentRowsToAgree(MulticolumnMapExpectation):
    """The current roster rows of one person and cell are equal."""

    map_metric = RowsOfOneKeyAgree.condition_metric_name


class ExpectUnitInOneDivision(MulticolumnMapExpectation):
    """A unit code is delivered by one folder and names one division."""

    map_metric = RowsOfOneKeyAgree.condition_metric_name


class ExpectDocumentToStateOneQuota(MulticolumnMapExpectation):
    """One document number states one quota per cell and copy."""

    map_metric = RowsOfOneKeyAgree.condition_metric_name


class ExpectVersionsNotToOverlap(MulticolumnMapExpectation):
    """The versions of one unit do not overlap."""

    map_metric = VersionsDoNotOverlap.condition_metric_name


class ExpectControlEquation(MulticolumnMapExpectation):
    """Rows in = accepted + duplicates + quarantined."""

    map_metric = SumOfParts.condition_metric_name
