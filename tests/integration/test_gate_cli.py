"""`bianzhi gate` as people use it: a call per command, a person and a token each, numbers of people in files, exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from cli import main
from core.accounts import get_user, issue_token
from core.db import engine_for, writing
from tests.integration.test_pool_cli import Desk
from tests.web.gate_seeding import CITY_CELL, CITY_GRANTS, COMER, LEAVER, OTHER, SECOND, UNIT, found_city


class GateDesk(Desk):
    """The pool's desk, with the people of the gate's city and numbers of people in files."""

    group = "gate"

    def people(self) -> None:
        with writing(engine_for(self.settings.database_url)) as session:
            for login in CITY_GRANTS:
                token = issue_token(session, get_user(session, login), label="t", actor="test", now=datetime.now(UTC))
                (self.folder / login).write_text(token)
        for name, number in (("leaver", LEAVER), ("comer", COMER), ("second", SECOND)):
            (self.folder / name).write_text(f"{number}\n")

    def rows(self, *command: object) -> list[dict]:
        return json.loads(self.run(*command, "--json").stdout)

    def person(self, name: str) -> tuple[str, object]:
        return "--identity-file", self.folder / name


@pytest.fixture
def desk(settings, monkeypatch) -> GateDesk:
    made = GateDesk(settings, monkeypatch)
    found_city(settings)
    made.people()
    return made


def certificate(*command: object) -> Result:
    return CliRunner().invoke(main, ["certificate", *map(str, command)])


def permitted(desk: GateDesk) -> dict:
    year = datetime.now(UTC).year
    plan = desk.done("officer", "plan", UNIT, year, f"{CITY_CELL[0]}:{CITY_CELL[1]}:1")["plan"]
    desk.done("reviewer", "plan-review", plan)
    assert desk.done("director", "plan-pass", plan, "--document", "编委〔2026〕5号")["passed"] == 1
    talk = desk.done("officer", "consult", UNIT, *CITY_CELL, 1, "RECRUIT", "--reason", "扩班")["consultation"]
    desk.done("reviewer", "opinion", talk, "yes", "--opinion", "同意")
    wish = (UNIT, *CITY_CELL, 1, "RECRUIT", "--reason", "扩班", "--consultation", talk)
    checked = desk.done("officer", "check", *wish)
    assert [row["check"] for row in checked["checks"] if not row["allowed"]] == ["在编制限额内"]
    refused = desk.by("officer", "apply", *wish)
    assert refused.exit_code == 10
    assert "已满编" in refused.stderr
    assert desk.done("personnel", "exit-person", UNIT, *CITY_CELL, "--reason", "退休", *desk.person("leaver"))["slot"]
    number = desk.done("officer", "apply", *wish)["application"]
    desk.done("finance", "confirm-cost", number)
    desk.done("reviewer", "review", number, "--note", "符合")
    assert [row["move"] for row in desk.done("director", "work")] == ["GRANT"]
    return desk.done("director", "grant", number)


def test_a_unit_goes_from_plan_to_pay_by_commands(desk, tmp_path):
    token = ("--as", "reviewer", "--token-file", desk.folder / "reviewer")
    assert certificate("renew", UNIT, *token).exit_code == 0
    permit = permitted(desk)
    entered = desk.done("personnel", "enter", permit["permit_no"], UNIT, *CITY_CELL, *desk.person("comer"))
    assert entered["slot"] == permit["slots"][0]
    desk.done("personnel", "papers", entered["slot"])
    desk.done("finance", "pay", entered["slot"], f"{datetime.now(UTC).year}-12")
    for notice in desk.rows("notices"):
        desk.done("finance" if notice["receiver"] == "FINANCE" else "personnel", "acknowledge", notice["id"])
    assert desk.rows("notices") == []
    people = desk.rows("slots", "--unit", UNIT)
    assert {row["person_mask"][6:14] for row in people} == {"********"}
    assert LEAVER not in desk.run("slots").output
    newest = json.loads(certificate("list", "--json").stdout)
    assert [(row["version"], row["due"]) for row in newest] == [(3, "")]
    assert desk.run("prove").exit_code == 0
    for form, number in (
        ("approval", permit["application"]),
        ("notice", permit["application"]),
        ("entry", entered["slot"]),
    ):
        out = tmp_path / f"{form}.pdf"
        assert desk.run("form", form, number, "--out", out).exit_code == 0
        assert out.read_bytes().startswith(b"%PDF")


def test_a_permit_used_twice_or_elsewhere_is_refused_with_its_figures(desk):
    permit = permitted(desk)["permit_no"]
    elsewhere = desk.by("personnel", "enter", permit, OTHER, *CITY_CELL, *desk.person("comer"))
    assert (elsewhere.exit_code, json.loads(elsewhere.stdout)["details"]["answer"]) == (10, "OTHER_UNIT")
    desk.done("personnel", "enter", permit, UNIT, *CITY_CELL, *desk.person("comer"))
    again = desk.by("personnel", "enter", permit, UNIT, *CITY_CELL, *desk.person("second"))
    assert (again.exit_code, json.loads(again.stdout)["details"]["answer"]) == (10, "USED")
    assert SECOND not in again.output


def test_lists_answer_before_anything_happened(desk):
    for name in ("plans", "talks", "uses", "slots", "exits", "notices", "blocks", "waivers"):
        assert desk.rows(name) == [], name
    assert json.loads(desk.run("unit", UNIT, "--json").stdout)["applications"] == 0


def test_a_key_tried_again_answers_the_same_and_a_strangers_token_is_refused(desk):
    plan = ("plan", UNIT, datetime.now(UTC).year, f"{CITY_CELL[0]}:{CITY_CELL[1]}:1", "--key", "once")
    assert desk.done("officer", *plan) == desk.done("officer", *plan)
    assert desk.by("stranger", *plan[:-2]).exit_code == 10
    assert desk.run(*plan, "--as", "officer", "--token-file", desk.folder / "reviewer").exit_code == 10
    wrong = desk.by("officer", "plan", UNIT, "26", "x")
    assert (wrong.exit_code, "年度须为四位数字" in wrong.stderr) == (11, True)
