"""R12 beyond loans: administrative and political-legal posts change level only with the central approval number."""

from __future__ import annotations

from core.errors import InputRejected, Refused
from core.types import Level
from pool.models import PoolNode
from pool.policies import CENTRAL_ONLY

LEVEL_NAMES = {Level.PROVINCE: "省", Level.CITY: "市", Level.COUNTY: "县", Level.TOWNSHIP: "乡"}


def read_central(central_no: str | None) -> str | None:
    """The number as it is kept; blank is none. Errors: InputRejected."""
    number = (central_no or "").strip() or None
    if number is not None and len(number) > 200:
        raise InputRejected("文号至多 200 个字。", field="central_no")
    return number


def check_crossing(giver: PoolNode, taker: PoolNode, post_type: str, central_no: str | None) -> None:
    """Whether posts of a type may go from one node to another. Errors: Refused (R12), naming both with their levels."""
    if giver.level == taker.level or post_type not in CENTRAL_ONLY or (central_no or "").strip():
        return
    raise Refused(
        f"行政和政法专项编制由{giver.name}（{LEVEL_NAMES[Level(giver.level)]}）划到{taker.name}"
        f"（{LEVEL_NAMES[Level(taker.level)]}）是跨层级划转，须有中央编办批准文号；取得后填写该文号再办。",
        answer="NEEDS_CENTRAL_NUMBER", rule="R12", giver=giver.id, giver_level=giver.level, taker=taker.id,
        taker_level=taker.level, needs="central_no",
    )  # fmt: skip
