"""judge: every rule over one night's accepted rows, in plain loops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from demo.oracle import divisions, entries, holders, leads, names, people, permits, position, quota, ranks, statistics
from demo.oracle.counts import Counts
from demo.oracle.coverage import fold_whole_folders, note_missing_books
from demo.oracle.evidence import with_people
from demo.oracle.night import Night, Row
from demo.oracle.numbers import cell_figures, presence_classes, three_numbers


@dataclass(frozen=True)
class Judgement:
    """What must come out of a night.

    findings: rows with the columns of a finding, sorted by rule and key; not_evaluable: rule, division_code,
    unit_code (or *), book; cells: division_code, unit_code, post_type, fund_form ('' '' = unit), quota, allowed,
    in_post, paid, part_of; presence: unit_code, bits (quota, roster, pay), people; division_paid: division_code, paid.
    """

    findings: list[Row]
    not_evaluable: list[Row]
    cells: list[Row]
    presence: list[Row]
    division_paid: list[Row]


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
    gate = entries.Gate(night)
    division_paid = divisions.paid_per_division(night)
    findings = _of_people(night, gate)
    findings += three_numbers(night, counts, findings)
    findings += _of_units(night, counts)
    findings += divisions.paid_above_limit(night, division_paid)
    gate.note_unstarted()
    note_missing_books(night)
    fold_whole_folders(night)
    columns = ("rule", "division_code", "unit_code", "book")
    return Judgement(
        findings=sorted(with_people(night, findings), key=lambda row: (row["rule"], row["key"])),
        not_evaluable=[dict(zip(columns, row, strict=True)) for row in sorted(night.not_evaluable)],
        cells=cell_figures(night, counts),
        presence=presence_classes(night),
        division_paid=division_paid,
    )


def _of_people(night: Night, gate: entries.Gate) -> list[Row]:
    """The rules about persons; those that rest on what others found come after them."""
    findings = [
        *people.paid_without_post(night),
        *people.posts_without_pay(night),
        *people.several_payers(night),
        *people.paid_otherwise(night),
        *people.several_posts(night),
        *people.invalid_ids(night),
        *people.wrong_post_types(night),
        *people.contradicting_dates(night),
        *ranks.ranks_above_unit(night),
        *ranks.past_statutory_age(night),
        *names.names_that_differ(night),
        *permits.entries_without_permit(night, gate),
        *holders.entries_into_full_cells(night, gate),
        *permits.permits_overused(night, gate),
        *entries.late_entries(night, gate),
        *entries.entries_without_exam(night, gate),
        *entries.reverse_flow(night, gate),
    ]
    findings += names.one_person_two_ids(night, findings)
    findings += leads.paid_while_elsewhere(night, findings)
    findings += entries.late_exits(night, gate, findings)
    return findings


def _of_units(night: Night, counts: Counts) -> list[Row]:
    """The rules about units, divisions and files."""
    return [
        *quota.over_quota(night, counts),
        *quota.leaders_above_number(night),
        *quota.unapproved_units(night, counts),
        *quota.copies_that_differ(night),
        *quota.totals_broken(night, counts),
        *position.position_rules(night),
        *divisions.units_above_limit(night),
        *statistics.wrong_statistics(night),
        *statistics.wrong_sums(night, night.facts["totals"]),
        *statistics.unlike_cutoffs(night, night.facts["cutoffs"]),
    ]
