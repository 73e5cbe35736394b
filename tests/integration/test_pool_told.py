"""What people are told of a loan, what is kept of why, and what is refused before the database sees it; on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.errors import InputRejected, Refused
from core.outbox import OutboxMail
from core.units import UnitVersion
from pool.housekeeping import keep_pool
from pool.models import PoolSlotEvent
from pool.service_approvals import approve_request
from pool.service_loans import Wish, refuse_request, request_loan, review_request
from pool.service_people import delegate
from pool.service_reversal import reverse_movement
from pool.service_slots import fill_slot, recall_loan, renew_loan
from tests.poolkit import FULL, K2, Province, found_province, slot


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def night(province: Province):
    with writing(province.engine) as session:
        return keep_pool(session, province.today, province.now)


def mails(province, digest: str) -> list[OutboxMail]:
    with reading(province.engine) as session:
        return list(
            session.scalars(select(OutboxMail).where(OutboxMail.digest.startswith(digest)).order_by(OutboxMail.id))
        )


def test_a_recall_says_the_day_that_counts_when_the_term_ends_before_the_grace(province):
    province.grant("A2", 5)
    province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    loan = province.lend("A1", 1, months=1)
    recalled = province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    assert recalled["due_date"] == "2026-11-20" == str(slot(province, loan["slots"][0]).due_date)
    (mail,) = mails(province, "pool_recall")
    assert "2026-11-20" in mail.text
    assert "2026-12-19" not in mail.text


def test_why_a_loan_was_renewed_or_called_back_is_kept_and_the_renewal_is_mailed(province):
    province.grant("A2", 5)
    province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    loan = province.lend("A1", 1)
    province.do(renew_loan, "citydirector", loan["loan"], 3, "还需要")
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    with reading(province.engine) as session:
        notes = dict(session.execute(select(PoolSlotEvent.move, PoolSlotEvent.note)).all())
    assert (notes["RENEW"], notes["RECALL"]) == ("还需要", "急用")
    (mail,) = mails(province, "pool_renewed")
    assert (mail.recipient, "2028-01-20" in mail.text) == ("officer-a1@example.org", True)


def test_an_approval_undone_and_refused_the_same_day_is_told_each_time(province):
    province.pool(K2, 5)
    asked = province.ask("A1", 1)
    province.do(review_request, "reviewer", asked["request"])
    granted = province.do(approve_request, "citydirector", asked["request"])
    province.do(reverse_movement, "citydirector", granted["movement"], "文9")
    province.do(refuse_request, "director", asked["request"], "不再需要")
    told = [mail.subject.partition("：")[2] for mail in mails(province, "pool_")]
    assert told == ["批准 1 个", "批准已冲正", "未批准"]


def test_a_department_that_no_longer_supervises_is_not_waited_for(province):
    province.pool(K2, 5)
    with writing(province.engine) as session:
        old = session.scalar(select(UnitVersion).where(UnitVersion.unit_code == "A1"))
        old.supervising_code, old.valid_from = "A2", date(2020, 1, 1)
        kept = {column.key: getattr(old, column.key) for column in UnitVersion.__table__.columns if column.key != "id"}
        session.add(UnitVersion(**kept | {"supervising_code": None, "valid_from": date(2026, 1, 1)}))
    asked = province.ask("A1", 1)
    assert province.do(review_request, "reviewer", asked["request"])["status"] == "REVIEWED"


def test_a_draft_is_refused_as_a_draft_and_not_as_unknown(province):
    province.pool(K2, 5)
    draft = province.do(request_loan, "officer-a1", Wish("A1", *FULL, "HEALTH", 1, 12, "急需"), draft=True)
    with pytest.raises(Refused, match="当前状态是“草稿”"):
        province.do(approve_request, "director", draft["request"])


def test_what_is_longer_than_its_column_is_refused_before_the_database_sees_it(province):
    province.pool(K2, 5)
    with pytest.raises(InputRejected, match="没有这种用途"):
        province.ask("A1", 1, purpose="X" * 33)
    asked = province.ask("A1", 1)
    province.do(review_request, "reviewer", asked["request"])
    with pytest.raises(InputRejected, match="文号至多 200 个字"):
        province.do(approve_request, "citydirector", asked["request"], document_no="文" * 201)


def test_nobody_who_only_reads_can_be_given_a_decision(province):
    with pytest.raises(Refused, match="审计人员和管理员") as caught:
        province.do(delegate, "director", "auditor", province.today, province.today)
    assert caught.value.details["answer"] == "NEVER_DECIDES"


def test_what_turns_in_a_later_run_of_the_same_day_is_mailed_too(province):
    province.pool(K2, 5)
    first = province.lend("A1", 1, months=1)
    assert night(province).mails == 1
    province.do(fill_slot, "reviewer", first["slots"][0], "k1", "mask")
    second = province.lend("A1", 1, months=1)
    assert (night(province).mails, night(province).mails) == (1, 0)
    with reading(province.engine) as session:
        texts = list(session.scalars(select(OutboxMail.text).where(OutboxMail.digest.startswith("pool_due_soon"))))
    assert [second["slots"][0] in text for text in texts] == [False, True]
