"""P01 未批先进, P03 许可过期或超用, P06 凡进必考: entries against the permits they cite. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from core.types import Cause, EntryForm, PostType
from reconcile.rules.entries import entry_answer, known, open_rows, row_told
from reconcile.rules.listing import lists, lists_told, permit_lists, with_more
from reconcile.rules.months import latest_day
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


def unpermitted(i: Inputs, entry: Table) -> Table:
    """Entries but those whose permit is of their cell and approved by their day, whatever days the dates mean; of several
    rows of one number any will do. Adds `approved`, null without a row of the cell, `never`: in order on no such day, and
    `month_permit`: an approval known to the month leaves it open."""
    b = i.permits
    cells = b.mutate(last=latest_day(b, "approved_on")).group_by("permit_no", *CELL)
    cells = cells.agg(approved=ibis._.approved_on.min(), approved_last=ibis._["last"].min())
    e = known(entry).left_join(cells, ["permit_no", *CELL], rname="cell_{name}")
    fits = (e.approved_last <= e.earliest).fill_null(False)
    e = e.filter(e.permit_no.isnull() | (e.here_permits & ~fits))
    never = (e.approved > e.latest).fill_null(True)
    return e.select(
        *entry.columns, "approved", never=never,
        month_permit=~never & (e.approved < e.approved_last).fill_null(False),
    )  # fmt: skip


def p01_gaps(entry: Table) -> Table:
    """Not evaluable: in order or not, as a month goes; or it may be no entry to judge. `entry`: unpermitted."""
    e = entry.filter(~(entry.never & entry.sure))
    return open_rows(e.filter(~e.exact), "P01").union(open_rows(e.filter(e.month_permit), "P01", "permits"))


def p01(i: Inputs, entry: Table) -> Table:
    """`entry`: unpermitted."""
    b = i.permits
    e = entry.filter(entry.never & entry.sure)
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


def _citing(entry: Table) -> Table:
    """Per permit_no how many entries cite it, at `least` and at `most`: people by unit and day, blank ids one each. An entry
    known to the month may be the one of a day of that month. `month`: one is known to the month."""
    cited = entry.filter(entry.permit_no.notnull())
    whole = ~cited.exact
    same = ("permit_no", "person_key", "unit_code")
    each = cited.filter(cited.person_key.notnull()).mutate(month=ibis._.entry_date.truncate("M"))
    each = each.group_by(*same, "month").agg(
        days=each.entry_date.nunique(where=each.exact), maybe=(~each.exact).any(), sure=each.sure.any()
    )
    known_people = each.select(
        "permit_no",
        least=(each.days > 0).ifelse(each.days, each.sure.cast("int64")), most=each.days + each.maybe.cast("int64"),
    )  # fmt: skip
    blank = cited.filter(cited.person_key.isnull())
    counts = known_people.union(
        blank.select("permit_no", least=blank.sure.cast("int64"), most=ibis.literal(1, "int64"))
    )
    counts = counts.group_by("permit_no").agg(
        least=counts.least.sum().cast("int64"), most=counts.most.sum().cast("int64")
    )
    days = cited.group_by("permit_no").agg(
        newest=cited.earliest.max(where=cited.sure), last=cited.latest.max(), month=whole.any()
    )
    return counts.join(days, "permit_no")


def misused(i: Inputs, entry: Table, place: Table) -> Table:
    """Permits that may have more entries than posts, or one after the last good day; entries of any unit count.

    `over`, `expired`: so on every day the dates may mean; `month`, `month_until`: entries known to the month, or the last
    good day, may leave it open. Adds the owner's cell and home.
    """
    b = i.permits
    owner = b.unit_code + CELL_SEPARATOR + cell_text(b)
    books = b.group_by("permit_no").agg(
        posts=b.posts.sum(), until=b.valid_until.max(), until_last=latest_day(b, "valid_until").max(), owner=owner.min()
    )
    p = _citing(entry).join(books, "permit_no")
    p = p.filter((p.most > p.posts) | (p["last"] > p.until))
    part = p.owner.split(CELL_SEPARATOR)
    expired = (p.newest > p.until_last).fill_null(False)
    p = p.select(
        "permit_no", "posts", "least", "month",
        over=p.least > p.posts, expired=expired,
        month_until=(p["last"] > p.until) & ~expired & (p.until < p.until_last),
        unit_code=part[0], post_type=part[1], fund_form=part[2],
    )  # fmt: skip
    able = place.filter(can_judge(place, "P03")).select(owner_code="unit_code", home="home")
    return p.join(able, p.unit_code == able.owner_code).drop("owner_code")


def p03_gaps(p: Table) -> Table:
    """Not evaluable: at the owner of the permit, for want of days. `p`: misused."""
    p = p.filter(~p.over & ~p.expired)
    return open_rows(p.filter(p.month), "P03").union(open_rows(p.filter(p.month_until), "P03", "permits"))


def p03(i: Inputs, entry: Table, p: Table) -> Table:
    """`p`: misused. Used up comes before expired."""
    p = p.filter(p.over | p.expired)
    every = entry.semi_join(p, "permit_no")
    for found in (_entry_lists(every), permit_lists(i.permits, p)):
        p = p.left_join(found, "permit_no", rname="list_{name}").drop("list_permit_no")
    return answer(
        p, "P03", permit_no=p.permit_no, expected=as_count(p.posts), found=as_count(p.least),
        cause=p.over.ifelse(Cause.OVERUSED.value, Cause.EXPIRED.value), evidence=lists_told(p, "permits", "entries"),
        **{name: p[name] for name in CELL},
    )  # fmt: skip


def unexamined(i: Inputs, entry: Table) -> Table:
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
    return e.filter(neither | unsaid).select(*entry.columns)


def p06_gaps(entry: Table) -> Table:
    """Not evaluable: it may be no entry to judge. `entry`: unexamined."""
    return open_rows(entry.filter(~entry.sure), "P06")


def p06(i: Inputs, entry: Table) -> Table:
    """`entry`: unexamined."""
    b = i.permits
    e = entry.filter(entry.sure)
    e = e.left_join(permit_lists(b, e), "permit_no", rname="list_{name}")
    return entry_answer(e, "P06", expected=FORMS, found=e.entry_form.fill_null(NO_VALUE), evidence=_told(e))
