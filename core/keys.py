"""The keys of an installation: one file in a folder of its own, apart from the data they open (decision 0004).

KEYS/keys.json         the keys in force; folder 0700, file 0600
KEYS/keys.next.json    while PERSON_KEY is being rotated: the keys that come into force when the database says so
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Misconfigured

NAMES = ("SECRET_KEY", "PERSON_KEY")
KEY_LENGTH = 32
MARK_CHARS = 16
FOLDER_MODE, FILE_MODE = 0o700, 0o600


def derived(key: str, purpose: str, length: int = 32) -> bytes:
    """`length` bytes for one purpose out of a key (HKDF-SHA-256): nothing made for one purpose tells of another."""
    return HKDF(SHA256(), length, salt=None, info=f"bianzhi {purpose}".encode()).derive(key.encode())


def key_mark(person_key: str) -> str:
    """What may be written down about a PERSON_KEY: equal for equal keys, and says nothing else."""
    return derived(person_key, "mark", MARK_CHARS // 2).hex()


def keys_file(folder: Path) -> Path:
    """The keys in force."""
    return folder / "keys.json"


def next_file(folder: Path) -> Path:
    """The journal of a rotation: the keys on their way."""
    return folder / "keys.next.json"


def read_keys(path: Path) -> dict[str, str] | None:
    """The keys in a file; None when there is none. Errors: Misconfigured when it cannot be used."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        whole = all(isinstance(held[name], str) and len(held[name]) >= KEY_LENGTH for name in NAMES)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise Misconfigured(f"{path} cannot be read, or does not hold {' and '.join(NAMES)}")
    return {name: held[name] for name in NAMES}


def fresh_key() -> str:
    """A new key: 256 random bits, as 64 hex digits."""
    return secrets.token_hex(32)


def make_keys(folder: Path, given: Mapping[str, str | None]) -> dict[str, str]:
    """Keys made once, those `given` taken over. Two processes at once agree: the first link wins.

    Errors: Misconfigured when the folder cannot be written.
    """
    path = keys_file(folder)
    if not path.exists():
        keys = {name: given.get(name) or fresh_key() for name in NAMES}
        _placed(path, keys, _link)
    return read_keys(path) or make_keys(folder, given)


def adopt_keys(folder: Path, former: Path) -> None:
    """Move the key file of an older installation into the folder, once. Killed midway, it is found again."""
    if former.exists() and not keys_file(folder).exists():
        keys = read_keys(former)
        if keys is not None:
            _placed(keys_file(folder), keys, _link)
    if keys_file(folder).exists():
        former.unlink(missing_ok=True)


def prepare_next(folder: Path, keys: Mapping[str, str]) -> None:
    """Write the keys that will come into force."""
    _placed(next_file(folder), keys, os.replace)


def switch_to_next(folder: Path) -> None:
    """Put the next keys into force: one rename, so that there is always one whole file."""
    os.replace(next_file(folder), keys_file(folder))
    _sync(folder)


def keys_in_force(folder: Path, mark: Callable[[], str | None]) -> dict[str, str] | None:
    """The keys of a folder; None without any. Between a rotation's commit and its rename the database decides.

    mark: asks the database for the mark of the PERSON_KEY its person keys were made with; called only in between.
    """
    held, coming = read_keys(keys_file(folder)), read_keys(next_file(folder))
    if held is None or coming is None:
        return held
    return coming if mark() == key_mark(coming["PERSON_KEY"]) else held


def check_guarded(folder: Path) -> None:
    """Errors: Misconfigured when anybody but the owner could read the folder or its file."""
    for path, mode in ((folder, FOLDER_MODE), (keys_file(folder), FILE_MODE)):
        if path.stat().st_mode & 0o077:
            raise Misconfigured(f"{path} may be read by others; run: chmod {mode:o} {path}")


def _placed(path: Path, keys: Mapping[str, str], place: Callable[[Path, Path], object]) -> None:
    fresh = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w") as file:
            json.dump(dict(keys), file)
            file.flush()
            os.fsync(file.fileno())
        place(fresh, path)
        _sync(path.parent)
    except OSError as error:
        raise Misconfigured(f"the keys folder {path.parent} cannot be written: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)


def _link(fresh: Path, path: Path) -> None:
    with suppress(FileExistsError):
        os.link(fresh, path)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
