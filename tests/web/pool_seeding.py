"""The seeded city's pool: stock at three levels, loans due soon, overdue and recalled, requests at every stage."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts import get_user
from core.outbox import OutboxMail
from core.permissions import scope_of
from pool.acting import Act
from pool.housekeeping import keep_pool
from pool.service import deposit_posts, grant_posts, transfer_posts
from pool.service_approvals import approve_request
from pool.service_loans import Wish, endorse_request, request_loan, review_request
from pool.service_opening import open_balances, plant_tree, take_strength
from pool.service_slots import fill_slot, recall_loan, return_posts

CITY, COUNTY, PROVINCE = "CITY:370100", "COUNTY:370102", "PROVINCE:370000"
SCHOOL, SMALL, BUREAU, HEALTH = "3701002", "3701022", "3701001", "3701031"
INSTITUTION = ("INSTITUTION", "FULL")
# unit, post type, fund form, quota, in post
OPENING = (
    (BUREAU, "ADMIN", "FULL", 86, 84),
    (BUREAU, "SUPPORT", "FULL", 6, 7),
    (SCHOOL, "INSTITUTION", "FULL", 240, 240),
    (SCHOOL, "INSTITUTION", "SELF", 12, 12),
    ("3701003", "CIVIL_SERVICE_REF", "FULL", 45, 44),
    ("3701021", "ADMIN", "FULL", 32, 32),
    (SMALL, "INSTITUTION", "FULL", 60, 60),
    (SMALL, "INSTITUTION", "PART", 118, 115),
    (HEALTH, "ADMIN", "FULL", 28, 28),
)
# People on pool posts, whom the newest roster counts too.
ON_POOL = {(SCHOOL, *INSTITUTION): 2, (SMALL, *INSTITUTION): 2}
RETIRING = (
    (SCHOOL, *INSTITUTION, "2026-06", 3),
    (SCHOOL, *INSTITUTION, "2027-08", 9),
    (SMALL, *INSTITUTION, "2026-05", 4),
    (HEALTH, "ADMIN", "FULL", "2027-03", 3),
    (BUREAU, "SUPPORT", "FULL", "2027-02", 4),
)
KEYS = count(1)


class Office:
    """Use-cases run by login at a moment, in one session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def do(self, use_case, login: str, at: datetime, *args, **more):
        act = Act(scope_of(self.session, get_user(self.session, login)), at, f"seed-{next(KEYS)}")
        return use_case(self.session, act, *args, **more)

    def lend(self, at: datetime, officer: str, reviewer: str, director: str, wish: Wish, supervisor: str | None = None):
        asked = self.do(request_loan, officer, at, wish)
        if supervisor:
            self.do(endorse_request, supervisor, at, asked["request"], "同意")
        self.do(review_request, reviewer, at, asked["request"], "情况属实")
        return self.do(approve_request, director, at, asked["request"], document_no=f"编委〔{at.year}〕{at.month}号")


def wish(unit: str, cell: tuple[str, str], purpose: str, posts: int, months: int = 12, **more) -> Wish:
    return Wish(unit, *cell, purpose, posts, months, more.pop("reason", "新学年扩班，急需补充"), **more)


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 2, 0, tzinfo=UTC)


def seed_pool(session: Session, newest: date, now: datetime) -> None:
    """Everything, in one transaction."""
    office = Office(session)
    start = at(2025, 9, 1)
    office.do(plant_tree, "province", start)
    office.do(open_balances, "reviewer", start, OPENING, start.date())
    take_strength(session, newest, [(*row[:3], row[4] + ON_POOL.get(row[:3], 0)) for row in OPENING], RETIRING)
    for node, cell, purpose, posts, who in (
        (PROVINCE, INSTITUTION, "EDUCATION", 10, "province"),
        (CITY, INSTITUTION, "EDUCATION", 12, "reviewer"),
        (CITY, INSTITUTION, "HEALTH", 6, "reviewer"),
        (CITY, ("ADMIN", "FULL"), "PLACEMENT", 5, "reviewer"),
        (CITY, ("SUPPORT", "FULL"), "GRASSROOTS", 3, "reviewer"),
        (COUNTY, INSTITUTION, "EDUCATION", 2, "reviewer"),
    ):
        office.do(deposit_posts, who, start, node, *cell, purpose, posts, "TOTAL_SLICE", "编委〔2025〕9号")
    _loans(office)
    document = "编委〔2026〕31号"
    office.do(
        deposit_posts, "reviewer", now, COUNTY, "INSTITUTION", "PART", "EDUCATION", 2, "USE_RIGHT_LENT", document,
        giver=f"U:{SMALL}",
    )  # fmt: skip
    office.do(grant_posts, "reviewer", now, f"U:{BUREAU}", "ADMIN", "FULL", 2, document)
    office.do(
        transfer_posts, "reviewer", now, f"U:{BUREAU}", "U:3701021", "ADMIN", "FULL", 1, document,
        central_no="中央编办〔2026〕8号",
    )  # fmt: skip
    _waiting(office, now)
    keep_pool(session, newest, now)
    session.execute(update(OutboxMail).where(OutboxMail.digest.startswith("pool_")).values(sent_at=now))


def _loans(office: Office) -> None:
    began = at(2025, 12, 20)
    due_soon = office.lend(
        began, "officer", "reviewer", "director", wish(SCHOOL, INSTITUTION, "EDUCATION", 3), "supervisor"
    )
    for number, person in zip(due_soon["slots"][:2], ("a", "b"), strict=True):
        office.do(fill_slot, "reviewer", at(2026, 1, 5), number, person * 32, f"370102********00{person}1")
    office.do(return_posts, "officer", at(2026, 9, 1), due_soon["loan"], 1)
    overdue = office.lend(
        at(2025, 10, 8),
        "small",
        "reviewer",
        "county_director",
        wish(SMALL, INSTITUTION, "EDUCATION", 2, other_waiver="区财〔2025〕3号"),
    )
    for number, person in zip(overdue["slots"], ("c", "d"), strict=True):
        office.do(fill_slot, "reviewer", at(2025, 11, 3), number, person * 32, f"370102********00{person}1")
    recalled = office.lend(
        at(2026, 10, 12), "other", "reviewer", "director",
        wish(HEALTH, ("ADMIN", "FULL"), "PLACEMENT", 2, 24, central_no="中央编办〔2026〕7号", reason="安置退役军人"),
    )  # fmt: skip
    office.do(recall_loan, "reviewer", at(2026, 11, 10), recalled["slots"][:1], "本级另有急需")


def _waiting(office: Office, now: datetime) -> None:
    support = ("SUPPORT", "FULL")
    office.do(request_loan, "officer", now, wish(BUREAU, support, "GRASSROOTS", 1, reason="窗口人手不足"))
    reviewed = office.do(
        request_loan, "officer", now, wish(SCHOOL, INSTITUTION, "HEALTH", 4, 24, reason="校医务室按标准配备")
    )
    office.do(endorse_request, "supervisor", now, reviewed["request"], "同意上报")
    office.do(review_request, "reviewer", now, reviewed["request"], "符合用途目录")
    office.do(request_loan, "officer", now, wish(SCHOOL, INSTITUTION, "EDUCATION", 2), draft=True)
