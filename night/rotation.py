"""Rotating the PERSON_KEY: a journal beside the key file, one transaction, one rename. Killed anywhere, one of the two
keys is in force, and the database says which (core.keys.keys_in_force)."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from core.db import engine_for, writing
from core.errors import Misconfigured, Refused
from core.key_mark import hold_key
from core.keys import fresh_key, keys_file, next_file, prepare_next, read_keys, switch_to_next
from core.settings import Settings
from night.own_record import void_codes
from night.slot_keys import rekey_slots
from reconcile.rekeying import rekey
from staffing.people import rekey_people


def rotate_keys(settings: Settings, now: datetime, actor: str) -> dict[str, int]:
    """Make a new PERSON_KEY, re-key everything that stays and void what cannot follow; answers with counts.

    Errors: Refused when the key is given in the environment, another rotation is on its way, or a number is not kept.
    """
    folder = settings.keys_dir
    if settings.person_key_given:
        raise Refused(
            "PERSON_KEY is given in the environment, where it cannot be changed for you: run `bianzhi keys make`, take "
            "BIANZHI_PERSON_KEY out of the environment, then rotate"
        )
    with _alone(folder):
        held = _finish_former(folder, settings.person_key)
        fresh = held | {"PERSON_KEY": fresh_key()}
        prepare_next(folder, fresh)
        with writing(engine_for(settings.database_url)) as session:
            hold_key(session, held["PERSON_KEY"], now)
            people = rekey_slots(session, settings, held["PERSON_KEY"], fresh["PERSON_KEY"])
            people += rekey_people(session, held["PERSON_KEY"], fresh["PERSON_KEY"])
            counts = rekey(session, held["PERSON_KEY"], fresh["PERSON_KEY"], now, actor) | {"people on slots": people}
            counts["lookup codes"] = void_codes(session, now, actor)
        switch_to_next(folder)
    # Nothing that was made with the old key is of use to the gate any more.
    shutil.rmtree(settings.cache_dir, ignore_errors=True)
    return counts


def _finish_former(folder: Path, person_key: str) -> dict[str, str]:
    """The keys in force, after the rename a killed rotation may have left undone."""
    coming = read_keys(next_file(folder))
    if coming is not None and coming["PERSON_KEY"] == person_key:
        switch_to_next(folder)
    held = read_keys(keys_file(folder))
    if held is None or held["PERSON_KEY"] != person_key:
        raise Misconfigured(f"{keys_file(folder)} does not hold the PERSON_KEY in force; start again")
    return held


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("another rotation of the keys is on its way") from None
        yield
    finally:
        os.close(number)
