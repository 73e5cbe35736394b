"""Every act of the gate by name: its arguments as text, read strictly, and the use-case it calls. One table, which the
commands of `bianzhi gate`, the API and the forms of the portal are made from."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.errors import InputRejected
from core.identity import normalise_code
from core.permissions import Permission
from core.person_identity import person_of
from core.types import IdType
from pool.acting import Act, Receipt
from pool.acts import Argument, Deed, Values, read_code, read_count, read_day, read_number, read_text, read_word
from pool.ledger import parse_posts
from staffing.blocks import release_block
from staffing.chain import CHAIN, Move
from staffing.notices import acknowledge_notice
from staffing.service_applications import (
    UseWish,
    apply_for_posts,
    confirm_cost,
    refuse_application,
    review_application,
    submit_application,
    withdraw_application,
)
from staffing.service_carry import carry_posts
from staffing.service_entries import Entry, enter, finish_papers, note_pay
from staffing.service_exits import (
    announce_exit,
    cancel_slot,
    recant_exit,
    record_person,
    register_exit,
    register_exit_of,
    undo_exit,
)
from staffing.service_permits import grant_permit, grant_waiver, revoke_permit
from staffing.service_plans import (
    ask_consultation,
    give_opinion,
    pass_plan,
    refuse_plan,
    review_plan,
    submit_plan,
    withdraw_plan,
)
from staffing.service_split import Part, split_unit


def read_yes(text: str) -> bool:
    """yes or no."""
    if text.strip() not in ("yes", "no"):
        raise InputRejected("须为 yes 或 no。")
    return text.strip() == "yes"


def read_year(text: str) -> int:
    """A year of four digits."""
    if not re.fullmatch(r"[12]\d{3}", text.strip(), re.ASCII):
        raise InputRejected("年度须为四位数字。")
    return int(text)


def read_document(text: str) -> str:
    """A document's number as the ledger spells it."""
    return normalise_code(read_text(text))


def read_lines(text: str) -> list[tuple[str, str, int]]:
    """Cells of a plan: `TYPE:FORM:POSTS`, several apart by spaces or commas."""
    return [_line(part) for part in re.split(r"[\s,，、;；]+", text.strip()) if part]


def _line(text: str) -> tuple[str, str, int]:
    parts = text.replace("：", ":").split(":")
    if len(parts) != 3:
        raise InputRejected("计划每类写作 编制类型:经费形式:编制数，例如 INSTITUTION:FULL:3。")
    return parts[0].upper(), parts[1].upper(), parse_posts(parts[2]) if parts[2].strip() != "0" else 0


def read_part(text: str) -> Part:
    """What one unit gets of a split: `UNIT=BZ2026-000001+INSTITUTION:FULL:3`, slot numbers and vacant posts apart by +."""
    unit, _, rest = text.strip().replace("＝", "=").partition("=")
    given = [each.strip() for each in rest.replace("＋", "+").split("+") if each.strip()]
    if not unit.strip() or not given:
        raise InputRejected(
            "分设每个单位写作 单位编码=用编序号+编制类型:经费形式:编制数，例如 A1=BZ2026-000001+ADMIN:FULL:2。"
        )
    cells = tuple(_line(each) for each in given if ":" in each or "：" in each)
    return Part(
        read_code(unit), tuple(read_code(each) for each in given if ":" not in each and "：" not in each), cells
    )


def _at(name: str, help: str, read: Callable[[str], object] = read_text, many: bool = False) -> Argument:
    return Argument(name, help, read, many=many)


def _option(
    name: str, help: str, read: Callable[[str], object] = read_text, required: bool = False, secret: bool = False
) -> Argument:
    return Argument(name, help, read, required=required, option=True, secret=secret)


