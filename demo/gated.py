"""Units of the demo whose gate is ours: what they do between the first two nights, through the doors, and what that leaves in
their books. The first night knows them from delivered books alone; then they are switched over.

The units report what stands on their papers: the notice's number, the slot's, the days of registration. So their books say
the same whether the script was run or not, and the truth of a night is one; that the numbers are those the gate gives is what
the test of this script is about.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from demo.atlas import Unit
from demo.histories import CONTROL, ENTRY_FORM
from demo.loans import COLUMNS, officer, reviewer, swap_day
from demo.stage import Row, Stage

Deed = tuple[date, str, str, str, str]
FEWEST = 4  # people in a cell who may come and go without a plant being missed
STAYERS = 2  # of whoever was there before, at most so many get a slot number beside the one who leaves
SPARE = 3  # vacant posts, for an entry, an open permit and an open application


def switch_units(stage: Stage) -> None:
    """Set two units aside, one of the city and one of a county: nobody comes or goes there but through the gate."""
    # Where a permit of one year would be used in the next, or there is no second night, nobody is switched over.
    if len(stage.nights) < 2 or _entry_day(stage).year != switched_on(stage).year:
        return
    for level in ("CITY", "COUNTY"):
        unit = next((unit for unit in stage.quiet if unit.level == level and _fits(stage, unit)), None)
        if unit is None:
            continue
        stage.gated.append(unit)
        stage.quiet.remove(unit)
        stage.slack[unit.code, unit.first_cell] = SPARE
        # What they had to spare before the ledger came is history; one month of it they were full (Q10).
        before = f"{stage.firsts[0] - timedelta(days=1):%Y-%m}"
        stage.full_months |= dict.fromkeys(((unit.code, cell) for cell in unit.heads), (before,))
    if stage.gated:
        _leave(stage, stage.gated[0])
        _enter(stage, stage.gated[0])


def _fits(stage: Stage, unit: Unit) -> bool:
    (post_type, fund_form), lent = unit.first_cell, {code for code, _ in stage.loans}
    plain = post_type != CONTROL and fund_form == "FULL" and unit.heads[unit.first_cell] >= FEWEST
    return plain and unit.code in stage.frozen and unit.code not in lent and _stayers(stage, unit) != []


def _stayers(stage: Stage, unit: Unit) -> list[Row]:
    """People there all along who lead nothing and are paid there alone."""
    paid: dict[str, int] = {}
    for mask, row in stage.rows["payroll"]:
        if mask == stage.always and row["person_key"]:
            paid[row["person_key"]] = paid.get(row["person_key"], 0) + 1
    return [
        row
        for mask, row in stage.rows["roster"]
        if mask == stage.always and (row["unit_code"], row["post_type"], row["fund_form"]) == (unit.code, *unit.first_cell)
        and row["status"] == "IN_SERVICE" and "leader_tier" not in row and paid.get(row["person_key"]) == 1
        and row["person_key"] not in stage.registry.elders
    ]  # fmt: skip


def _recorded(stage: Stage, unit: Unit) -> list[Row]:
    """Who gets a slot number beside the one who leaves; fewer where few stay."""
    return _stayers(stage, unit)[:STAYERS]


def switched_on(stage: Stage) -> date:
    """From this day our ledger and gate are their source."""
    return stage.nights[0] + timedelta(days=1)


def _entry_day(stage: Stage) -> date:
    return min(max(stage.firsts[1], switched_on(stage)) + timedelta(days=2), stage.nights[1])


def _leave(stage: Stage, unit: Unit) -> None:
    """One of them is gone, and unpaid, from the first of the second night's month."""
    row, later = _stayers(stage, unit)[0], stage.from_night(1)
    gone = row | {"status": "LEFT", "exit_date": stage.firsts[1], "exit_reason": "调出"}
    stage.left = row["person_key"]
    for book in ("roster", "payroll"):
        stage.rows[book] = [
            (stage.before_night(1) if mask == stage.always and other.get("person_key") == stage.left else mask, other)
            for mask, other in stage.rows[book]
        ]
    gone["exit_registered"] = max(stage.firsts[1], switched_on(stage))
    stage.rows["roster"].append((later, gone))
    stage.hold(unit, unit.first_cell, later, -1)


