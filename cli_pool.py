"""`bianzhi pool`: the revolving pool from the command line. Acts are made from the one table `pool.acts.DEEDS`."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime

import click

from cli_door import (
    AS_JSON,
    DAY,
    act_of,
    acting,
    as_day,
    do,
    engine_of,
    explained,
    hand_of,
    office_day,
    opened,
    read_only,
    show_answer,
    show_json,
    show_rows,
)
from cli_pool_many import apply, propose
from core.db import reading, writing
from core.errors import InvariantViolated

UNIT = click.option("--unit", "unit", default=None, help="Only this unit.")
ON = click.option("--on", "on", type=DAY, default=None, help="As of this day (default: today).")


@click.group()
def pool() -> None:
    """The revolving pool: idle posts lent for a term, and every single one accounted for.

    \b
    Begin:    pool tree · pool open --as-of NIGHT · pool limits · pool deposit
    Borrow:   pool request → endorse → review → approve (three persons) → fill → vacate, return or swap
    Look:     pool stock · cells · loans · requests · due · lent · ledger · what-if · propose
    Keep:     pool housekeeping --as-of NIGHT · pool prove

    Whatever decides acts as a person: --as LOGIN with that person's API token in a file (bianzhi account token LOGIN).
    The key it prints makes trying again harmless: the same key with the same content answers what was done, once.
    Nodes are written U:unit_code for a unit and LEVEL:division_code for a division, e.g. COUNTY:990102.
    Exits: 0 done · 10 refused · 11 something could not be read · 14 the ledger does not add up.
    """


class DeedCommand(click.Command):
    """A command whose numbers may be wrong in any way and are still refused with a sentence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # No option begins with a digit: −1 is a wrong number, not an unknown option.
        return super().parse_args(ctx, [re.sub(r"^-(?=\d)", "−", arg) for arg in args])


def deed_command(deed) -> click.Command:
    """The command of one act: its arguments by place, the rest as options."""
    parameters: list[click.Parameter] = []
    for argument in deed.arguments:
        option = f"--{argument.name.removesuffix('_no').replace('_', '-')}"
        if argument.secret:
            parameters.append(
                click.Option([f"{option}-file", argument.name], type=click.File(), required=True, help=argument.help)
            )
        elif argument.option:
            parameters.append(click.Option([option, argument.name], required=argument.required, help=argument.help))
        else:
            parameters.append(click.Argument([argument.name], nargs=-1 if argument.many else 1, required=True))

    def run(login, token_file, acting_for, key, as_json, **given) -> None:
        from staffing.deeds import perform

        with explained(as_json):
            texts = {name: value.read() if hasattr(value, "read") else value for name, value in given.items()}
            values, settings = deed.read(texts), opened()
            hand = hand_of(login, token_file, acting_for, key)
            answer = do(settings, hand, perform, deed, values, settings.person_key)
        show_answer({"key": hand.key, **answer} if as_json else answer, as_json)

    places = [f"  {argument.name.upper():14} {argument.help}" for argument in deed.arguments if not argument.option]
    help = deed.help + ("\n\n\b\n" + "\n".join(places) if places else "")
    return acting(DeedCommand(deed.name, params=parameters, callback=run, help=help, short_help=deed.help))


def _add_deeds() -> None:
    from pool.acts import DEEDS

    for deed in DEEDS.values():
        pool.add_command(deed_command(deed))


_add_deeds()


@pool.command("open")
@click.option("--as-of", type=DAY, required=True, help="The settled night whose figures are taken.")
@click.option("--division", default=None, help="Only units of this division and those below it.")
@click.option("--unit", "units", multiple=True, help="Only this unit; may be given several times.")
@click.option("--new-only", is_flag=True, help="Leave out cells that have accounts already.")
@acting
def pool_open(as_of, division, units, new_only, login, token_file, acting_for, key, as_json) -> None:
    """Open the ledger: quota and people of every cell, as the accepted night counted them.

    Opens the units you may move posts for. A cell over quota opens with its excess shown, which may then only shrink; a
    cell the night does not know stays closed, for unknown is not zero, and opens with a later night. A mistaken opening is
    reversed, then opened again.
    """
    from night.opening import opening_rows, rows_within_reach
    from pool.service_opening import open_balances

    with explained(as_json):
        settings, hand = opened(), hand_of(login, token_file, acting_for, key)
        act = act_of(settings, hand)
        with reading(engine_of(settings)) as session:
            opening = opening_rows(session, settings, as_of.date())
            rows = rows_within_reach(session, opening.rows, act.scope, division, units, new_only)
        with writing(engine_of(settings)) as session:
            answer = open_balances(session, act, rows, as_of.date())
    answer |= {"unknown": len(opening.unknown)}
    show_answer({"key": hand.key, **answer} if as_json else answer, as_json)


@pool.command()
@click.option("--node", default=None, help="Only this node's pool.")
@AS_JSON
def stock(node, as_json) -> None:
    """Posts idle, pending and lent in every pool, per cell kind and purpose; surplus is T of the node."""
    from pool.acts import read_node
    from pool.listing import stock_rows

    with read_only() as (_, session):
        show_rows(stock_rows(session, read_node(node) if node else None), as_json)


