"""Long lists in parts, as databases take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

CHUNK = 500


def parts_of(items: Sequence[str], size: int = CHUNK) -> Iterator[Sequence[str]]:
    """The items in parts of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