UNIT = _at("unit_code", "unit code", read_code)
CELL = (
    _at("post_type", "post type: ADMIN, POLITICAL_LEGAL, CIVIL_SERVICE_REF, INSTITUTION, SUPPORT, CONTROL_NUMBER", read_word),
    _at("fund_form", "fund form: FULL, PART, SELF", read_word),
)  # fmt: skip
POSTS = _at("posts", "whole number of posts", read_count("编制数"))
ENTRY_FORM = _at("entry_form", "EXAM, RECRUIT, TRANSFER, PLACEMENT, APPOINT or OTHER", read_word)
TIER = _option("leader_tier", "CHIEF, DEPUTY, INNER_CHIEF or INNER_DEPUTY, when a leader is appointed", read_word)
PLAN = _at("number", "the plan's number (JH…)", read_code)
TALK = _at("number", "the consultation's number (GT…)", read_code)
USE = _at("number", "the application's number (YB…)", read_code)
SLOT = _at("slot_no", "slot number (BZ…)", read_code)
NOTE = _option("note", "opinion or remark")
REASON = _option("reason", "why", required=True)
DOCUMENT = _option("document_no", "number of the document it rests on", read_document, required=True)
PERSON = (
    _option("identity", "identity number", required=True, secret=True),
    _option("id_type", f"kind of document: {', '.join(IdType)} ({IdType.RESIDENT})", read_word),
)
ORIGIN = (
    _option("from_unit", "unit the person comes from, by TRANSFER", read_code),
    _option("from_level", "level the person comes from: PROVINCE, CITY, COUNTY, TOWNSHIP", read_word),
    _option("from_fund_form", "fund form the person comes from", read_word),
    _option("waiver_no", "number of a waiver of reverse flow", read_document),
)
COST = _option("yearly_cost", "yuan a year for all posts", read_number)
EXIT_DAY = _option("exit_date", "first day no longer in post YYYY-MM-DD, today when left out", read_day)
EFFECTIVE = _option("effective", "from this day YYYY-MM-DD, today when left out", read_day)
DECIDED_PLAN, DECIDED = ("plan", "status"), ("application", "status")


def _deed(name: str, help: str, call: Callable[..., Receipt], answers: tuple[str, ...], *arguments: Argument):
    return name, Deed(name, help, arguments, lambda db, act, values, key: call(db, act, **values), answers)


def _personal(name: str, help: str, call: Callable[..., Receipt], answers: tuple[str, ...], *arguments: Argument):
    """A deed on a named person: the number becomes key, mask and seal before the use-case sees it."""

    def run(session: Session, act: Act, values: Values, person_key: str) -> Receipt:
        given = dict(values)
        person = person_of(given.pop("identity"), person_key, given.pop("id_type", None) or IdType.RESIDENT)
        return call(session, act, person=person, **given)

    return name, Deed(name, help, (*arguments, *PERSON), run, answers)


def _apply(session: Session, act: Act, draft: bool = False, **wish: Any) -> Receipt:
    return apply_for_posts(session, act, UseWish(**wish), draft=draft)


def _enter(session: Session, act: Act, **entry: Any) -> Receipt:
    return enter(session, act, Entry(**entry))


def _exit(session: Session, act: Act, slot_no: str, reason: str, exit_date: date | None = None) -> Receipt:
    return register_exit(session, act, slot_no, exit_date, reason)


def _exit_of(session: Session, act: Act, exit_date: date | None = None, **given: Any) -> Receipt:
    return register_exit_of(session, act, exit_date=exit_date, **given)


def _pass(session: Session, act: Act, number: str, document_no: str, passed=None) -> Receipt:
    fewer = {(post_type, fund_form): posts for post_type, fund_form, posts in passed} if passed else None
    return pass_plan(session, act, number, document_no, fewer)