@pool.command()
@UNIT
@ON
@AS_JSON
def cells(unit, on, as_json) -> None:
    """Quota, people, borrowed, lent, reserved, usable and allowed of every cell on a day."""
    from pool.listing import cell_rows

    with read_only() as (_, session):
        show_rows(cell_rows(session, as_day(on) or office_day(), [unit] if unit else None), as_json)


@pool.command()
@UNIT
@AS_JSON
def loans(unit, as_json) -> None:
    """Loans with live posts: status, due date, lenders, slot numbers."""
    from pool.listing import loan_rows

    with read_only() as (_, session):
        show_rows(loan_rows(session, unit), as_json)


@pool.command()
@UNIT
@click.option("--all", "everything", is_flag=True, help="Decided ones and drafts too.")
@AS_JSON
def requests(unit, everything, as_json) -> None:
    """Requests that wait for a decision, the longest waiting first."""
    from pool.approvals import PENDING
    from pool.listing import request_rows

    with read_only() as (_, session):
        show_rows(request_rows(session, unit, None if everything else PENDING), as_json)


@pool.command()
@click.argument("holder")
@click.argument("post_type")
@click.argument("fund_form")
@AS_JSON
def ledger(holder, post_type, fund_form, as_json) -> None:
    """Every movement of one cell with its document, and what the cell held after it."""
    from pool.acts import read_node
    from pool.ledger import parse_cell
    from pool.listing import ledger_rows

    with read_only() as (_, session):
        show_rows(ledger_rows(session, parse_cell(read_node(holder), post_type.upper(), fund_form.upper())), as_json)


@pool.command()
@ON
@click.option("--days", type=click.IntRange(0, 3660), default=None, help="Days ahead (default: the parameter's 90).")
@AS_JSON
def due(on, days, as_json) -> None:
    """Slots due soon (预) or overdue (超), the first due first."""
    from pool.listing import due_rows

    with read_only() as (_, session):
        show_rows(due_rows(session, as_day(on) or office_day(), days), as_json)


@pool.command()
@AS_JSON
def lent(as_json) -> None:
    """Who lent to whom: posts per lender, borrower, cell kind and purpose."""
    from pool.listing import lent_rows

    with read_only() as (_, session):
        show_rows(lent_rows(session), as_json)


@pool.command()
@AS_JSON
def suggestions(as_json) -> None:
    """What the nights propose to the office: swap, withdraw what was never filled, return after an exit."""
    from pool.housekeeping import open_suggestions

    with read_only() as (_, session):
        found = open_suggestions(session)
        show_rows([{"kind": row.kind, "slot": row.slot_no, "since": row.as_of} for row in found], as_json)


@pool.command("what-if")
@click.argument("change", type=click.Choice(["cut", "reparent", "merge", "abolish", "recall"]))
@click.argument("what", nargs=-1, required=True)
@AS_JSON
def what_if(change, what, as_json) -> None:
    """Try a change on a copy: T and posts short of every node it touches, before and after. Nothing is written.

    What the act itself would refuse is refused. A cut below use passes and opens debt.

    \b
      cut HOLDER POST_TYPE FUND_FORM POSTS
      reparent NODE PARENT        merge UNIT INTO
      abolish NODE                recall SLOT [SLOT…]
    """
    from pool.trying import try_change
    from staffing.service_carry import suppose_change

    with explained(as_json), read_only() as (_, session):
        rows = [asdict(row) for row in try_change(session, change, what, office_day(), suppose_change)]
    short = [
        f"{row['node']} {row['purpose']}".strip() + f" {row['short_after'] - row['short_before']} more"
        for row in rows
        if row["binds"]
    ]
    passes = change == "cut" or not short
    if as_json:
        return show_json({"passes": passes, "opens_debt": passes and bool(short), "nodes": rows})
    show_rows(rows, False, empty="no node changes")
    if not short:
        return click.echo("passes")
    if passes:
        return click.echo(f"passes and opens debt, which may then only shrink: {', '.join(short)} short")
    return click.echo(f"would be refused: a node's deficit would grow: {', '.join(short)} short")


@pool.command()
@click.option("--as-of", type=DAY, required=True)
@AS_JSON
def housekeeping(as_of, as_json) -> None:
    """What every night does by itself: remind, expire, lapse, propose swaps and withdrawals, queue mails.

    The same day again changes nothing.
    """
    from night.housekeeping import keep_house

    settings = opened()
    show_answer(keep_house(settings, as_of.date(), datetime.now(UTC)), as_json)


@pool.command()
@AS_JSON
def prove(as_json) -> None:
    """Recompute every invariant of the pool from the rows alone; exit 14 if one does not hold."""
    from pool.proof import prove_pool

    with read_only() as (_, session):
        results = prove_pool(session)
    if as_json:
        show_json([asdict(proof) for proof in results])
    else:
        for proof in results:
            where = f"  {' '.join(proof.broken)}" if proof.broken else ""
            click.echo(f"{'ok  ' if proof.holds else 'FAIL'} {proof.name} ({proof.checked}){where}")
    broken = [proof.name for proof in results if not proof.holds]
    if broken:
        raise InvariantViolated(f"周转池核验不成立：{'；'.join(broken)}")


pool.add_command(propose)
pool.add_command(apply)
