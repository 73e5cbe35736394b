"""What every command of `bianzhi` stands on: settings with a fit database, who acts, errors as sentences, and printing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.accounts import User, user_of_token
from core.db import engine_for, reading, writing
from core.errors import BianzhiError, Forbidden, Misconfigured, Unavailable
from core.migrate import current, head, upgrade
from core.settings import Settings, load_settings

DAY = click.DateTime(["%Y-%m-%d"])
PIPE_WIDTH = 240
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


class Door(click.Group):
    """Turns every error made on purpose into one sentence and its exit code; a traceback is a bug."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except BianzhiError as error:
            click.echo(f"bianzhi: {error.message}", err=True)
            ctx.exit(error.exit_code)


def opened(empty_too: bool = False) -> Settings:
    """Settings, with the database at the newest schema. `empty_too`: an empty database is upgraded first."""
    settings = load_settings()
    engine = engine_for(settings.database_url)
    try:
        at = current(engine)
    except Exception as error:
        raise Unavailable(f"the database did not answer ({type(error).__name__})") from None
    if at is None and empty_too:
        upgrade(engine)
    elif at != head():
        raise Misconfigured("the database is not at the newest schema; run: bianzhi db upgrade")
    return settings


def as_day(value: datetime | None) -> date | None:
    return value.date() if value else None


def office_day() -> date:
    """The office's day; lists are as of it when no day is named."""
    from pool.acting import OFFICE_TIME

    return datetime.now(UTC).astimezone(OFFICE_TIME).date()


def signed_in(session: Session, login: str, token: str) -> User:
    """The person a command acts as. Errors: Forbidden when the token is not that person's."""
    user = user_of_token(session, token.strip())
    if user is None or user.login != login:
        raise Forbidden(f"that is not a valid token of {login}")
    return user


@contextmanager
def read_only() -> Iterator[tuple[Settings, Session]]:
    """Settings and a transaction that only reads."""
    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        yield settings, session


def engine_of(settings: Settings) -> Engine:
    """The engine of these settings."""
    return engine_for(settings.database_url)


@dataclass(frozen=True)
class Hand:
    """Who acts, for whom, under which key."""

    login: str
    token: str
    acting_for: str | None
    key: str


def acting(command: Callable) -> Callable:
    """The options of whatever decides."""
    for option in (
        AS_JSON,
        click.option("--key", default=None, help="Your key for this act; made and printed when left out."),
        click.option("--for", "acting_for", default=None, help="Login you act for, by a delegation in force."),
        click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = stdin."),
        click.option("--as", "login", required=True, help="Your login."),
    ):
        command = option(command)
    return command


def hand_of(login: str, token_file, acting_for: str | None, key: str | None) -> Hand:
    """The hand of a command; a key made here is printed first, so that it is known whatever happens next."""
    if key is None:
        key = f"cli-{uuid4()}"
        click.echo(f"key {key}", err=True)
    return Hand(login, token_file.read(), acting_for, key)


def act_of(settings: Settings, hand: Hand, now: datetime | None = None):
    """The act of a signed-in person, and whether the key is a retry: then it means what it meant then."""
    from core.accounts import get_user
    from core.permissions import scope_of
    from pool.acting import Act
    from pool.acts import first_tried

    with reading(engine_of(settings)) as session:
        by = scope_of(session, signed_in(session, hand.login, hand.token))
        giver = scope_of(session, get_user(session, hand.acting_for)) if hand.acting_for else None
        at = first_tried(session, hand.login, hand.key) or now or datetime.now(UTC)
    return Act(by, at, hand.key, giver, settings.portal_url)


def do(settings: Settings, hand: Hand, use_case: Callable[..., dict], *args, **kwargs) -> dict:
    """One use-case in a transaction of its own, with the certificates of the units it moved."""
    from staffing.certificate_pdf import Press
    from staffing.renewal import mark_of, renew_moved

    act, now = act_of(settings, hand), datetime.now(UTC)
    with writing(engine_of(settings)) as session:
        since = mark_of(session)
        answer = use_case(session, act, *args, **kwargs)
        renew_moved(session, Press.of(settings), now, act.login, since)
        return answer


@contextmanager
def explained(as_json: bool) -> Iterator[None]:
    """Before an error leaves: its figures, as lines, or as the one JSON shape on standard output."""
    try:
        yield
    except BianzhiError as error:
        if as_json:
            show_json({"code": error.code, "message": error.message, "details": error.details})
        else:
            for name, value in error.details.items():
                click.echo(f"  {name}: {spelled(value)}", err=True)
        raise


def show_json(value: object) -> None:
    """A value as JSON on standard output; dates as YYYY-MM-DD."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def spelled(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, list | tuple) and all(isinstance(part, str | int) for part in value):
        return " ".join(map(str, value))
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def show_answer(answer: Mapping[str, Any], as_json: bool) -> None:
    """One answer: JSON, or a line per value."""
    if as_json:
        return show_json(answer)
    for name, value in answer.items():
        click.echo(f"{name}: {spelled(value)}")
    return None


def show_rows(rows: Sequence[Mapping[str, Any]], as_json: bool, empty: str = "nothing") -> None:
    """A list: JSON, or a table under the same names."""
    if as_json:
        return show_json(rows)
    if not rows:
        return click.echo(empty)
    table = Table(box=None, pad_edge=False)
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, int) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(spelled(value) for value in row.values()))
    console = Console()
    (console if console.is_terminal else Console(width=PIPE_WIDTH)).print(table, markup=False)
    return None
