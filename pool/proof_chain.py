"""The proof of the chain: every movement's hash from its columns and its entries, spelled again from the rows."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from json.encoder import JSONEncoder, encode_basestring

import numpy as np
from sqlalchemy import Column, Date, Select, String, cast, func, select

from pool.models import PoolMovement
from pool.proof_rows import Entries, Proof, Rows

COLUMNS = (
    "seq", "kind", "effective_date", "booked_at", "actor", "post_type", "fund_form", "purpose", "posts",
    "from_holder", "to_holder", "document_no", "central_no", "source", "request_no", "loan_no", "slot_no",
    "rests_on", "reverses",
)  # fmt: skip
_encode = JSONEncoder(ensure_ascii=False).encode


def chain_is_whole(rows: Rows) -> Proof:
    """Numbers run without a gap, and every hash covers the one before, the movement and its entries."""
    name, previous, number, count = "the hash chain is whole", "0" * 64, 0, len(rows.movement)
    spelled = SpelledEntries(rows.entry)
    for batch in rows.batches(_query(rows.server)):
        texts = _spelled([row[:-2] for row in batch])
        for row, text, lines in zip(batch, texts, spelled.of(number + 1, len(batch)), strict=True):
            number += 1
            body = f'["{previous}", {text}, [{lines}]]'
            kept = hashlib.sha256(body.encode()).hexdigest()
            if row[0] != str(number) or row[-2] != previous or row[-1] != kept:
                return Proof(name, False, count, (f"seq={number}",))
            previous = kept
    return Proof(name, True, count)


def _query(server: bool) -> Select:
    """Every hashed column as the text that was hashed, and the two hashes; in the order of the chain."""
    row = PoolMovement
    texts = [_text(getattr(row, name).property.columns[0], server) for name in COLUMNS]
    return select(*texts, row.previous_hash, row.hash).order_by(row.seq)


def _text(column: Column, server: bool):
    """Days and instants in ISO, the instant in UTC with microseconds; nothing is `None`. SQLite holds both as text."""
    if isinstance(column.type, String):
        text = column
    elif isinstance(column.type, Date):
        text = func.to_char(column, "YYYY-MM-DD") if server else cast(column, String)
    elif column.name == "booked_at":
        text = (func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US') if server
                else func.replace(cast(column, String), " ", "T")).concat("+00:00")  # fmt: skip
    else:
        text = cast(column, String)
    return func.coalesce(text, "None") if column.nullable else text


def _spelled(rows: list[tuple[str, ...]]) -> list[str]:
    """Each row as a JSON list of texts. Where no text holds a character that JSON escapes, quoting them here is the same
    and ten times faster: the escaped length of all of them together tells."""
    texts = ['["' + '", "'.join(row) + '"]' for row in rows]
    whole = "".join(texts)
    quotes = 2 * len(COLUMNS) * len(rows)
    plain = whole.count('"') == quotes and len(encode_basestring(whole)) == len(whole) + quotes + 2
    return texts if plain else [_encode(row) for row in rows]


class SpelledEntries:
    """The entries of movements as they were hashed: `["home", "U:A1", "INSTITUTION", "FULL", "", 0, 5], …`."""

    def __init__(self, entry: Entries) -> None:
        quoted: dict[str, str] = {}
        words = [[quoted.get(word) or quoted.setdefault(word, _encode(word)) for word in entry.keys[name]]
                 for name in entry.keys.columns[:-1]]  # fmt: skip
        self.entry = entry
        self.keys = [
            f"[{', '.join(key)}, {lot}, " for *key, lot in zip(*words, entry.keys["lot"].tolist(), strict=True)
        ]

    def of(self, first: int, count: int) -> list[str]:
        """The entries of each of `count` movements from `first` on."""
        entry, ends = self.entry, np.arange(first, first + count + 1)
        places = np.searchsorted(entry.movement, ends).tolist()
        here = slice(places[0], places[-1])
        keyed = map(self.keys.__getitem__, entry.key[here].tolist())
        lines = [f"{key}{posts}]" for key, posts in zip(keyed, entry.posts[here].tolist(), strict=True)]
        start = places[0]
        return [", ".join(lines[at - start : to - start]) for at, to in pairwise(places)]
