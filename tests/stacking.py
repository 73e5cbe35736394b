"""Many nights as one: a plan rewritten so that every table carries the night its rows belong to.

A pure rewrite of Ibis operations. What meets, groups, numbers or looks something up does so within its night: joins match
on the night, aggregates and windows group by it, scalar subqueries are joined by it. No rule knows.
"""

from __future__ import annotations

import ibis
import ibis.expr.operations as ops
from ibis.expr.schema import Schema

from reconcile.rules.plan import Plan

NIGHT = "night_id"
# A row of these knows its night from its parent.
_CARRY = (
    ops.Distinct, ops.DropColumns, ops.FillNull, ops.DropNull, ops.Sort, ops.Union, ops.Intersection, ops.Difference,
    ops.JoinReference, ops.SelfReference,
)  # fmt: skip


def stacked(plan: Plan) -> Plan:
    """The plan of many nights at once: every input, stage and output has `night_id` for its first column."""
    return Plan(
        [(name, lifted(expression)) for name, expression in plan.stages],
        {name: lifted(expression) for name, expression in plan.outputs.items()},
    )


def lifted(expression: ibis.Table) -> ibis.Table:
    """One expression over many nights."""
    return expression.op().replace(_Lift()).to_expr()


class _Lift:
    """Called on every operation of an expression, children first."""

    def __init__(self) -> None:
        self.scalars: dict[ops.ScalarParameter, tuple[ops.Relation, ops.Value | None]] = {}

    def __call__(self, node: ops.Node, new: dict | None) -> ops.Node:
        new = dict(zip(node.argnames, node.args, strict=True)) | (new or {})
        name = type(node).__name__
        handler = getattr(self, f"_{name}", None)
        if handler is not None:
            return handler(new)
        if isinstance(node, ops.Relation) and not isinstance(node, _CARRY):
            raise NotImplementedError(f"{name} of many nights")
        return type(node)(**new)

    def _UnboundTable(self, new: dict) -> ops.Node:
        schema = Schema({NIGHT: "int64", **new["schema"]})
        return ops.UnboundTable(**new | {"schema": schema})

    def _Project(self, new: dict) -> ops.Node:
        parent, values = self._known(new["parent"], list(new["values"].values()))
        named = dict(zip(new["values"], values, strict=True))
        return ops.Project(parent, {NIGHT: ops.Field(parent, NIGHT), **named})

    def _Filter(self, new: dict) -> ops.Node:
        parent, predicates = self._known(new["parent"], list(new["predicates"]))
        kept = ops.Filter(parent, predicates)
        names = new["parent"].schema
        return kept if parent is new["parent"] else ops.Project(kept, {name: ops.Field(kept, name) for name in names})

    def _Aggregate(self, new: dict) -> ops.Node:
        parent = new["parent"]
        return ops.Aggregate(parent, {NIGHT: ops.Field(parent, NIGHT), **new["groups"]}, new["metrics"])

    def _JoinChain(self, new: dict) -> ops.Node:
        first = new["first"]
        night = ops.Field(first, NIGHT)
        links = []
        for link in new["rest"]:
            if link.how not in ("inner", "left", "cross", "semi", "anti", "any_left", "any_inner"):
                raise NotImplementedError(f"{link.how} join of many nights")
            how = "inner" if link.how == "cross" else link.how
            same = ops.Equals(night, ops.Field(link.table, NIGHT))
            links.append(ops.JoinLink(how, link.table, (same, *link.predicates)))
        values = list(new["values"].values())
        for stand_in in self._used(values):
            looked_up = ops.JoinReference(self.scalars[stand_in][0])
            links.append(ops.JoinLink("left", looked_up, (ops.Equals(night, ops.Field(looked_up, NIGHT)),)))
            read = self._read(looked_up, stand_in, self._name(stand_in))
            values = [value.replace({stand_in: read}) for value in values]
        return ops.JoinChain(first, tuple(links), {NIGHT: night, **dict(zip(new["values"], values, strict=True))})

    def _WindowFunction(self, new: dict) -> ops.Node:
        (parent,) = ops.WindowFunction(**new).relations
        return ops.WindowFunction(**new | {"group_by": (ops.Field(parent, NIGHT), *new["group_by"])})

    def _ScalarSubquery(self, new: dict) -> ops.Node:
        """A stand-in, known by whoever uses it: the value of the row's own night."""
        rel = new["rel"]
        if not isinstance(rel, ops.Aggregate):
            raise NotImplementedError("a scalar subquery that is no aggregate")
        (value,) = (name for name in rel.schema if name != NIGHT)
        # Without a row there is no group to count.
        empty = ops.Literal(0, "int64") if isinstance(rel.metrics[value], ops.CountStar | ops.Count) else None
        stand_in = ops.ScalarParameter(rel.schema[value])
        self.scalars[stand_in] = (rel, empty)
        return stand_in

    def _InSubquery(self, new: dict) -> ops.Node:
        """Night and value as one text; what is asked for here is never null."""
        rel, needle = new["rel"].to_expr(), new["needle"].to_expr()
        (column,) = (name for name in rel.columns if name != NIGHT)
        (parent,) = new["needle"].relations
        one = lambda night, value: night.cast("string") + "|" + value.cast("string")
        known = rel.filter(rel[column].notnull())
        among = known.select(both=one(known[NIGHT], known[column]))
        return ops.InSubquery(among.op(), one(ops.Field(parent, NIGHT).to_expr(), needle).op())

    def _known(self, parent: ops.Relation, values: list[ops.Value]) -> tuple[ops.Relation, list[ops.Value]]:
        """The parent joined with every scalar the values name, and the values reading it from there."""
        used = self._used(values)
        if not used:
            return parent, values
        wide, names = parent.to_expr(), {}
        for number, stand_in in enumerate(used):
            rel = self.scalars[stand_in][0]
            key, names[stand_in] = f"scalar_night_{number}", f"scalar_{number}"
            right = rel.to_expr().select(**{key: NIGHT, names[stand_in]: self._name(stand_in)})
            columns = [*wide.columns, names[stand_in]]
            wide = wide.left_join(right, wide[NIGHT] == right[key]).select(*columns)
        joined = wide.op()
        swapped = {parent: joined} | {s: self._read(joined, s, name) for s, name in names.items()}
        return joined, [value.replace(swapped) for value in values]

    def _used(self, values: list[ops.Value]) -> list[ops.ScalarParameter]:
        return [s for s in self.scalars if any(value.find(lambda node, s=s: node == s) for value in values)]

    def _name(self, stand_in: ops.ScalarParameter) -> str:
        (value,) = (name for name in self.scalars[stand_in][0].schema if name != NIGHT)
        return value

    def _read(self, joined: ops.Relation, stand_in: ops.ScalarParameter, name: str) -> ops.Value:
        field, (_, empty) = ops.Field(joined, name), self.scalars[stand_in]
        return field if empty is None else ops.Coalesce((field, empty))