DEEDS: dict[str, Deed] = dict((
    _deed("plan", "Submit a unit's plan for a year.", submit_plan, DECIDED_PLAN, UNIT,
          _at("year", "this year or the next", read_year),
          _at("lines", "TYPE:FORM:POSTS, a cell each", _line, many=True), _option("reason", "why")),
    _deed("plan-review", "Review a plan, as the office.", review_plan, DECIDED_PLAN, PLAN, NOTE),
    _deed("plan-pass", "The commission passes a plan by a document; the director signs.", _pass,
          (*DECIDED_PLAN, "passed"), PLAN, DOCUMENT,
          _option("passed", "TYPE:FORM:POSTS where fewer than asked, apart by commas", read_lines)),
    _deed("plan-refuse", "Send a plan back.", refuse_plan, DECIDED_PLAN, PLAN, REASON),
    _deed("plan-withdraw", "Take a plan back before it is decided.", withdraw_plan, DECIDED_PLAN, PLAN),
    _deed("consult", "Ask before people are taken on.", ask_consultation, ("consultation", "status", "figures"), UNIT, *CELL,
          POSTS, ENTRY_FORM, REASON, TIER),
    _deed("opinion", "The office's opinion on a consultation.", give_opinion, ("consultation", "status", "figures"), TALK,
          _at("agrees", "yes or no", read_yes), _option("opinion", "what the office says", required=True),
          _option("leader_posts", "posts of the tier, when a leader is appointed", read_number),
          _option("leaders", "who hold them now", read_number)),
    _deed("apply", "Apply for posts, with the figures of this moment.", _apply,
          (*DECIDED, "figures", "yearly_cost"), UNIT, *CELL, POSTS, ENTRY_FORM, REASON,
          _option("work_kind", "MANAGEMENT, TECHNICAL or WORKER", read_word), TIER, *ORIGIN,
          _option("consultation_no", "number of the consultation agreed to", read_code),
          _option("outside_document", "document of a PLACEMENT outside the plan", read_document),
          _option("bound_slot", "slot whose coming exit makes room (one out, one in)", read_code), COST,
          _option("draft", "yes: keep it as a draft", read_yes)),
    _deed("submit", "Submit a draft.", submit_application, (*DECIDED, "figures", "yearly_cost"), USE),
    _deed("confirm-cost", "Finance confirms the yearly cost, or states another.", confirm_cost, (*DECIDED, "yearly_cost"), USE, COST),
    _deed("review", "Review and seal an application, as the office.", review_application, (*DECIDED, "figures"), USE, NOTE),
    _deed("grant", "The director signs: notice number, slot numbers, posts reserved.", grant_permit,
          (*DECIDED, "permit_no", "slots", "valid_until", "movement", "yearly_cost"), USE, NOTE),
    _deed("refuse", "Refuse an application.", refuse_application, DECIDED, USE, REASON),
    _deed("withdraw", "Take an application back before it is decided.", withdraw_application, DECIDED, USE, _option("reason", "why")),
    _deed("revoke", "The director takes a permit back nobody has entered on.", revoke_permit, (*DECIDED, "movement"), USE, REASON),
    _deed("waiver", "The director lets somebody come into a unit against the flow.", grant_waiver, ("waiver", "valid_until"), UNIT,
          _at("number", "number of the waiver", read_document), REASON,
          _option("valid_until", "last good day YYYY-MM-DD", read_day, required=True),
          _option("valid_from", "first day YYYY-MM-DD, today when left out", read_day)),
    _personal("enter", "Put a named person on a slot of a permit; the number is read from a file.", _enter,
              ("slot", "status", "movement", "permit_no", "late"), _at("permit_no", "number of the permit notice", read_document),
              UNIT, *CELL, _option("entry_date", "day of entry YYYY-MM-DD, today when left out", read_day),
              _option("slot_no", "one of the permit's slots; its first open one when left out", read_code), *ORIGIN),
    _deed("papers", "Papers are done: the entry notice goes out.", finish_papers, ("slot", "status", "notices"), SLOT, NOTE),
    _deed("pay", "Finance notes the first month with pay.", note_pay, ("slot", "status", "pay_from"), SLOT,
          _at("month", "YYYY-MM")),
    _personal("record", "Give somebody a slot number who was in post when the ledger opened.", record_person,
              ("slot", "status"), UNIT, *CELL, _option("work_kind", "MANAGEMENT, TECHNICAL or WORKER", read_word)),
    _deed("announce", "Announce a named exit to come.", announce_exit, ("slot", "planned"), SLOT,
          _at("planned", "first day no longer in post YYYY-MM-DD", read_day), REASON),
    _deed("recant", "The announced exit does not come.", recant_exit, ("slot", "dead"), SLOT, REASON),
    _deed("exit", "Register an exit: the post is vacant, pay stops.", _exit,
          ("slot", "status", "movement", "first_unpaid", "late", "opened"), SLOT, REASON, EXIT_DAY),
    _personal("exit-person", "Register an exit by the person's number, read from a file.", _exit_of,
              ("slot", "status", "movement", "first_unpaid", "late", "opened"), UNIT, *CELL, REASON, EXIT_DAY),
    _deed("undo-exit", "The director undoes an exit, by a document.", undo_exit, ("slot", "status", "movement", "dead"), SLOT, DOCUMENT, REASON),
    _deed("cancel", "Cancel the number of somebody who left, once pay has stopped.", cancel_slot, ("slot", "status"), SLOT),
    _deed("carry", "Move posts with their people to another unit, by a document.", carry_posts, ("slots", "movements", "unit"),
          UNIT, _at("slot_nos", "slot numbers (BZ…)", read_code, many=True), DOCUMENT, EFFECTIVE,
          _option("central_no", "central approval number"), ORIGIN[-1]),
    _deed("split", "Split a unit by a document: people with their posts, and vacant posts, go to new units.", split_unit,
          ("node", "units", "slots", "movements"), UNIT,
          _at("parts", "NEWUNIT=BZ…+TYPE:FORM:POSTS, what each unit gets", read_part, many=True), DOCUMENT, EFFECTIVE,
          _option("central_no", "central approval number"), ORIGIN[-1],
          _option("closes", "yes: the old unit keeps nothing and is closed", read_yes)),
    _deed("acknowledge", "The receiver has got a notice.", acknowledge_notice, ("notice", "status"), _at("notice_id", "its number", read_number)),
    _deed("release", "The director lets a unit plan again after a late registration.", release_block, ("block", "slot"),
          _at("block_id", "its number", read_number), REASON),
))  # fmt: skip

