"""judge: every rule of issue 2 over one night's accepted rows, in plain loops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from demo.oracle import people, quota, statistics
from demo.oracle.counts import Counts
from demo.oracle.coverage import fold_whole_folders, note_missing_books
from demo.oracle.night import Night, Row
from demo.oracle.numbers import cell_figures, presence_classes, three_numbers


@dataclass(frozen=True)
class Judgement:
    """What must come out of a night.

    findings: rows with the columns of a finding, sorted by rule and key; not_evaluable: rule, division_code,
    unit_code (or *), book; cells: division_code, unit_code, post_type, fund_form ('' '' = unit), quota, allowed,
    in_post, paid, part_of; presence: unit_code, bits (quota, roster, pay), people.
    """

    findings: list[Row]
    not_evaluable: list[Row]
    cells: list[Row]
    presence: list[Row]


def judge(
    books: dict[str, list[Row]],
    facts: dict[str, list[Row]],
    verdicts: list[Row],
    as_of: date,
    parameters: dict[str, Any],
) -> Judgement:
    """Judge one night. Rows as `expectations.books.snapshot_schema`, amounts in cents; a missing key is a blank.

    facts: rows beside the books, by name: quarantine, totals, cutoffs, position, position_quota, movement, usable_month,
    gate_start, workday, rank_order, year_ago. parameters: allowed_post_types, entry_days, exit_days, idle_months.

    Source: DOMAIN §4 and decision 0001. Time is linear in rows but for the loans of count-only units.
    """
    night = Night(books, facts, verdicts, as_of, parameters)
    counts = Counts(night)
    findings = [
        *people.paid_without_post(night),
        *people.posts_without_pay(night),
        *people.several_payers(night),
        *people.paid_otherwise(night),
        *people.several_posts(night),
        *people.invalid_ids(night),
    ]
    findings += three_numbers(night, counts, findings)
    findings += people.wrong_post_types(night)
    findings += people.contradicting_dates(night)
    findings += quota.over_quota(night, counts)
    findings += quota.leaders_above_number(night)
    findings += quota.unapproved_units(night, counts)
    findings += quota.copies_that_differ(night)
    findings += quota.totals_broken(night, counts)
    findings += statistics.wrong_statistics(night)
    findings += statistics.wrong_sums(night, night.facts["totals"])
    findings += statistics.unlike_cutoffs(night, night.facts["cutoffs"])
    note_missing_books(night)
    fold_whole_folders(night)
    names = ("rule", "division_code", "unit_code", "book")
    return Judgement(
        findings=sorted(findings, key=lambda row: (row["rule"], row["key"])),
        not_evaluable=[dict(zip(names, row, strict=True)) for row in sorted(night.not_evaluable)],
        cells=cell_figures(night, counts),
        presence=presence_classes(night),
    )
