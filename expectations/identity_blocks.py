"""The one place after the gate that holds identity numbers: blocks that only the PERSON_KEY opens, beside each book.

A block is an Arrow stream of (person_key, id) of up to BLOCK people of one delivered file, sealed as a whole: sealing
them one by one would cost more than the gate's own work. Settling reads the few it needs (decision 0004).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.identity import KEY_CHARS
from core.sealing import Sealer
from expectations.books import BOOKS, Kind
from expectations.snapshot_files import snapshot_path

PART = ".identities"
BLOCK = 250_000
KEY = pa.binary(KEY_CHARS // 2)
SCHEMA = pa.schema([("sealed", pa.binary())])
PURPOSE = "identity blocks"
BOOKS_OF_PEOPLE = tuple(name for name, book in BOOKS.items() if any(c.kind is Kind.ID for c in book.columns))


def block_sealer(person_key: str) -> Sealer:
    """What seals and opens the blocks of snapshots."""
    return Sealer(person_key, PURPOSE)


def sealed_blocks(raw: np.ndarray, known: np.ndarray, ids: pa.Array, book: str, sealer: Sealer) -> list[bytes]:
    """raw: n × 16 bytes of keys; known: which of them stand for an id; ids: normalised texts. Nobody: no block."""
    keys = pa.Array.from_buffers(KEY, len(ids), [None, pa.py_buffer(np.ascontiguousarray(raw))])
    people = pa.table({"person_key": keys, "id": ids})
    people = people if known.all() else people.filter(pa.array(known))
    blocks = []
    for start in range(0, people.num_rows, BLOCK):
        stream = pa.BufferOutputStream()
        with pa.ipc.new_stream(stream, people.schema) as writer:
            writer.write_table(people.slice(start, BLOCK).combine_chunks())
        blocks.append(sealer.seal(stream.getvalue().to_pybytes(), book))
    return blocks


def blocks_table(blocks: list[bytes]) -> pa.Table:
    """Blocks of a book as rows of its snapshot file."""
    return pa.table([pa.array(blocks, pa.binary())], schema=SCHEMA)


def identities_of(folder: Path, wanted: Collection[str], person_key: str) -> Iterator[tuple[str, str]]:
    """(person_key, normalised id) of the wanted people, each once, out of a snapshot folder; unknown ones are left out.

    Errors: Unavailable when the snapshot was made with another PERSON_KEY.
    """
    sealer = block_sealer(person_key)
    open_ones = {bytes.fromhex(key) for key in wanted}
    for book in BOOKS_OF_PEOPLE:
        path = snapshot_path(folder, book, PART)
        if not open_ones or not path.exists():
            continue
        for batch in pq.ParquetFile(path).iter_batches(batch_size=1):
            for sealed in batch["sealed"].to_pylist():
                people = pa.ipc.open_stream(sealer.open(sealed, book)).read_all()
                here = people.filter(pc.is_in(people["person_key"], pa.array(sorted(open_ones), KEY)))
                for key, text in zip(here["person_key"].to_pylist(), here["id"].to_pylist(), strict=True):
                    if key in open_ones:
                        open_ones.discard(key)
                        yield key.hex(), text
