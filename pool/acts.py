"""Every act of the pool by name: its arguments as text, read strictly, and the use-case it calls. One table, which the
commands of `bianzhi pool` and the files of `bianzhi pool apply` are both made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputRejected
from core.identity import id_problem, keyed, mask_id, normalise_code, normalise_id
from core.permissions import Permission
from pool.acting import Act, Receipt
from pool.ledger import parse_posts
from pool.models import PoolCommand
from pool.naming import rename_unit
from pool.service import (
    convert_posts,
    cut_posts,
    deposit_posts,
    grant_posts,
    release_posts,
    reserve_posts,
    transfer_posts,
    vacate_posts,
    withdraw_posts,
)
from pool.service_approvals import approve_request
from pool.service_drafts import save_draft
from pool.service_loans import (
    Wish,
    endorse_request,
    refuse_request,
    request_loan,
    review_request,
    submit_request,
    withdraw_request,
)
from pool.service_nodes import abolish_node, merge_nodes, reparent_node, set_limits
from pool.service_opening import plant_tree, switch_unit
from pool.service_people import delegate, revoke_delegation
from pool.service_reversal import reverse_movement
from pool.service_slots import (
    fill_slot,
    recall_loan,
    renew_loan,
    return_posts,
    return_slots,
    swap_slot,
    take_back_slot,
    vacate_slot,
)

Values = dict[str, Any]


@dataclass(frozen=True)
class Argument:
    """One argument. read: text → value, or InputRejected. option: named on the command line, else by its place.

    many: one or more values, a list. secret: never on the command line, where others could read it.
    """

    name: str
    help: str
    read: Callable[[str], object]
    required: bool = True
    option: bool = False
    many: bool = False
    secret: bool = False


@dataclass(frozen=True)
class Deed:
    """One act. call: (session, act, values, person_key) → receipt. answers: what the receipt names."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    call: Callable[[Session, Act, Values, str], Receipt]
    answers: tuple[str, ...]

    def read(self, given: Mapping[str, object], later: frozenset[str] = frozenset()) -> Values:
        """Values from text; those named in `later` are there but not known yet.

        Errors: InputRejected with `column`, for what is missing, unknown or not to be read.
        """
        for name in given:
            if name not in self.names:
                raise InputRejected(f"“{self.name}”没有参数 {name}；有 {'、'.join(self.names)}。", column=name)
        values = {}
        for argument in self.arguments:
            if argument.name in later:
                continue
            if given.get(argument.name) not in (None, "", []):
                values[argument.name] = read_argument(argument, given[argument.name])
            elif argument.required:
                raise InputRejected(f"缺少参数 {argument.name}：{argument.help}。", column=argument.name)
        return values

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(argument.name for argument in self.arguments)


def read_argument(argument: Argument, given: object) -> object:
    """One value, or a list of them. Errors: InputRejected with `column`."""
    try:
        if not argument.many:
            return argument.read(str(given))
        parts = list(given) if isinstance(given, list | tuple) else re.split(r"[\s,，、]+", str(given).strip())
        return [argument.read(str(part)) for part in parts]
    except InputRejected as error:
        raise InputRejected(f"{argument.name}：{error.message}", column=argument.name) from None


def read_text(text: str) -> str:
    """Words as they stand."""
    if not text.strip():
        raise InputRejected("不能为空。")
    return text.strip()


def read_code(text: str) -> str:
    """A code that joins: unit, document, slot, loan."""
    return normalise_code(read_text(text))


def read_node(text: str) -> str:
    """A node of the tree: `U:code` (the U: may be left out) or `LEVEL:division`."""
    code = read_code(text)
    return code if ":" in code else f"U:{code}"


def read_word(text: str) -> str:
    """An identifier of a vocabulary: HEALTH, INSTITUTION, USE_RIGHT_LENT."""
    return read_text(text).upper()


def read_count(label: str) -> Callable[[str], int]:
    """A whole number from 1 on, as strict as the ledger's own parser."""

    def read(text: str) -> int:
        try:
            return parse_posts(text)
        except InputRejected as error:
            raise InputRejected(error.message.replace("编制数", label)) from None

    return read


def read_number(text: str) -> int:
    """A movement's or lot's number, or 0; it may be larger than any number of posts."""
    number = text.strip()
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise InputRejected("须为半角数字的整数。")
    return int(number)


