"""Where a run's files lie under HOME."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from core.keys import key_mark
from core.settings import Settings
from reconcile.models import NightRun


def run_of(session: Session, run_id: int) -> NightRun:
    """The run, or NotFound."""
    run = session.get(NightRun, run_id)
    if run is None:
        raise NotFound(f"no run {run_id}")
    return run


def check_run_key(settings: Settings, run: NightRun) -> None:
    """Errors: Refused when the PERSON_KEY was rotated since the run was opened: its files would not fit its flags."""
    if run.key_mark not in (None, key_mark(settings.person_key)):
        raise Refused("the PERSON_KEY was rotated since this night was opened; run the night again")


def raw_path(settings: Settings, sha256: str, name: str) -> Path:
    """The raw copy of a file: named by content, so that the same file is kept once."""
    return settings.raw_dir / sha256[:2] / f"{sha256}{Path(name).suffix.lower()}"


def snapshot_dir(settings: Settings, run: NightRun) -> Path:
    """The folder of a run's accepted books and findings."""
    return settings.snapshots_dir / run.as_of.isoformat() / str(run.run_no)


def report_dir(settings: Settings, run: NightRun) -> Path:
    """The folder of a run's workbooks, Data Docs and manifest."""
    return settings.reports_dir / run.as_of.isoformat() / str(run.run_no)