def _enter(stage: Stage, unit: Unit) -> None:
    """Somebody comes by our permit, and the unit cites it."""
    person, later, day = stage.registry.person(), stage.from_night(1), _entry_day(stage)
    stage.came = person.number
    starts, form = switched_on(stage), ENTRY_FORM.get(unit.first_cell[0], "EXAM")
    permit = stage.histories.plant_permit(
        unit, unit.first_cell, day, permit_no=f"用编〔{starts.year}〕1号", approved_on=starts, source_of_people=form
    )
    # Slot numbers go by turns: whoever was swapped off a lent post before (demo.loans), those recorded, then the permit's.
    swapped = swap_day(stage).year == starts.year and sum(lending.fate == "swapped" for lending in stage.lendings)
    recorded = 1 + len(_recorded(stage, unit))
    slot = f"BZ{starts.year}-{swapped + recorded + 1:06d}"
    cited = {"permit_no": permit["permit_no"], "slot_no": slot, "entry_form": form, "entry_registered": day}
    stage.post(later, person, unit, entry_date=day, **cited)
    stage.pay(later, person, unit, unit.first_cell[1])


# The script


def director(unit: Unit) -> str:
    """Login of the director of a unit's own level."""
    return _at("bianwei", unit)


def _at(role: str, unit: Unit) -> str:
    return role if unit.level == "CITY" else f"{role}-{unit.division[:6]}"


def _switch(stage: Stage, unit: Unit) -> Deed:
    day = switched_on(stage)
    return day, "", "switch", director(unit), f"unit_code={unit.code}; on={day}"


def write_gate(folder: Path, stage: Stage) -> None:
    """folder/acts.csv as `bianzhi gate acts` takes it, folder/units.csv: login and unit of every ledger to open before, and
    the files `bianzhi duties import` takes; none without units."""
    if not stage.gated:
        return
    folder.mkdir(parents=True)
    acts = [act for n, unit in enumerate(stage.gated) for act in (_busy, _waiting)[n](stage, unit)]
    _write(folder / "acts.csv", COLUMNS, sorted(acts, key=lambda act: act[0]))
    _write(folder / "units.csv", ("login", "unit_code"), [(reviewer(unit), unit.code) for unit in stage.gated])
    _write_duties(folder, stage, stage.gated[0])


