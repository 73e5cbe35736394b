"""Setting papers as PDF with typst and the embedded Chinese fonts. Same input, same bytes: no clock, no font of the machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

SHEETS = Path(__file__).parent / "sheets"


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Noto Serif SC and Noto Sans SC from their wheel; 20 MB, read once per process."""
    folder = str(Path(pylopdf_fonts_zh_cn.__file__).parent)
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[folder])


def pdf_of(sheet: str, data: Mapping[str, Any], made_at: datetime, files: Mapping[str, bytes] | None = None) -> bytes:
    """A sheet of `sheets/` filled with data (JSON values), and files it names. made_at: the date written into the file."""
    parts = {
        "main.typ": (SHEETS / f"{sheet}.typ").read_bytes(),
        "frame.typ": (SHEETS / "frame.typ").read_bytes(),
        "data.json": json.dumps(data, ensure_ascii=False, sort_keys=True).encode(),
        **(files or {}),
    }
    # An empty folder as package cache: a sheet that asked for a package would fail here and not go looking for it.
    with tempfile.TemporaryDirectory() as nowhere:
        made = typst.compile(
            parts, font_paths=_fonts(), ignore_system_fonts=True, format="pdf", timestamp=made_at,
            package_cache_path=nowhere,
        )  # fmt: skip
    return bytes(made)  # type: ignore[arg-type]