def read_limit(text: str) -> int | str:
    """A whole number from 0 on, or `unlimited`."""
    return "unlimited" if text.strip() == "unlimited" else read_number(text)


def read_day(text: str) -> date:
    """A date YYYY-MM-DD."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip(), re.ASCII):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise InputRejected("日期须写作 YYYY-MM-DD。")


def read_person(text: str) -> str:
    """A resident's identity number, normalised; what is wrong with it is said without showing it."""
    number = normalise_id(text)
    problem = id_problem(number)
    if problem is not None:
        raise InputRejected(f"身份证号无效（{problem.value}）。")
    return number


def _at(name: str, help: str, read=read_text, **changes: bool) -> Argument:
    return Argument(name, help, read, **changes)


def _option(name: str, help: str, read=read_text, required: bool = False) -> Argument:
    return Argument(name, help, read, required=required, option=True)


HOLDER = _at("holder", "node: U:code or LEVEL:division", read_node)
NODE = _at("node_id", "node: U:code or LEVEL:division", read_node)
CELL = (
    _at("post_type", "post type: ADMIN, POLITICAL_LEGAL, CIVIL_SERVICE_REF, INSTITUTION, SUPPORT", read_word),
    _at("fund_form", "fund form: FULL, PART, SELF", read_word),
)
POSTS = _at("posts", "whole number of posts", read_count("编制数"))
DOCUMENT = _option("document_no", "number of the document it rests on", required=True)
EFFECTIVE = _option("effective", "effective date YYYY-MM-DD, today when left out", read_day)
CENTRAL = _option("central_no", "central approval number, where ADMIN or POLITICAL_LEGAL posts change level (R12)")
NUMBER = _at("number", "the request's number (JB…)", read_code)
SLOT = _at("slot_no", "slot number (ZZ…)", read_code)
SLOTS = Argument("slot_nos", "slot numbers (ZZ…)", read_code, many=True)
LOAN = _at("loan_no", "the loan's number (JY…)", read_code)
NOTE = _option("note", "remark")
MOVED = ("movement", "document_no")
DECIDED = ("request", "status")
HOME = ("home", "awaiting")  # what a recalled post's return says besides
ASKED = (*DECIDED, "movement", "waiting", "decision_node", "rule", "lots")
TREE = ("node", "kind", "before", "after")


def _plain(use_case: Callable[..., Receipt]) -> Callable[[Session, Act, Values, str], Receipt]:
    return lambda session, act, values, _: use_case(session, act, **values)


def _deed(name: str, help: str, use_case, answers: tuple[str, ...], *arguments: Argument) -> tuple[str, Deed]:
    return name, Deed(name, help, arguments, _plain(use_case), answers)


def _plant(session: Session, act: Act) -> Receipt:
    """The tree follows from the register alone; still somebody of an office asks for it."""
    if not act.by.may(Permission.MOVE_POSTS):
        raise Forbidden("您的角色不能办理这一步。")
    return plant_tree(session, act)


def _convert(session: Session, act: Act, holder: str, post_type: str, fund_form: str, to_type: str, to_form: str,
             posts: int, **papers: Any) -> Receipt:  # fmt: skip
    return convert_posts(session, act, holder, (post_type, fund_form), (to_type, to_form), posts, **papers)


def _ask(session: Session, act: Act, draft: str = "no", wait: str = "no", **wish: Any) -> Receipt:
    return request_loan(session, act, Wish(**wish), draft=draft == "yes", wait=wait == "yes")


def _save(session: Session, act: Act, number: str, unit_code: str, **wish: Any) -> Receipt:
    return save_draft(session, act, number, Wish(unit_code, **wish))


def _submit(session: Session, act: Act, number: str, wait: str = "no") -> Receipt:
    return submit_request(session, act, number, wait=wait == "yes")


def _fill(session: Session, act: Act, values: Values, person_key: str) -> Receipt:
    person = values["person"]
    key, mask = keyed(person_key, person), mask_id(person)
    return fill_slot(session, act, values["slot_no"], key, mask, values.get("entry_date"))


def _revoke(session: Session, act: Act, delegation: int) -> Receipt:
    return revoke_delegation(session, act, delegation)


def _read_yes(text: str) -> str:
    if text.strip() not in ("yes", "no"):
        raise InputRejected("须为 yes 或 no。")
    return text.strip()


