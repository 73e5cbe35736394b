"""`bianzhi gate`: 用编 from the command line. Acts are made from the one table `staffing.acts.DEEDS`, lists are read whole."""

from __future__ import annotations

from pathlib import Path

import click

from cli_door import (
    AS_JSON,
    act_of,
    acting,
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
from cli_pool import UNIT, deed_command
from cli_pool_many import apply_file, of_script
from core.db import reading
from core.errors import InvariantViolated, Refused

STATUS = click.option("--status", "statuses", multiple=True, help="Only of this status; may be given several times.")


@click.group()
def gate() -> None:
    """The gate: apply, permit, execute, papers, pay; and exits.

    \b
    Plan:     gate plan → plan-review → plan-pass        (three persons) · consult → opinion
    Use:      gate check · apply → confirm-cost → review → grant
    Enter:    gate enter → papers → pay                   Leave: announce · exit · exit-person → cancel
    Besides:  gate record · carry · waiver · acknowledge · release · undo-exit · revoke
    Look:     gate work · plans · talks · uses · slots · exits · notices · blocks · waivers · unit · form
    Many:     gate acts FILE                              Prove: gate prove

    Whatever decides acts as a person: --as LOGIN with that person's API token in a file (bianzhi account token LOGIN).
    The key it prints makes trying again harmless. Identity numbers are read from a file, never from the command line.
    Exits: 0 done · 10 refused · 11 something could not be read · 14 ledger, permits and slots do not agree.
    """


def _add_deeds() -> None:
    from staffing.acts import DEEDS

    for deed in DEEDS.values():
        gate.add_command(deed_command(deed))


_add_deeds()


@gate.command("acts")
@of_script
def act_by_act(file, tokens, check, as_json) -> None:
    """Do the gate's acts of a FILE (csv or json), each as the person its row names; as `pool apply`, same columns.

    \b
      act,as,arguments,name
      apply,officer-007,unit_code=007; post_type=ADMIN; fund_form=FULL; posts=1; entry_form=TRANSFER; reason=补员,one
      review,shenhe,number=@one.application,
      grant,zhuren,number=@one.application,

    Besides the acts of `gate`: `switch`, `certify`, `certificate-check`, `certificate-revoke`, `document`. An identity number
    stands in the row: keep such a file as you keep a roster.
    """
    from pool.acts import DEEDS as POOL_DEEDS
    from staffing.acts import DEEDS
    from staffing.certificate_pdf import Press
    from staffing.paper_acts import paper_deeds

    settings = opened()
    deeds = DEEDS | paper_deeds(Press.of(settings)) | {"switch": POOL_DEEDS["switch"]}
    apply_file(settings, file, tokens, deeds, check, as_json, "gate/")


# What each list shows of a row; a person is a mask everywhere.
CELL = ("unit_code", "post_type", "fund_form")
COLUMNS = {
    "PLAN": ("number", "unit_code", "year", "status", "applicant", "submitted_on", "document_no"),
    "CONSULTATION": ("number", *CELL, "posts", "entry_form", "status", "applicant", "asked_on", "decided_by", "opinion"),
    "APPLICATION": ("number", *CELL, "posts", "entry_form", "status", "applicant", "submitted_on", "yearly_cost",
                    "permit_no", "valid_until", "bound_slot"),
    "SLOT": ("slot_no", *CELL, "status", "person_mask", "permit_no", "entry_date", "pay_from", "planned_exit",
             "exit_date", "first_unpaid"),
}  # fmt: skip


def _list(name: str, subject: str, help: str) -> None:
    def run(unit, statuses, as_json) -> None:
        from staffing.chain import Subject
        from staffing.lists import staff_page

        with read_only() as (_, session):
            rows, _total = staff_page(session, None, Subject(subject), [each.upper() for each in statuses], unit)
            show_rows([_row(row, COLUMNS[subject]) for row in rows], as_json)

    gate.command(name, help=help)(UNIT(STATUS(AS_JSON(run))))


def _row(row: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


_list("plans", "PLAN", "Annual plans, the newest first.")
_list("talks", "CONSULTATION", "Prior consultations, the newest first.")
_list("uses", "APPLICATION", "Applications and permits, the newest first.")
_list("slots", "SLOT", "Slot numbers with their people (masked); a carried post has a row per unit.")


@gate.command()
@UNIT
@AS_JSON
def exits(unit, as_json) -> None:
    """Announced exits nobody registered yet: what a permit may be bound to."""
    from staffing.lists import coming_exits

    with read_only() as (_, session):
        rows = coming_exits(session, None, unit)
        show_rows(
            [_row(row, ("slot_no", *CELL, "person_mask", "planned_exit", "planned_reason")) for row in rows], as_json
        )


@gate.command()
@UNIT
@click.option("--all", "everything", is_flag=True, help="Acknowledged and withdrawn ones too.")
@AS_JSON
def notices(unit, everything, as_json) -> None:
    """Entry and exit notices with the days they have waited, the longest waiting first."""
    from core.parameters import parameter_value
    from staffing.notices import notice_page

    named = (
        "id",
        "slot_no",
        "unit_code",
        "kind",
        "receiver",
        "status",
        "effective",
        "month",
        "queued_on",
        "acknowledged_on",
    )
    with read_only() as (_, session):
        days = parameter_value(session, "notice_days", office_day())
        views, _total = notice_page(session, None, office_day(), days, open_only=not everything, unit_code=unit)
        rows = [_row(view.notice, named) | {"age": view.age, "overdue": view.overdue} for view in views]
        show_rows(rows, as_json)


@gate.command()
@click.option("--all", "everything", is_flag=True, help="Released ones too.")
@AS_JSON
def blocks(everything, as_json) -> None:
    """Late entries and exits that block their unit's next plan."""
    from staffing.lists import block_page

    named = (
        "id",
        "slot_no",
        "unit_code",
        "kind",
        "changed_on",
        "due_on",
        "due_note",
        "registered_on",
        "released_on",
        "released_by",
    )
    with read_only() as (_, session):
        show_rows([_row(row, named) for row in block_page(session, None, open_only=not everything)[0]], as_json)


@gate.command()
@AS_JSON
def waivers(as_json) -> None:
    """Waivers of reverse flow, the newest first."""
    from staffing.lists import waiver_page

    with read_only() as (_, session):
        named = ("number", "unit_code", "valid_from", "valid_until", "granted_by", "reason")
        show_rows([_row(row, named) for row in waiver_page(session, None)[0]], as_json)


@gate.command()
@click.argument("code")
@AS_JSON
def unit(code, as_json) -> None:
    """What is under way at a unit, and whether its certificate is due."""
    from core.parameters import parameter_value
    from staffing.certificate_store import certificate_due
    from staffing.lists import unit_board

    with read_only() as (_, session):
        board = unit_board(session, code, office_day(), parameter_value(session, "notice_days", office_day()))
        due = certificate_due(session, [code], office_day()).get(code)
        show_answer({"unit_code": code, **vars(board), "certificate_due": due}, as_json)


@gate.command()
@acting
def work(login, token_file, acting_for, key, as_json) -> None:
    """What you must do next, the longest waiting first."""
    from staffing.lists import work_list

    settings = opened()
    act = act_of(settings, hand_of(login, token_file, acting_for, key or "work"))
    with reading(engine_of(settings)) as session:
        show_rows([vars(each) for each in work_list(session, act)], as_json, empty="nothing waits for you")


def check_command() -> click.Command:
    """`gate check`: takes what `gate apply` takes, and only says what it would be told."""
    from dataclasses import replace

    from staffing.acts import DEEDS

    deed = replace(
        DEEDS["apply"], name="check", help="What an application would be told now, check by check. Nothing is written.",
        arguments=tuple(each for each in DEEDS["apply"].arguments if each.name != "draft"),
    )  # fmt: skip
    made = deed_command(deed)

    def run(login, token_file, acting_for, key, as_json, **given) -> None:
        from staffing.service_applications import UseWish, foresee_use

        with explained(as_json):
            values, settings = deed.read(given), opened()
            act = act_of(settings, hand_of(login, token_file, acting_for, key or "check"))
            with reading(engine_of(settings)) as session:
                found = foresee_use(session, act, UseWish(**values))
        rows = [
            {"check": name, "allowed": each.allowed, "sentence": each.sentence, "need": each.need}
            for name, each in found.checks
        ]
        if as_json:
            return show_json(
                {"passes": found.passes, "checks": rows, "figures": found.figures, "yearly_cost": found.yearly_cost}
            )
        show_rows(rows, False)
        return click.echo("passes" if found.passes else "would be refused")

    made.callback = run
    return made


gate.add_command(check_command())


@gate.command()
@click.argument("form", type=click.Choice(["approval", "notice", "entry", "exit"]))
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
def form(form: str, number: str, out: Path) -> None:
    """Write a form as PDF: approval or notice of an application, entry or exit of a slot (the person masked)."""
    from staffing.chain import Subject
    from staffing.printing import masked_person, slot_paper, use_paper
    from staffing.store import row_of, staff_slot

    with read_only() as (_, session):
        if form in ("approval", "notice"):
            content = use_paper(session, row_of(session, Subject.APPLICATION, number), form)
        else:
            slot = staff_slot(session, number)
            content = slot_paper(session, slot, form, masked_person(slot))
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"{out}: {len(content):,} bytes")


@gate.command()
@AS_JSON
def prove(as_json) -> None:
    """Recompute from the rows alone that ledger, permits, slots and notices agree; exit 14 if they do not."""
    from staffing.proof import broken_staffing

    with read_only() as (_, session):
        broken = broken_staffing(session)
    if as_json:
        show_json([str(each) for each in broken])
    if broken:
        raise InvariantViolated(f"用编核验不成立：{'；'.join(map(str, broken))}")
    if not as_json:
        click.echo("ok")
