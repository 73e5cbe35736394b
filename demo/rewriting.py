"""The same inbox written another way: rows shuffled, files split, another encoding. Its meaning does not change."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random
from shutil import copyfile

from expectations.books import BOOKS, book_of, fold, header_aliases

ENCODINGS = ("utf-8-sig", "utf-16", "gb18030", "utf-8")
READ_AS = ("utf-8-sig", "utf-16", "gb18030")
SPLIT_FROM = 12  # records; smaller files stay whole
TOTAL_WORDS = ("小计", "合计")


def rewrite(inbox: Path, out: Path, seed: int) -> int:
    """Copy every night of an inbox into `out`, rewriting the csv books; returns how many files were rewritten.

    A csv book without titles and totals is shuffled, cut into up to three files and encoded anew. Left as they are: other
    formats, files with titles or totals (where order and place mean something), folders with a control.csv (whose totals
    name files and hashes). Copies of a file are left out. Errors: none; a file no encoding reads is copied as it is, to be refused.
    """
    random = Random(f"{seed}|rewrite")
    count = 0
    for folder in sorted(path for path in inbox.glob("*/*") if path.is_dir()):
        target = out / folder.relative_to(inbox)
        target.mkdir(parents=True, exist_ok=True)
        bound = (folder / "control.csv").exists()
        seen: set[bytes] = set()
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            table = None if bound else _plain_table(path, content)
            if content in seen:
                continue  # A second copy counts for nothing; beside a rewritten first one it would be news.
            seen.add(content)
            if table is None:
                copyfile(path, target / path.name)
            else:
                _scatter(table, target, path.stem, random)
                count += 1
    return count


def _plain_table(path: Path, content: bytes) -> list[list[str]] | None:
    """Header and records of a csv book that is nothing but these; None for everything else."""
    book = book_of(path.stem)
    if book is None or path.suffix != ".csv":
        return None
    text = _decoded(content)
    rows = [row for row in csv.reader(text.splitlines(keepends=True)) if any(row)] if text else []
    if len(rows) < 2:
        return None
    known = header_aliases(BOOKS[book])
    titled = sum(fold(cell) in known for cell in rows[0]) < 2
    summed = any(cell.strip() in TOTAL_WORDS for row in rows[1:] for cell in row)
    return None if titled or summed else rows


def _decoded(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    for encoding in READ_AS:
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    return None


def _scatter(table: list[list[str]], target: Path, stem: str, random: Random) -> None:
    header, rows = table[0], table[1:]
    random.shuffle(rows)
    places = list(range(len(header)))
    random.shuffle(places)
    parts = random.randint(2, 3) if len(rows) >= SPLIT_FROM else 1
    for part in range(parts):
        encoding = ENCODINGS[random.randrange(len(ENCODINGS))]
        with (target / f"{stem}-r{part + 1}.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file)
            writer.writerow([header[place] for place in places])
            writer.writerows([[row[place] for place in places] for row in rows[part::parts]])
