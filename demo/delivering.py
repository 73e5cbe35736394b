"""One night's records → the inbox of that night: who writes which files, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

from demo.assembly import NightBooks
from demo.atlas import CITY, CITY_NAME, COUNTED, COUNTIES, STREET, STREET_NAME
from demo.stage import Row, Stage
from demo.styles import Style, style_of
from demo.writing import Task, sha256_of, write_control, write_file

PLACES = dict([(CITY, CITY_NAME), COUNTED, (STREET, STREET_NAME), *COUNTIES])
SUFFIX = {"csv": "csv", "xlsx": "xlsx", "parquet": "parquet"}
CUT = 0.6  # of the bytes of a file whose delivery broke off


def deliver(stage: Stage, k: int, night: NightBooks, inbox: Path, people: int, seed: int) -> None:
    """Write every file of night k, and note in `night` the totals and cut-offs the files state."""
    folders: dict[str, list[str]] = {}
    for book, by_folder in night.rows.items():
        for folder, rows in by_folder.items():
            if rows:
                folders.setdefault(folder, []).append(book)
    for folder, books in sorted(folders.items()):
        home = inbox / night.as_of.isoformat() / folder
        home.mkdir(parents=True, exist_ok=True)
        control: list[tuple[str, int, str]] = []
        for book in books:
            control += _deliver_book(stage, k, night, home, folder, book, people, seed)
        if any(style_of(stage.atlas, folder, book, people).control for book in books):
            write_control(home / "control.csv", control)


def _deliver_book(
    stage: Stage, k: int, night: NightBooks, home: Path, folder: str, book: str, people: int, seed: int
) -> list[tuple[str, int, str]]:
    style = style_of(stage.atlas, folder, book, people)
    rows = night.rows[book][folder]
    lines = []
    chunks = _chunks(rows, style.parts)
    for n, chunk in enumerate(chunks, start=1):
        name = f"{book}{f'-{n}' if len(chunks) > 1 else ''}.{SUFFIX[style.format]}"
        path = home / name
        written = write_file(path, _task(stage, k, night, folder, book, style, n == len(chunks)), chunk, seed)
        lines.append((name, len(chunk), sha256_of(path)))
        if (folder, book) in night.refused:
            path.write_bytes(path.read_bytes()[: int(path.stat().st_size * CUT)])
            continue
        night.totals += written.totals
        night.cutoffs += written.cutoffs
        if style.twice and n == 1:
            copyfile(path, home / f"{book}-副本.{SUFFIX[style.format]}")
    return lines


def _chunks(rows: Sequence[Row], parts: int) -> list[Sequence[Row]]:
    size = max(1, -(-len(rows) // parts))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _task(stage: Stage, k: int, night: NightBooks, folder: str, book: str, style: Style, last: bool) -> Task:
    cutoff = None
    if style.title and book in ("roster", "payroll"):
        shifted = last and stage.cutoff_shift.get((folder, book), 0) >> k & 1
        cutoff = stage.firsts[k] - timedelta(days=1) if shifted else night.as_of
    shift = 3 if stage.total_shift.get((folder, book), 0) >> k & 1 else 0
    return Task(book, folder, PLACES[folder], night.as_of, style, cutoff, stage.histories.opens, shift)


def claim_files(stage: Stage, k: int, night: NightBooks) -> None:
    """Announce what files state wrongly of themselves: D06 of a 合计, D08 of cut-offs. Once the files are written."""
    for (folder, book), mask in stage.total_shift.items():
        if mask >> k & 1:
            row = next(t for t in night.totals if (t["division_code"], t["book"], t["kind"]) == (folder, book, "合计"))
            grain = {"division_code": folder, "book": book, "column": row["column"], "stated": row["stated"]}
            stage.claim(1 << k, "D06", grain, "S4", None, expected=row["stated"], found=row["computed"])
    for (_, book), mask in stage.cutoff_shift.items():
        if mask >> k & 1:
            earlier = stage.firsts[k] - timedelta(days=1)
            stage.claim(1 << k, "D08", {"book": book}, "S4", None, found=f"{earlier};{night.as_of}")
