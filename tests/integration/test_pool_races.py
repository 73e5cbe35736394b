"""Races on both databases: the last posts, double clicks, two directors, withdraw against approve."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from core.db import engine_for, reading, writing
from core.errors import Refused
from pool.models import PoolLoan, PoolMovement, PoolRequest
from pool.proof import broken_proofs
from pool.service import grant_posts
from pool.service_approvals import approve_request
from pool.service_loans import Wish, request_loan, review_request, withdraw_request
from tests.integration.pool_clients import attempt
from tests.poolkit import FULL, K2, PROVINCE, UNITS, Province, found_province

ROOT = Path(__file__).resolve().parents[2]
CLIENTS, ATTEMPTS, POSTS = 16, 20, 100
BORROWERS = [code for code, (_, level) in UNITS.items() if level != "PROVINCE"]


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def together(*acts):
    """Run all at once; answers with each result or Refused."""
    gate = Barrier(len(acts))

    def run(act):
        gate.wait()
        try:
            return act()
        except Refused as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return [future.result() for future in [threads.submit(run, act) for act in acts]]


def whole(province: Province) -> bool:
    with reading(province.engine) as session:
        return broken_proofs(session) == []


def unit_of(client: int) -> str:
    return BORROWERS[client % len(BORROWERS)]


def check_last_posts(province: Province, results) -> None:
    assert sum(granted for granted, _ in results) == POSTS
    assert sum(refused for _, refused in results) == CLIENTS * ATTEMPTS - POSTS
    assert (province.sum_of("idle"), province.sum_of("pending")) == (0, POSTS)
    assert whole(province)


def test_sixteen_threads_on_the_last_hundred_posts_get_exactly_a_hundred(province, database_url):
    province.pool(PROVINCE, POSTS, login="topreviewer")
    with ThreadPoolExecutor(CLIENTS) as threads:
        jobs = [
            threads.submit(attempt, database_url, client, ATTEMPTS, unit_of(client), province.now)
            for client in range(CLIENTS)
        ]
        check_last_posts(province, [job.result() for job in jobs])


def test_sixteen_processes_on_the_last_hundred_posts_get_exactly_a_hundred(province, database_url):
    province.pool(PROVINCE, POSTS, login="topreviewer")
    command = [sys.executable, "-m", "tests.integration.pool_clients", database_url]
    running = [
        subprocess.Popen(
            [*command, str(client), str(ATTEMPTS), unit_of(client), province.now.isoformat()],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for client in range(CLIENTS)
    ]  # fmt: skip
    results = [process.communicate(timeout=300) for process in running]
    assert [process.returncode for process in running] == [0] * CLIENTS
    check_last_posts(province, [json.loads(out) for out, _ in results])


def test_a_double_click_makes_one_loan(province):
    province.pool(K2, 5)
    click = lambda: province.ask("A1", 2, key="one-click")
    first, second = together(click, click)
    assert first == second == click()
    with reading(province.engine) as session:
        assert session.scalar(select(func.count()).select_from(PoolRequest)) == 1
    asked = first["request"]
    province.do(review_request, "reviewer", asked)
    approve = lambda: province.do(approve_request, "citydirector", asked, key="approve-once")
    first, second = together(approve, approve)
    assert first == second
    with reading(province.engine) as session:
        assert session.scalar(select(func.count()).select_from(PoolLoan)) == 1
    assert whole(province)


def test_a_key_with_another_body_is_refused_also_twice_in_one_batch(province):
    province.pool(K2, 5)
    province.ask("A1", 2, key="k")
    with pytest.raises(Refused, match="内容不同") as caught:
        province.ask("A1", 1, key="k")
    assert (caught.value.http_status, caught.value.details["answer"]) == (409, "OTHER_BODY")
    with writing(province.engine) as session:
        act = province.act("officer-a2", "batch")
        wish = Wish("A2", *FULL, "HEALTH", 1, 12, "急需")
        assert request_loan(session, act, wish) == request_loan(session, act, wish)
    with pytest.raises(Refused, match="内容不同"):
        grant_twice(province)
    assert province.sum_of("home", "U:A3") == 0
    assert province.ask("A3", 1, key="k")["status"] == "SUBMITTED"


def grant_twice(province: Province) -> None:
    """One batch, one key, two bodies."""
    with writing(province.engine) as session:
        act = province.act("reviewer", "batch2")
        for posts in (1, 2):
            grant_posts(session, act, "U:A3", *FULL, posts, "编委1")


def test_two_directors_make_one_decision_and_the_other_learns_who(province):
    from tests.integration.test_pool_loans import _retirements

    province.pool(K2, 5)
    with writing(province.engine) as session:
        session.execute(_retirements("A1", 9))
    asked = province.ask("A1", 2)["request"]
    province.do(review_request, "reviewer", asked)
    results = together(
        lambda: province.do(approve_request, "director", asked),
        lambda: province.do(approve_request, "second", asked),
    )
    (lost,) = [result for result in results if isinstance(result, Refused)]
    assert lost.details["decided_by"] in ("director", "second")
    assert (province.sum_of("lent"), province.sum_of("pending")) == (2, 0)
    assert whole(province)


def test_withdraw_against_approve_has_exactly_one_outcome(province):
    province.pool(K2, 50)
    won = []
    for unit in ("A1", "A2", "A3"):
        asked = province.ask(unit, 2)["request"]
        province.do(review_request, "reviewer", asked)
        results = together(
            lambda asked=asked: province.do(approve_request, "citydirector", asked),
            lambda asked=asked, unit=unit: province.do(withdraw_request, f"officer-{unit.lower()}", asked),
        )
        assert sum(isinstance(result, Refused) for result in results) == 1
        won.append(not isinstance(results[0], Refused))
        with reading(province.engine) as session:
            status = session.scalar(select(PoolRequest.status).where(PoolRequest.number == asked))
            kinds = list(session.scalars(select(PoolMovement.kind).where(PoolMovement.request_no == asked)))
        assert (status, sorted(kinds)) == (("APPROVED", ["ASK", "LEND"]) if won[-1] else ("WITHDRAWN", ["ASK", "DROP"]))
    assert (province.sum_of("lent"), province.sum_of("pending")) == (2 * sum(won), 0)
    assert whole(province)
