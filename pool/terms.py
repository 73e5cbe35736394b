"""The pool's parameters where they are looked up for many nodes: each by its own division, each division once."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from pool.models import PoolNode
from pool.policies import Terms
from pool.store import terms_on


class TermsByPlace:
    """The parameters of each node's division on a day, read once."""

    def __init__(self, session: Session, on: date) -> None:
        self._session, self._on = session, on
        self._known: dict[str, Terms] = {}
        self._places = dict(session.execute(select(PoolNode.id, PoolNode.division_code)).all())

    def of(self, node_id: str) -> Terms:
        division = self._places[node_id]
        if division not in self._known:
            self._known[division] = terms_on(self._session, self._on, division)
        return self._known[division]

    def soon_days(self, node_id: str) -> int:
        """Days before the due date from which a loan of the node is due soon (R10)."""
        return self.of(node_id).due_soon_days
