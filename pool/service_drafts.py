"""Use-case on a draft: what it asks for is changed, as long as nobody was asked yet."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.errors import Refused
from core.permissions import Permission
from pool.acting import Act, Receipt, once, open_node
from pool.approvals import REQUEST_MOVES, Move, Status, check_move
from pool.service import trail
from pool.service_loans import Wish, checked_wish, seen_request, step, turn
from pool.store import request_of


def save_draft(session: Session, act: Act, number: str, wish: Wish) -> Receipt:
    """SAVE a draft anew: what is asked becomes the wish, whole; the unit stays. → request, status.

    Refused once it is submitted (WRONG_STATUS), or for another unit (OTHER_UNIT).
    """
    wish = checked_wish(wish)
    request, node = seen_request(session, act, number, Permission.REQUEST_LOAN)
    if wish.unit_code != request.unit_code:
        raise Refused("草稿不能改到另一个单位，请另行申请。", answer="OTHER_UNIT")

    def do() -> Receipt:
        fresh = request_of(session, number)
        roles = act.scope.roles_for(node.unit_code, node.division_code)
        check_move(REQUEST_MOVES[Move.SAVE], Status(fresh.status), roles=roles, actors=act.actors)
        open_node(node)
        turn(session, fresh, **wish.__dict__)
        step(session, act, fresh, Move.SAVE, Status.DRAFT)
        trail(session, act, "request_saved", f"request {number}")
        return {"request": number, "status": Status.DRAFT}

    return once(session, act, "save_draft", {"request": number, **wish.__dict__}, [request.node_id], do)
