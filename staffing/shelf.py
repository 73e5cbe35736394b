"""Files kept by content: named by their SHA-256, 0600 in folders 0700 below HOME, never below a web root."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from core.errors import InvariantViolated, NotFound, Unavailable

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def put(folder: Path, content: bytes) -> str:
    """Keep the bytes and answer with their SHA-256. The same bytes are kept once; killed midway, nothing half is there.

    Errors: Unavailable when the folder cannot be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = place(folder, digest)
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
    try:
        for made in (folder, path.parent):
            made.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            return digest
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        raise Unavailable(f"the folder of papers cannot be written: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
    return digest


def take(folder: Path, digest: str) -> bytes:
    """The bytes of a SHA-256. Errors: NotFound; InvariantViolated when they are no longer what was kept."""
    try:
        content = place(folder, digest).read_bytes()
    except FileNotFoundError:
        raise NotFound("文件不在存放处，请告知管理员从备份恢复。") from None
    except OSError as error:
        raise Unavailable(f"the folder of papers cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise InvariantViolated(f"the kept file {digest[:12]} was changed on disk")
    return content


def place(folder: Path, digest: str) -> Path:
    """Where a SHA-256 is kept. Nothing but its 64 hex digits ever becomes part of a path."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise InvariantViolated("a kept file is named by its SHA-256")
    return folder / digest[:2] / digest