# The move of the chain each deed makes; deeds that begin something, or stand beside the chain, name the permission.
MOVES: dict[str, Move] = {
    "plan": Move.SUBMIT_PLAN, "plan-review": Move.REVIEW_PLAN, "plan-pass": Move.PASS_PLAN,
    "plan-refuse": Move.REFUSE_PLAN, "plan-withdraw": Move.WITHDRAW_PLAN, "consult": Move.ASK, "apply": Move.SUBMIT,
    "submit": Move.SUBMIT, "confirm-cost": Move.CONFIRM_COST, "review": Move.REVIEW, "grant": Move.GRANT,
    "refuse": Move.REFUSE, "withdraw": Move.WITHDRAW, "revoke": Move.REVOKE, "enter": Move.ENTER,
    "papers": Move.FINISH_PAPERS, "pay": Move.NOTE_PAY, "record": Move.RECORD, "announce": Move.ANNOUNCE_EXIT,
    "recant": Move.RECANT_EXIT, "exit": Move.EXIT, "exit-person": Move.EXIT, "undo-exit": Move.UNDO_EXIT,
    "cancel": Move.CANCEL, "carry": Move.CARRY,
}  # fmt: skip
BESIDE = {
    "waiver": Permission.GRANT_WAIVER, "split": Permission.REORGANISE, "acknowledge": Permission.ACKNOWLEDGE_NOTICE,
    "release": Permission.RELEASE_BLOCK, "opinion": Permission.REVIEW_POSTS,
}  # fmt: skip


def permission_of(name: str) -> Permission:
    """What a deed asks for at its place."""
    return BESIDE[name] if name in BESIDE else CHAIN[MOVES[name]].permission