def _write(path: Path, header: tuple[str, ...], rows: list[tuple]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _chain(stage: Stage, unit: Unit, tag: str, posts: int) -> Iterator[Deed]:
    """Plan, consultation and a permit of one post, three persons each."""
    day, (post_type, fund_form) = switched_on(stage), unit.first_cell
    form, office, chief = ENTRY_FORM.get(post_type, "EXAM"), reviewer(unit), director(unit)
    wish = f"unit_code={unit.code}; post_type={post_type}; fund_form={fund_form}; entry_form={form}"
    yield (
        day,
        f"plan{tag}",
        "plan",
        officer(unit),
        f"unit_code={unit.code}; year={day.year}; lines={post_type}:{fund_form}:{posts}",
    )
    yield day, "", "plan-review", office, f"number=@plan{tag}.plan; note=空编属实"
    yield day, "", "plan-pass", chief, f"number=@plan{tag}.plan; document_no=云编委〔{day.year}〕{tag}号"
    yield day, f"talk{tag}", "consult", officer(unit), f"{wish}; posts={posts}; reason=业务增加，人手不足"
    yield day, "", "opinion", office, f"number=@talk{tag}.consultation; agrees=yes; opinion=有空编，同意"
    yield day, f"use{tag}", "apply", officer(unit), (
        f"{wish}; posts=1; reason=业务增加，人手不足; consultation_no=@talk{tag}.consultation"
    )  # fmt: skip
    yield day, "", "confirm-cost", _at("caizheng", unit), f"number=@use{tag}.application"
    yield day, "", "review", office, f"number=@use{tag}.application; note=符合条件"
    yield day, f"permit{tag}", "grant", chief, f"number=@use{tag}.application"


def _record(stage: Stage, unit: Unit, name: str, number: str) -> Deed:
    post_type, fund_form = unit.first_cell
    said = f"unit_code={unit.code}; post_type={post_type}; fund_form={fund_form}; identity={number}"
    return switched_on(stage), name, "record", _at("renshe", unit), said


def _busy(stage: Stage, unit: Unit) -> Iterator[Deed]:
    """One leaves, one comes, one is still asked for; its certificate is renewed with every change."""
    day, entry, (post_type, fund_form) = switched_on(stage), _entry_day(stage), unit.first_cell
    people = _at("renshe", unit)
    yield day, "", "document", reviewer(unit), (
        f"doc_no=云编委〔{day.year}〕1号; doc_date={day}; title=关于{unit.name}用编计划的批复; meeting=市编委第三次会议; units={unit.code}"
    )  # fmt: skip
    yield _switch(stage, unit)
    yield day, "", "certify", reviewer(unit), f"unit_code={unit.code}"
    yield _record(stage, unit, "leaver", stage.left)
    for n, row in enumerate(_recorded(stage, unit)):
        yield _record(stage, unit, f"stayer{n}", row["person_key"])
    yield from _chain(stage, unit, "1", 2)
    leaves = max(stage.firsts[1], day)
    yield leaves, "", "exit", people, f"slot_no=@leaver.slot; reason=调出; exit_date={stage.firsts[1]}"
    yield entry, "entered", "enter", people, (
        f"permit_no=@permit1.permit_no; unit_code={unit.code}; post_type={post_type}; fund_form={fund_form};"
        f" identity={stage.came}"
    )  # fmt: skip
    yield entry, "", "papers", people, "slot_no=@entered.slot; note=手续已办"
    yield entry + timedelta(days=1), "", "pay", _at("caizheng", unit), f"slot_no=@entered.slot; month={entry:%Y-%m}"
    form = ENTRY_FORM.get(post_type, "EXAM")
    yield entry + timedelta(days=5), "open", "apply", officer(unit), (
        f"unit_code={unit.code}; post_type={post_type}; fund_form={fund_form}; posts=1; entry_form={form};"
        " reason=新设岗位; consultation_no=@talk1.consultation"
    )  # fmt: skip
    yield entry + timedelta(days=6), "", "certificate-check", reviewer(unit), (
        f"unit_code={unit.code}; year={day.year - 1}; result=PASSED; note=与台账一致"
    )  # fmt: skip
    yield (
        entry + timedelta(days=7),
        "",
        "review",
        reviewer(unit),
        "number=@open.application; note=符合条件，待编委主任签发",
    )


def _waiting(stage: Stage, unit: Unit) -> Iterator[Deed]:
    """A permit nobody has entered on yet, an exit to come, and a certificate revoked and issued anew."""
    day, entry = switched_on(stage), _entry_day(stage)
    yield _switch(stage, unit)
    yield day, "", "certify", reviewer(unit), f"unit_code={unit.code}"
    yield _record(stage, unit, "coming", _stayers(stage, unit)[0]["person_key"])
    yield from _chain(stage, unit, "2", 1)
    yield (
        entry,
        "",
        "announce",
        _at("renshe", unit),
        f"slot_no=@coming.slot; planned={stage.nights[-1] + timedelta(days=40)}; reason=调出",
    )
    yield entry, "", "certificate-revoke", director(unit), f"unit_code={unit.code}; reason=证书遗失，声明作废"
    yield entry + timedelta(days=1), "", "certify", reviewer(unit), f"unit_code={unit.code}"


def _write_duties(folder: Path, stage: Stage, unit: Unit) -> None:
    """A 三定, its list of powers and duties, a standard with a workload, and a reform task."""
    day, cell = switched_on(stage), unit.first_cell
    paper, quota = f"云编委〔{day.year}〕1号", stage.quota(unit, cell, 1)
    version = (unit.code, paper, day)
    trade, measure, per = ("义务教育", "STUDENTS", 19) if unit.trade == "school" else ("公共服务", "POPULATION", 1000)
    blank = ("", "", "", "", "", "")
    _write(folder / "determinations.csv", ("单位编码", "文号", "生效日期", "部分", "内容", "正职", "副职", "编制类型", "经费形式", "编制数"), [
        (*version, "DUTY", "承担本辖区的公共服务", *blank[:5]), (*version, "DUTY", "负责本行业的统计和报告", *blank[:5]),
        (*version, "BODY", "办公室", 1, 1, *blank[:3]), (*version, "BODY", "业务科", 1, "", *blank[:3]),
        (*version, "QUOTA", "", "", "", *cell, quota), (*version, "LEADERS", "", 1, 2, *blank[:3]),
    ])  # fmt: skip
    _write(folder / "items.csv", ("单位编码", "事项编码", "事项名称", "事项类型", "法定依据", "承办机构", "三定职责序号", "起始日期", "截止日期", "编制类型", "经费形式", "编制数"), [
        (unit.code, f"{unit.code}-01", "年度服务登记", "CONFIRMATION", "云泽市公共服务办法第三条", "业务科", 1, day, "", *cell, 2),
        (unit.code, f"{unit.code}-02", "行业统计报告", "OTHER", "云泽市统计办法第五条", "办公室", 2, day, "", "", "", ""),
    ])  # fmt: skip
    _write(folder / "standards.csv", ("行业", "层级", "指标", "每多少", "编制数", "取整", "编制类型", "起始日期", "文号"), [
        (trade, unit.level, measure, per, 1, "UP", cell[0], day, paper),
    ])  # fmt: skip
    _write(folder / "workloads.csv", ("单位编码", "行业", "指标", "数量", "截至日期", "来源"), [
        (unit.code, trade, measure, (quota + 2) * per, stage.nights[0], "统计年报"),
    ])  # fmt: skip
    _write(folder / "reform.csv", ("单位编码", "任务", "期限", "责任人账号", "领导职数变化", "编制类型", "经费形式", "编制变化"), [
        (unit.code, "收回空编，充实一线", stage.nights[-1] + timedelta(days=90), officer(unit), "", *cell, -1),
    ])  # fmt: skip
