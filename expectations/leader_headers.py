"""What forms write above a column of leader posts: part of the aliases in books.py, spelled out from their parts. Pure."""

from __future__ import annotations

# A group in a merged header stands above 正职 and 副职 of the unit itself, or of its inner bodies.
_GROUPS = ("领导职数", "单位领导职数", "核定领导职数", "领导班子职数", "职数")
_INNER_GROUPS = ("内设机构领导职数", "内设机构职数", "内设机构", "内设领导职数", "中层领导职数", "中层职数", "中层")
_INNER = "内设"


def leader_headers(tier: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(whole headers, group and label of a merged header read as one) of 正职, 副职, 内设正职 or 内设副职.

    正职 alone is no header: it does not say whose.
    """
    grade = tier.removeprefix(_INNER)
    inner = tier != grade
    bodies = ("内设机构", _INNER, "中层") if inner else ("", "单位")
    whole = [f"{body}{grade}{word}" for body in bodies for word in ("职数", "领导职数")]
    groups = [(group, [f"{body}{grade}" for body in bodies]) for group in _GROUPS]
    groups += [(group, [grade]) for group in _INNER_GROUPS if inner]
    stacked = [f"{group}{below}{word}" for group, tiers in groups for below in tiers for word in ("", "职数")]
    return tuple(header for header in whole if header != f"{tier}职数"), tuple(stacked)
