"""P01 未批先进, P03 许可过期或超用, P06 凡进必考: entries against the permits they cite. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from core.types import Cause, EntryForm, PostType
from reconcile.rules.entries import entry_answer, known, row_told
from reconcile.rules.listing import lists, lists_told, permit_lists, with_more
from reconcile.rules.quota import CELL
from reconcile.rules.tables import Inputs
from reconcile.rules.texts import (
    CELL_SEPARATOR,
    NO_VALUE,
    answer,
    as_count,
    cell_text,
    choose,
    day_text,
    json_code,
    json_number,
    json_object,
    json_text,
)  # fmt: skip
from reconcile.rules.units import can_judge

EXAMINED_TYPES = [
    PostType.ADMIN.value, PostType.POLITICAL_LEGAL.value, PostType.CIVIL_SERVICE_REF.value, PostType.INSTITUTION.value,
]  # fmt: skip
PERMITTED_FORMS = [EntryForm.PLACEMENT.value, EntryForm.APPOINT.value]
FORMS = ";".join(form.value for form in EntryForm if form is not EntryForm.OTHER)


def p01(i: Inputs, entry: Table) -> Table:
    """An entry whose permit is of its cell and approved by its day is in order; of several rows of one number any is."""
    b = i.permits
    cells = b.group_by("permit_no", *CELL).agg(approved=b.approved_on.min())
    e = known(entry).left_join(cells, ["permit_no", *CELL], rname="cell_{name}")
    fits = (e.approved <= e.entry_date).fill_null(False)
    e = e.filter(e.permit_no.isnull() | (e.here_permits & ~fits))
    parts = (b.unit_code, b.post_type, b.fund_form, day_text(b.approved_on))
    shown = ibis.literal(CELL_SEPARATOR).join(parts)
    cited = b.semi_join(e, "permit_no")
    cited = cited.select("permit_no", shown=shown).group_by("permit_no").agg(shown=ibis._.shown.min())
    e = e.left_join(cited, "permit_no", rname="cited_{name}")
    e = e.left_join(permit_lists(b, e), "permit_no", rname="list_{name}")
    cause = choose(
        (e.permit_no.isnull(), Cause.NO_PERMIT.value),
        (e.shown.isnull(), Cause.UNKNOWN_PERMIT.value),
        (e.approved.isnull(), Cause.OTHER_CELL.value),
        otherwise=Cause.APPROVED_LATER.value,
    )
    return entry_answer(
        e, "P01", expected=e.shown.fill_null(NO_VALUE), found=e.permit_no.fill_null(NO_VALUE), cause=cause,
        evidence=_told(e),
    )  # fmt: skip


def _told(e: Table) -> StringValue:
    """How the entry came about, and what is known of the permit it cites."""
    registered = json_code(day_text(e.entry_registered))
    own = row_told(e, "entry_form", entry_registered=registered, permit_no=json_text(e.permit_no))
    return with_more(own, lists_told(e, "permits"))


def _entry_lists(cited: Table) -> Table:
    """permit_no and `entries`: every entry that cites it, by day; alike rows of people without a number once, counted."""
    same = ("permit_no", "entry_date", "unit_code", "post_type", "fund_form", "person_key", "person_mask")
    each = cited.group_by(*same).agg(rows=cited.count())
    text = json_object(
        {
            "entry": json_code(day_text(each.entry_date)),
            "unit": json_text(each.unit_code),
            "post_type": json_code(each.post_type),
            "fund_form": json_code(each.fund_form),
            "person_mask": json_text(each.person_mask),
            "rows": json_number(each["rows"]),
        }
    )
    return lists(each, ("permit_no",), entries=text)


def p03(i: Inputs, entry: Table, place: Table) -> Table:
    """Permits with more entries than posts, else with one after the last good day. Entries of any unit count."""
    b = i.permits
    owner = b.unit_code + CELL_SEPARATOR + cell_text(b)
    books = b.group_by("permit_no").agg(posts=b.posts.sum(), until=b.valid_until.max(), owner=owner.min())
    every = entry.filter(entry.permit_no.notnull())
    cited = every
    people = cited.person_key.nunique() + cited.person_key.isnull().sum().cast("int64")
    cited = cited.group_by("permit_no").agg(citing=people, newest=cited.entry_date.max())
    p = cited.join(books, "permit_no")
    p = p.mutate(over=p.citing > p.posts).filter(ibis._.over | (p.newest > p.until))
    part = p.owner.split(CELL_SEPARATOR)
    p = p.mutate(unit_code=part[0], post_type=part[1], fund_form=part[2])
    able = place.filter(can_judge(place, "P03"))
    p = p.semi_join(able, "unit_code")
    for found in (_entry_lists(every.semi_join(p, "permit_no")), permit_lists(b, p)):
        p = p.left_join(found, "permit_no", rname="list_{name}").drop("list_permit_no")
    return answer(
        p, "P03", permit_no=p.permit_no, expected=as_count(p.posts), found=as_count(p.citing),
        cause=p.over.ifelse(Cause.OVERUSED.value, Cause.EXPIRED.value), evidence=lists_told(p, "permits", "entries"),
        **{name: p[name] for name in CELL},
    )  # fmt: skip


def p06(i: Inputs, entry: Table) -> Table:
    """Entered by no form, by another one, or placed or appointed without a permit that says so."""
    b = i.permits
    said = b.filter(b.source_of_people.isin(PERMITTED_FORMS))
    said = said.select("permit_no", entry_form="source_of_people", said=ibis.literal(True)).distinct()
    e = (
        known(entry)
        .filter(entry.post_type.isin(EXAMINED_TYPES))
        .left_join(said, ["permit_no", "entry_form"], rname="said_{name}")
    )
    neither = e.entry_form.isnull() | (e.entry_form == EntryForm.OTHER.value)
    unsaid = e.entry_form.isin(PERMITTED_FORMS) & e.here_permits & e.said.isnull()
    e = e.filter(neither | unsaid)
    e = e.left_join(permit_lists(b, e), "permit_no", rname="list_{name}")
    return entry_answer(e, "P06", expected=FORMS, found=e.entry_form.fill_null(NO_VALUE), evidence=_told(e))
