"""One client of a race, in a thread or a process of its own: as many attempts on one post as it is told."""

from __future__ import annotations

import json
import sys
from datetime import datetime

from core.accounts import get_user
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.permissions import scope_of
from pool.acting import Act
from pool.service_loans import Wish, request_loan
from tests.poolkit import FULL


def attempt(url: str, client: int, attempts: int, unit: str, now: datetime) -> tuple[int, int]:
    """(granted, refused) of so many requests of one post each; every other error is raised."""
    engine = engine_for(url)
    with reading(engine) as session:
        scope = scope_of(session, get_user(session, f"officer-{unit.lower()}"))
    granted = refused = 0
    for number in range(attempts):
        try:
            with writing(engine) as session:
                act = Act(scope, now, f"client-{client}-{number}")
                request_loan(session, act, Wish(unit, *FULL, "HEALTH", 1, 12, "急需"))
            granted += 1
        except Refused as error:
            if error.details["answer"] != "NO_STOCK":
                raise
            refused += 1
    return granted, refused


if __name__ == "__main__":
    given_url, given_client, given_attempts, given_unit, given_now = sys.argv[1:]
    result = attempt(given_url, int(given_client), int(given_attempts), given_unit, datetime.fromisoformat(given_now))
    print(json.dumps(result))
