"""Planted people: one small story each, with the findings it must give. Every planted person is new to the city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from demo.atlas import CITY, Unit
from demo.histories import CONTROL
from demo.names import Person, invalid_number
from demo.plants_names import PLAIN, claim_pair
from demo.stage import Stage


def _died(stage: Stage):
    """A day before the first month of all nights."""
    return stage.firsts[0] - timedelta(days=40)


def ghost(stage: Stage, turn: int) -> None:
    """F01: paid, and in no roster."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("ghost")
    stage.pay(mask, person, unit)
    stage.claim_person(mask, "F01", "S1", person, unit, expected=0, found=1)
    stage.weigh(mask, unit, paid=1)


def unpaid(stage: Stage, turn: int) -> None:
    """F02 without a cause: in post all along, paid only on the other nights."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("unpaid")
    stage.post(stage.always, person, unit)
    stage.pay(stage.always & ~mask, person, unit)
    stage.claim_person(mask, "F02", "S3", person, unit, owned=True, expected=1, found=0)
    stage.weigh(mask, unit, in_post=1)


def unpaid_by_reversal(stage: Stage, turn: int) -> None:
    """F02: what is known of the pay adds to nothing."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("reversal")
    stage.post(mask, person, unit)
    stage.pay(mask, person, unit, amount=512_300)
    stage.pay(mask, person, unit, amount=-512_300)
    stage.claim_person(mask, "F02", "S3", person, unit, owned=True)
    stage.weigh(mask, unit, in_post=1)


