"""Lists in a finding's evidence: the first of them in text order, and how many more there are. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from reconcile.rules.texts import day_text, json_code, json_number, json_object, json_text

# A list in evidence shows at most this many records; the night's Parquet has them all.
LISTED = 50


def lists(rows: Table, by: tuple[str, ...], **texts: StringValue) -> Table:
    """Per `by`: each text's distinct records as a JSON array of at most LISTED in text order, and `<name>_left`, how many
    it leaves out. `texts`: JSON objects by the name of the list."""
    named = rows.select(*by, **texts)
    every = named.group_by(*by).agg(**{name: named[name].collect(distinct=True).sort() for name in texts})
    columns = {}
    for name in texts:
        columns[name] = "[" + every[name][:LISTED].join(",") + "]"
        columns[f"{name}_left"] = ibis.greatest(every[name].length() - LISTED, 0).cast("int64")
    return every.select(*by, **columns)


def lists_told(table: Table, *names: str) -> StringValue:
    """The lists of a table as one JSON object; `<name>_left_out` behind one that is longer."""
    text: StringValue = ibis.literal("{")
    for place, name in enumerate(names):
        left = table[f"{name}_left"].fill_null(0)
        more = (left > 0).ifelse(f',"{name}_left_out":' + json_number(left), "")
        text = text + f'{"," if place else ""}"{name}":' + table[name].fill_null("[]") + more
    return text + "}"


def with_more(one: StringValue, other: StringValue) -> StringValue:
    """Two JSON objects as one; where only one is there, that one."""
    both = one.substr(0, one.length() - 1) + "," + other.substr(1)
    return ibis.coalesce(both, one, other)


def permit_lists(permits: Table, citing: Table) -> Table:
    """permit_no and what the permits book says of the numbers cited: `permits`, row by row. `citing`: permit_no."""
    b = permits.semi_join(citing, "permit_no")
    text = json_object(
        {
            "unit": json_text(b.unit_code),
            "post_type": json_code(b.post_type),
            "fund_form": json_code(b.fund_form),
            "posts": json_number(b.posts),
            "approved_on": json_code(day_text(b.approved_on)),
            "valid_until": json_code(day_text(b.valid_until)),
            "source_of_people": json_code(b.source_of_people),
        }
    )
    return lists(b, ("permit_no",), permits=text)
