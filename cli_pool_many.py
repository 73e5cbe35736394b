"""Commands that do many acts of the pool at once: a file of them, and accepting a proposal."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click

from cli_door import (
    AS_JSON,
    DAY,
    Hand,
    act_of,
    as_day,
    do,
    engine_of,
    explained,
    hand_of,
    office_day,
    opened,
    show_json,
    signed_in,
    spelled,
)
from core.db import reading, writing
from core.errors import BianzhiError, Forbidden, InputRejected, NotFound, Refused
from core.settings import Settings


@click.command()
@click.option("--as-of", type=DAY, default=None, help="The day it counts from (default: today).")
@click.option("--accept", is_flag=True, help="Approve what is proposed, as the director; each request by itself.")
@AS_JSON
@click.option("--as", "login", default=None, help="Your login; needed to accept.")
@click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = stdin.")
@click.option("--for", "acting_for", default=None, help="Login you act for, by a delegation in force.")
@click.option("--key", default=None, help="Your key for accepting; made and printed when left out.")
def propose(as_of, accept, as_json, login, token_file, acting_for, key) -> None:
    """Propose which waiting requests to grant: the most posts in R15's order, and why the others not.

    It proposes, people decide. --accept approves, as the director, the proposed requests that wait at this director's
    place: ordinary approvals, each its own transaction, checked again by the ledger. Whoever applied for, endorsed or
    reviewed a request cannot approve it.
    """
    from pool.proposal import propose as find_proposal
    from pool.proposing import situation_of

    with explained(as_json):
        if accept and (login is None or as_of is not None):
            raise InputRejected("接受建议须有 --as 登录名，并且只按今天测算（不写 --as-of）。")
        settings = opened()
        with reading(engine_of(settings)) as session:
            proposal = find_proposal(situation_of(session, as_day(as_of) or office_day(), post_words()))
        outcomes = _accept(settings, proposal, hand_of(login, token_file, acting_for, key)) if accept else None
    if as_json:
        show_json(_proposal_json(proposal) | ({"accepted": outcomes} if accept else {}))
    else:
        for row in (*proposal.grants, *proposal.rejections):
            click.echo(row.sentence)
        for row in outcomes or ():
            click.echo(f"{row['request']}\t{row['outcome']}\t{row['message']}")
        click.echo(
            f"{len(proposal.grants)} of {len(proposal.grants) + len(proposal.rejections)} requests proposed, {proposal.posts} posts"
        )
    refused = [row["request"] for row in outcomes or () if row["outcome"] == "REFUSED"]
    if refused:
        raise Refused(f"以下申请未能批准：{'、'.join(refused)}。")


def post_words() -> dict[str, str]:
    """What officials call post types and fund forms."""
    from core.types import FundForm, PostType
    from expectations.books import WORDS

    return {identifier: spellings[0] for kind in (PostType, FundForm) for identifier, spellings in WORDS[kind].items()}


def _accept(settings: Settings, proposal, hand: Hand) -> list[dict[str, str]]:
    """Approve each proposed request as this person; one that is refused stops no other."""
    from pool.service_approvals import approve_request

    outcomes = []
    for grant in proposal.grants:
        number = grant.request.number
        mine = Hand(hand.login, hand.token, hand.acting_for, f"{hand.key}:{number}")
        try:
            receipt = do(settings, mine, approve_request, number)
            outcomes.append({"request": number, "outcome": "APPROVED", "message": receipt["loan"]})
        except (NotFound, Forbidden) as error:
            outcomes.append({"request": number, "outcome": "ELSEWHERE", "message": error.message})
        except Refused as error:
            outcomes.append({"request": number, "outcome": "REFUSED", "message": error.message})
    return outcomes


def _proposal_json(proposal) -> dict:
    return {
        "as_of": proposal.as_of,
        "posts": proposal.posts,
        "grants": [
            {"request": row.request.number, "unit": row.request.unit, "posts": row.request.posts, "sentence": row.sentence}
            for row in proposal.grants
        ],
        "rejections": [
            {"request": row.request.number, "unit": row.request.unit, "posts": row.request.posts,
             "outcome": row.outcome, "rules": [binding.rule for binding in row.reason.bindings], "ahead": row.ahead,
             "earliest": row.earliest, "sentence": row.sentence}
            for row in proposal.rejections
        ],
        "coming": [
            {"on": row.on, "loan": row.loan, "unit": row.unit, "posts": row.posts, "cause": row.cause}
            for row in proposal.coming
        ],
    }  # fmt: skip


def of_script(command):
    """The arguments of whatever takes a file of acts."""
    for option in (
        AS_JSON,
        click.option("--check", is_flag=True, help="Only check the file."),
        click.option("--tokens", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True,
                     help="JSON: {login: API token}."),
        click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False)),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@of_script
def apply(file, tokens, check, as_json) -> None:
    """Do the acts of a FILE (csv or json), each as the person its row names.

    \b
      act,as,arguments,name
      request,officer-007,unit_code=007; post_type=ADMIN; fund_form=FULL; purpose=TALENT; posts=1; months=12; reason=急需,one
      review,shenhe,number=@one.request,
      approve,zhuren,number=@one.request,

    Further columns: `for` (whom one acts for), `on` (the day it happens; development alone). The whole file is checked
    before anything is booked; then each row is a transaction of its own. Running it again is harmless: file name and row
    are the key, so a new file needs a name of its own; what had been done before is said. A refused row stops the file;
    what came before it stays, and is skipped over next time.
    """
    from pool.acts import DEEDS

    apply_file(opened(), file, tokens, DEEDS, check, as_json)


def apply_file(
    settings: Settings, file: Path, tokens: Path, deeds, check: bool, as_json: bool, table: str = ""
) -> None:
    """Do the acts of a file, each a transaction of its own; the certificates it touches are renewed in it."""
    from pool.script import Answers, read_script, read_tokens

    with explained(as_json):
        rows, known = read_script(file, deeds, table), read_tokens(tokens)
        _check_hands(settings, rows, known)
        answers, before = Answers(), 0
        for row in [] if check else rows:
            receipt, done_on = _apply_row(settings, row, answers, known)
            answers.receipts[row.name or f"\0{row.number}"] = receipt
            before += done_on is not None
            if not as_json:
                told = f"{row.number}\t{row.deed.name}\t{row.login}\t{_brief(receipt)}"
                click.echo(told + (f"\tdone before, on {done_on}" if done_on else ""))
    if as_json:
        return show_json({"rows": len(rows), "done_before": before, "answers": list(answers.receipts.values())})
    if before:
        return click.echo(
            f"{len(rows) - before} acts done; {before} had been done before by a file of this name: a new file needs another"
        )
    return click.echo(f"{len(rows)} acts {'can be read' if check else 'done'}")


def _check_hands(settings: Settings, rows, tokens: dict[str, str]) -> None:
    """Every person named has a token here that is theirs; a day of its own only where it cannot deceive anybody."""
    from core.accounts import find_user

    with reading(engine_of(settings)) as session:
        for row in rows:
            if row.on is not None and settings.env != "development":
                raise row.wrong("只有开发环境可以写明办理日期；请去掉这一列。", "on")
            if row.on is not None and row.on > office_day():
                raise row.wrong("办理日期在将来。", "on")
            if row.login not in tokens:
                raise row.wrong(f"令牌文件中没有 {row.login} 的令牌。", "as")
            try:
                signed_in(session, row.login, tokens[row.login])
            except Forbidden:
                raise row.wrong(
                    f"令牌文件中 {row.login} 的令牌无效；请重新签发（bianzhi account token）。", "as"
                ) from None
            if row.acting_for is not None and find_user(session, row.acting_for) is None:
                raise row.wrong(f"没有 {row.acting_for} 这个账号。", "for")


def _apply_row(settings: Settings, row, answers, tokens: dict[str, str]) -> tuple[dict, date | None]:
    """One row in a transaction of its own: its receipt, and the day it was done if not now. Errors: what the act raises,
    with file and row."""
    from pool.acting import OFFICE_TIME, done_on
    from staffing.certificate_pdf import Press
    from staffing.deeds import perform
    from staffing.renewal import mark_of, renew_moved

    values = answers.values(row)
    at = None
    if row.on is not None:
        at = datetime.combine(row.on, time(9), OFFICE_TIME).astimezone(UTC) + timedelta(seconds=row.number)
    try:
        act = act_of(settings, Hand(row.login, tokens[row.login], row.acting_for, row.client_id), at)
        with writing(engine_of(settings)) as session:
            since, before = mark_of(session), done_on(session, act)
            receipt = perform(session, act, row.deed, values, settings.person_key)
            renew_moved(session, Press.of(settings), at or datetime.now(UTC), act.login, since)
            return receipt, before
    except BianzhiError as error:
        raise row.named(error) from None


def _brief(receipt: dict) -> str:
    return "  ".join(f"{name}={spelled(value)}" for name, value in receipt.items() if not isinstance(value, dict))