def unpaid_entrant(stage: Stage, turn: int) -> None:
    """F02 TIMING: entered within the month, paid from the next one. F09 leaves this person out."""
    unit, person, k = stage.shared(), stage.registry.person(), stage.next_night("entrant")
    entry = stage.firsts[k] + timedelta(days=(stage.nights[k].day - 1) // 2)
    stage.post(stage.from_night(k), person, unit, entry_date=entry)
    stage.pay(stage.from_night(k) & ~(1 << k), person, unit)
    stage.claim_person(1 << k, "F02", "S4", person, unit, owned=True, cause="TIMING")


def unpaid_on_leave(stage: Stage, turn: int) -> None:
    """F02 LEAVE."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("leave")
    stage.post(mask, person, unit, status="ON_LEAVE")
    stage.claim_person(mask, "F02", "S4", person, unit, owned=True, cause="LEAVE")
    stage.weigh(mask, unit, in_post=1)


def paid_as_other(stage: Stage, turn: int) -> None:
    """F02 PAID_AS_OTHER: the payroll calls a person in post temporary, or not on the establishment."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("other")
    called = {"person_state": "TEMPORARY", "on_establishment": "NO"} if turn % 2 else {"on_establishment": "NO"}
    stage.post(mask, person, unit)
    stage.pay(mask, person, unit, **called)
    stage.claim_person(mask, "F02", "S3", person, unit, owned=True, cause="PAID_AS_OTHER")
    stage.weigh(mask, unit, in_post=1)


def _paid_after(stage: Stage, kind: str, cause: str, **row) -> tuple[Unit, Person]:
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask(kind)
    stage.post(stage.always, person, unit, **row)
    stage.pay(mask, person, unit)
    stage.claim_person(mask, "F03", "S1", person, unit, cause=cause)
    stage.weigh(mask, unit, paid=1)
    return unit, person


def paid_after_exit(stage: Stage, turn: int) -> None:
    """F03 EXITED."""
    gone = stage.firsts[0] - timedelta(days=120 * (turn % 2))
    _paid_after(stage, "exited", "EXITED", status="LEFT", exit_date=gone, exit_reason="辞职")


def paid_off_quota(stage: Stage, turn: int) -> None:
    """F03 OFF_QUOTA."""
    _paid_after(stage, "off quota", "OFF_QUOTA", status="OFF_QUOTA")


def paid_before_entry(stage: Stage, turn: int) -> None:
    """F03 NOT_YET_ENTERED: the entry lies after the last night's month."""
    entry = stage.lasts[-1] + timedelta(days=15)
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("not yet")
    post_type, fund_form = unit.first_cell
    stage.add(
        "roster", stage.always, person_key=person.number, person_name=person.name, unit_code=unit.code,
        post_type=post_type, fund_form=fund_form, status="IN_SERVICE", entry_date=entry, delivered_by=unit.folder,
    )  # fmt: skip
    stage.pay(mask, person, unit)
    stage.claim_person(mask, "F03", "S1", person, unit, cause="NOT_YET_ENTERED")
    stage.weigh(mask, unit, paid=1)


def paid_without_exit_date(stage: Stage, turn: int) -> None:
    """F03 NO_EXIT_DATE, and D07: retired with a blank exit date, or one after the month."""
    later = {"exit_date": stage.lasts[-1] + timedelta(days=31)} if turn % 2 else {}
    unit, person = _paid_after(stage, "no exit", "NO_EXIT_DATE", status="RETIRED", **later)
    code = "EXIT_FUTURE" if turn % 2 else "EXIT_MISSING"
    stage.claim_person(stage.always, "D07", "S4", person, unit, owned=True, found=code)


def paid_for_the_month_of_exit(stage: Stage, turn: int) -> None:
    """F03 TIMING: left within the month and paid for it, as before; paid no more from the next month on."""
    k = stage.next_night("timing")
    if stage.nights[k].day < 2:
        return  # Nobody can have left within the month by its first day.
    unit, person = stage.shared(), stage.registry.person()
    if stage.before_night(k):
        stage.post(stage.before_night(k), person, unit)
    gone = stage.firsts[k] + timedelta(days=max(1, stage.nights[k].day // 2))
    stage.post(stage.from_night(k), person, unit, status="LEFT", exit_date=gone, exit_reason="辞职")
    stage.pay(stage.before_night(k + 1), person, unit)
    stage.claim_person(1 << k, "F03", "S4", person, unit, cause="TIMING", found=gone - timedelta(days=1))


def paid_after_death(stage: Stage, turn: int) -> None:
    """F04 in three shapes: left and paid, still in post and paid, and a pension paid on."""
    unit, person, mask, died = stage.shared(), stage.registry.person(), stage.next_mask("death"), _died(stage)
    stage.add(
        "leads", stage.always, kind="DEATH", person_key=person.number, date=died, source="民政", delivered_by=CITY
    )
    if turn % 3 == 0:
        stage.post(stage.always, person, unit, status="LEFT", exit_date=died + timedelta(days=1), exit_reason="死亡")
        stage.pay(mask, person, unit)
        stage.weigh(mask, unit, paid=1)
    elif turn % 3 == 1:
        stage.post(mask, person, unit)
        stage.pay(mask, person, unit)
    else:
        stage.pay(mask, person, unit, person_state="RETIRED", on_establishment="NO")
    stage.claim_person(mask, "F04", "S1", person, unit, expected=0, found=died)


def paid_twice(stage: Stage, turn: int) -> None:
    """F05 across units, divisions and levels."""
    unit, other, mask = stage.shared(safe=True), stage.shared(safe=True), stage.next_mask("twice")
    person = stage.registry.person()
    stage.post(stage.always, person, unit)
    stage.pay(stage.always, person, unit)
    stage.pay(mask, person, other, mode=unit.first_cell[1])
    stage.claim_person(mask, "F05", "S1", person, unit, expected=1, found=2)
    stage.weigh(mask, other, paid=1)


def paid_in_another_form(stage: Stage, turn: int) -> None:
    """F07: FULL in the roster, PART or SELF in the payroll; SELF is no finance-paid head."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("form")
    mode = "SELF" if turn % 2 else "PART"
    stage.post(mask, person, unit)
    stage.pay(mask, person, unit, mode=mode)
    stage.claim_person(mask, "F07", "S2", person, unit, owned=True, expected="FULL", found=mode)
    if mode == "SELF":
        stage.weigh(mask, unit, in_post=1)


def paid_elsewhere(stage: Stage, turn: int) -> None:
    """F08."""
    unit, other, mask = stage.shared(safe=True), stage.shared(safe=True), stage.next_mask("elsewhere")
    person = stage.registry.person()
    stage.post(stage.always, person, unit)
    stage.pay(stage.always & ~mask, person, unit)
    stage.pay(mask, person, other, mode=unit.first_cell[1])
    stage.claim_person(mask, "F08", "S3", person, unit, owned=True, expected=unit.code, found=other.code)
    stage.weigh(mask, unit, in_post=1)
    stage.weigh(mask, other, paid=1)


def two_posts(stage: Stage, turn: int) -> None:
    """D01 over two units."""
    unit, other, mask = stage.shared(safe=True), stage.shared(safe=True), stage.next_mask("two posts")
    person = stage.registry.person()
    stage.post(stage.always, person, unit)
    stage.pay(stage.always, person, unit)
    stage.post(mask, person, other)
    owner = min(unit, other, key=lambda u: u.code)
    stage.claim_person(mask, "D01", "S2", person, owner, expected=1, found=2)
    stage.weigh(mask, other, in_post=1)


def two_cells(stage: Stage, turn: int) -> None:
    """D01 within one unit."""
    unit = stage.take("D01 in one unit", lambda u: u.trade == "mixed")
    if unit is None:
        return
    person, mask = stage.registry.person(), stage.next_mask("two cells")
    first, second = list(unit.heads)[:2]
    stage.post(stage.always, person, unit, first)
    stage.pay(stage.always, person, unit, mode=first[1])
    stage.post(mask, person, unit, second)
    stage.claim_person(mask, "D01", "S2", person, unit, expected=1, found=2)
    stage.weigh(mask, unit, in_post=1)


def wrong_number(stage: Stage, turn: int) -> None:
    """D02 in both books: one wrong number, the same in roster and payroll."""
    problem = ("CHECK_DIGIT", "LENGTH", "CHARSET", "BIRTH_DATE")[turn % 4]
    unit, made, mask = stage.shared(), stage.registry.person(), stage.next_mask(f"wrong {problem}")
    person = Person(invalid_number(made.number, problem), made.name)
    stage.post(mask, person, unit, id_problem=problem)
    stage.pay(mask, person, unit, id_problem=problem)
    for book in ("roster", "payroll"):
        grain = {"person_key": person.number, "book": book, "unit_code": unit.code}
        stage.claim(mask, "D02", grain, "S4", unit, found=problem)


def mistyped_in_payroll(stage: Stage, turn: int) -> None:
    """One slip of the finance bureau: D02, F01 for the number that is nobody's, F02 for its owner, and D03 joins them."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("mistyped")
    slip = Person(invalid_number(person.number, "CHECK_DIGIT"), person.name)
    stage.post(stage.always, person, unit, **PLAIN)
    stage.pay(stage.always & ~mask, person, unit)
    stage.pay(mask, slip, unit, id_problem="CHECK_DIGIT", **PLAIN)
    stage.claim_person(mask, "F01", "S1", slip, unit)
    stage.claim_person(mask, "F02", "S3", person, unit, owned=True)
    grain = {"person_key": slip.number, "book": "payroll", "unit_code": unit.code}
    stage.claim(mask, "D02", grain, "S4", unit, found="CHECK_DIGIT")
    claim_pair(stage, mask, unit, person, slip)
    stage.weigh(mask, unit, in_post=1, paid=1)


def dates_against_status(stage: Stage, turn: int) -> None:
    """D07 alone: active with an exit behind, or an exit before the entry."""
    unit, person, mask = stage.shared(), stage.registry.person(), stage.next_mask("dates")
    gone = stage.firsts[0] - timedelta(days=200)
    if turn % 2:
        row = {"status": "LEFT", "entry_date": gone + timedelta(days=30), "exit_date": gone}
    else:
        row = {"exit_date": gone}
    stage.post(mask, person, unit, **row)
    code = "EXIT_BEFORE_ENTRY" if turn % 2 else "EXITED_BUT_ACTIVE"
    stage.claim_person(mask, "D07", "S4", person, unit, owned=True, found=code)


def wrong_post_type(stage: Stage, turn: int) -> None:
    """Q03: an INSTITUTION post in an organ, with quota and pay of its own."""
    unit = stage.take("Q03", lambda u: u.trade in ("bureau", "town", "police", "office"))
    if unit is None:
        return
    person, mask = stage.registry.person(), stage.next_mask("Q03")
    cell = ("INSTITUTION", "FULL")
    stage.extra_cells[unit.code] = [cell]
    stage.post(mask, person, unit, cell)
    stage.pay(mask, person, unit, mode="FULL")
    stage.claim_person(mask, "Q03", "S2", person, unit, owned=True)


def unexplained(stage: Stage, turn: int) -> None:
    """F09 UNEXPLAINED: holds a control number, left an own post years ago, is paid as if in it. No rule names that."""
    unit = stage.take("unexplained F09", lambda u: any(cell[0] == CONTROL for cell in u.heads))
    if unit is None:
        return
    person, mask = stage.registry.person(), stage.next_mask("unexplained")
    control = next(cell for cell in unit.heads if cell[0] == CONTROL)
    stage.post(mask, person, unit, control)
    gone = stage.firsts[0] - timedelta(days=400)
    stage.post(mask, person, unit, status="LEFT", exit_date=gone, exit_reason="转为员额")
    stage.pay(mask, person, unit, mode="PART")
    stage.weigh(mask, unit, paid=1, unnamed=1)


def seconded(stage: Stage, turn: int) -> None:
    """No finding: lent to another unit and paid there."""
    unit, other, person = stage.shared(safe=True), stage.shared(safe=True), stage.registry.person()
    if unit is not other:
        stage.post(stage.always, person, unit, status="SECONDED_OUT", seconded_to=other.code)
        stage.pay(stage.always, person, other, mode=unit.first_cell[1])


def moved_within_the_month(stage: Stage, turn: int) -> None:
    """No finding: moves in the middle of a month, that month still paid by the old unit."""
    k = stage.next_night("moved")
    unit, other, person = stage.shared(safe=True), stage.shared(safe=True), stage.registry.person()
    if stage.nights[k].day < 2 or unit is other or unit.first_cell[1] != other.first_cell[1]:
        return
    day = stage.firsts[k] + timedelta(days=max(1, stage.nights[k].day // 2))
    if stage.before_night(k):
        stage.post(stage.before_night(k), person, unit)
    stage.post(stage.from_night(k), person, unit, status="LEFT", exit_date=day, exit_reason="调动")
    upwards = {"waiver_no": f"云编函〔{day.year}〕{turn + 1}号"} if unit.level != other.level else {}
    moved = {"entry_date": day, "entry_form": "TRANSFER", "from_unit": unit.code, **upwards}
    stage.post(stage.from_night(k), person, other, **moved)
    stage.pay(stage.before_night(k + 1), person, unit)
    if stage.from_night(k + 1):
        stage.pay(stage.from_night(k + 1), person, other)


def enters_later(stage: Stage, turn: int) -> None:
    """No finding: paid for a month in which the entry comes only after the night."""
    for k, night in enumerate(stage.nights):
        if night < stage.lasts[k]:
            unit, person = stage.shared(), stage.registry.person()
            stage.post(stage.from_night(k), person, unit, entry_date=night + timedelta(days=1))
            stage.pay(stage.from_night(k), person, unit)


def foreigner(stage: Stage, turn: int) -> None:
    """No finding: a passport is not 18 digits, and a Taiwan permit neither."""
    unit, person = stage.shared(), stage.registry.person()
    kind, number = (("PASSPORT", f"E{10_000_000 + turn}"), ("TAIWAN", f"0{5_000_000 + turn}"))[turn % 2]
    guest = Person(number, person.name)
    stage.post(stage.always, guest, unit, id_type=kind)
    stage.pay(stage.always, guest, unit, id_type=kind)


def paid_in_parts(stage: Stage, turn: int) -> None:
    """No finding: two payments and a correction, which add up to pay."""
    unit, person = stage.shared(), stage.registry.person()
    stage.post(stage.always, person, unit)
    for amount in (700_000, 35_000, -12_000):
        stage.pay(stage.always, person, unit, amount=amount)


STORIES: tuple[Callable[[Stage, int], None], ...] = (
    ghost, unpaid, unpaid_by_reversal, unpaid_entrant, unpaid_on_leave, paid_as_other, paid_after_exit, paid_off_quota,
    paid_before_entry, paid_without_exit_date, paid_for_the_month_of_exit, paid_after_death, paid_twice,
    paid_in_another_form, paid_elsewhere, two_posts, two_cells, wrong_number, mistyped_in_payroll,
    dates_against_status, wrong_post_type, unexplained,
)  # fmt: skip
INNOCENT: tuple[Callable[[Stage, int], None], ...] = (
    seconded, moved_within_the_month, enters_later, foreigner, paid_in_parts,
)  # fmt: skip


def tell_stories(stage: Stage, rounds: int) -> None:
    """Plant every kind of story, several of each."""
    for story in (*STORIES, *INNOCENT):
        for turn in range(rounds * (4 if story in (wrong_number,) else 2)):
            story(stage, turn)