WISH = (
    _at("unit_code", "unit code", read_code), *CELL, _at("purpose", "purpose, e.g. HEALTH", read_word), POSTS,
    _at("months", "term in months", read_count("借用期限")), _option("reason", "why", required=True),
    _option("central_no", "central approval number"),
    _option("exception_doc", "document that lets a lower level lend upwards"),
    _option("other_waiver", "consent although another fund form of the type has vacancies"),
)  # fmt: skip
WAIT = _option("wait", "yes: without stock, wait for some in the order of R15", _read_yes)
DEEDS: dict[str, Deed] = dict(
    (
        _deed("tree", "Plant the tree: a node per unit of the register, and the divisions above.", _plant, ("added",)),
        _deed("grant", "Grant posts to a node, by a document.", grant_posts, MOVED, HOLDER, *CELL, POSTS, DOCUMENT, EFFECTIVE),
        _deed("cut", "Cut posts of a node, by a document; below use it opens debt.", cut_posts, MOVED, HOLDER, *CELL, POSTS, DOCUMENT, EFFECTIVE),
        _deed(
            "transfer", "Move ownership of posts from one unit to another; a loan is another thing.", transfer_posts,
            MOVED, _at("giver", "node that gives", read_node), _at("taker", "node that gets", read_node), *CELL, POSTS,
            DOCUMENT, _option("people", "of the posts, how many move with their person", read_number), CENTRAL, EFFECTIVE,
        ),
        _deed(
            "deposit", "Put posts into a division's pool, from a listed source.", deposit_posts, MOVED,
            _at("pool_node", "division node: LEVEL:division", read_node), *CELL,
            _at("purpose", "purpose, e.g. HEALTH (bianzhi parameter list: pool_purposes)", read_word), POSTS,
            _at("source", "RECLAIM, REFORM, OVER_STANDARD, USE_RIGHT_LENT or TOTAL_SLICE", read_word), DOCUMENT,
            _option("giver", "unit that gives; none for TOTAL_SLICE", read_node), CENTRAL, EFFECTIVE,
        ),
        _deed(
            "withdraw", "Take idle posts of a lot home to their owner.", withdraw_posts, MOVED,
            _at("lot_no", "the lot: number of its deposit's movement", read_number), POSTS, DOCUMENT, EFFECTIVE,
        ),
        _deed(
            "convert", "Turn vacant posts of a node into another type or fund form, by the director.", _convert, MOVED,
            HOLDER, *CELL, _at("to_type", "post type they become", read_word),
            _at("to_form", "fund form they become", read_word), POSTS, DOCUMENT, EFFECTIVE,
        ),
        _deed(
            "reverse", "Undo a movement, by the director; refused while later ones rest on it.", reverse_movement,
            ("movement", "reverses", "also"), _at("seq", "number of the movement", read_number), DOCUMENT,
        ),
        _deed(
            "limits", "Set what a division may lend, borrow and must keep: a number, or unlimited.", set_limits,
            ("node", "before", "after"), NODE, *CELL,
            _option("lend", "most posts lent upwards, or unlimited", read_limit, True),
            _option("borrow", "most posts borrowed from above, or unlimited", read_limit, True),
            _option("floor", "posts the topmost node must keep (0)", read_number),
            _option("purpose", "of this purpose alone", read_word),
        ),
        _deed(
            "reparent", "Hang a node, with all below it, under another.", reparent_node, TREE, NODE,
            _at("parent_id", "division node it goes under", read_node), DOCUMENT, EFFECTIVE,
        ),
        _deed(
            "merge", "Merge a unit into another, with its posts and people.", merge_nodes, TREE, NODE,
            _at("into_id", "unit it goes into", read_node), DOCUMENT, CENTRAL, EFFECTIVE,
        ),
        _deed("rename", "Name a unit otherwise, by a document.", rename_unit, TREE, _at("unit_code", "unit code", read_code),
              _at("name", "its new name"), DOCUMENT, EFFECTIVE),
        _deed("abolish", "Close a node that holds, lends and borrows nothing.", abolish_node, TREE, NODE, DOCUMENT, EFFECTIVE),
        _deed(
            "switch", "From a day on our ledger is the unit's LEDGER copy.", switch_unit, ("node", "switched_on"),
            _at("unit_code", "unit code", read_code), _at("on", "first day YYYY-MM-DD", read_day),
        ),
        _deed(
            "reserve", "Set vacant posts aside: PERMIT for an open permit, else a word for why.", reserve_posts,
            ("movement",), HOLDER, *CELL, POSTS, _at("reason", "PERMIT, or a word for why"), EFFECTIVE,
        ),
        _deed(
            "release", "Let go of what a reserve still holds.", release_posts, ("movement",),
            _at("reserve_no", "number of the reserve's movement", read_number), POSTS, EFFECTIVE,
        ),
        _deed(
            "vacate-posts", "People leave own posts of a cell, which are vacant from then on.", vacate_posts, ("movement",),
            HOLDER, *CELL, POSTS, EFFECTIVE,
        ),
        _deed(
            "request", "Ask to borrow posts for a unit; they are pending at once.", _ask,
            ASKED, *WISH,
            _option("draft", "yes: keep it as a draft, which holds nothing", _read_yes), WAIT,
        ),
        _deed("save", "Change a draft: what it asks for becomes this, whole.", _save, DECIDED, NUMBER, *WISH),
        _deed("submit", "Submit a draft.", _submit, ASKED, NUMBER, WAIT),
        _deed("endorse", "Agree, as the supervising department.", endorse_request, DECIDED, NUMBER, NOTE),
        _deed("review", "Review a request, as the office.", review_request, DECIDED, NUMBER, NOTE),
        _deed(
            "approve", "Approve a request, as the director: pending posts are lent, one slot each.", approve_request,
            (*DECIDED, "loan", "movement", "granted", "given_back", "slots", "due_date"), NUMBER,
            _option("posts", "fewer posts than asked; the rest goes back", read_count("编制数")),
            _option("document_no", "number of the decision"), NOTE,
        ),
        _deed("refuse", "Refuse a request with a reason.", refuse_request, DECIDED, NUMBER, _option("reason", "why", required=True)),
        _deed("withdraw-request", "Withdraw a request that is not decided.", withdraw_request, DECIDED, NUMBER, _option("reason", "why")),
        ("fill", Deed(
            "fill", "Put a named person on a slot; the identity number is read from a file.",
            (SLOT, Argument("person", "identity number", read_person, option=True, secret=True),
             _option("entry_date", "day of entry YYYY-MM-DD, today when left out", read_day)),
            _fill, ("slot", "status", "movement"),
        )),
        _deed(
            "vacate", "The person of a slot leaves, and the post goes back the same day.", vacate_slot,
            ("slot", "status", "movements", *HOME), SLOT,
            _option("exit_date", "first day no longer in post YYYY-MM-DD, today when left out", read_day),
        ),
        _deed("return", "Return slots nobody sits on.", return_slots, ("slots", "status", "movements", *HOME), SLOTS),
        _deed("return-posts", "Return so many empty posts of a loan.", return_posts, ("slots", "status", "movements", *HOME), LOAN, POSTS),
        _deed("swap", "The person of a slot moves onto an own vacancy; the pool post goes back.", swap_slot, ("slot", "status", "movement", "own_slot", *HOME), SLOT),
        _deed(
            "renew", "Renew a loan once, from its old due date, as the director.", renew_loan,
            ("loan", "due_date", "slots", "movement"), LOAN, _at("months", "months more", read_count("续借期限")),
            _option("reason", "why", required=True),
        ),
        _deed("recall", "Call lent posts of one loan and lender back: notice and grace.", recall_loan, ("slots", "status", "due_date"), SLOTS, _option("reason", "why", required=True)),
        _deed("take-back", "Take back a post nobody was put on.", take_back_slot, ("slot", "status", "movement", *HOME), SLOT),
        _deed(
            "delegate", "Let somebody else act for you, from a day to a day.", delegate, ("delegation",),
            _at("taker", "login"), _at("valid_from", "first day YYYY-MM-DD", read_day),
            _at("valid_to", "last good day YYYY-MM-DD", read_day),
        ),
        _deed("revoke", "End a delegation of your own.", _revoke, ("delegation",), _at("delegation", "its number", read_number)),
    )
)  # fmt: skip


def perform(session: Session, act: Act, deed: Deed, values: Values, person_key: str) -> Receipt:
    """One act, in the caller's transaction. Errors: whatever the use-case raises."""
    return deed.call(session, act, values, person_key)


def first_tried(session: Session, login: str, client_id: str) -> datetime | None:
    """When this key was first used by this person: a retry on a later day must mean what it meant then."""
    return session.scalar(select(PoolCommand.at).where(PoolCommand.actor == login, PoolCommand.client_id == client_id))
