"""`bianzhi pool` as people use it: a process-like call per command, a person and a token each, exit codes, files of acts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from cli import main
from core.accounts import GrantSpec, Role, create_user, get_user, issue_token
from core.db import engine_for, reading, writing
from core.settings import Settings
from core.units import UnitVersion
from pool.models import PoolBalance, PoolMovement, PoolRequest, PoolSlot
from tests.nightkit import House, deliver, good_books, person_id, quota
from tests.poolkit import K2, PEOPLE, SEEN, UNITS

NIGHT = date(2026, 10, 15)
CELL = ("INSTITUTION", "FULL")
SELF = {"unit_code": "A1", "post_type": CELL[0], "fund_form": CELL[1], "purpose": "HEALTH", "reason": "急需"}


class Desk:
    """A HOME, people with tokens in files, and commands of a group run in it."""

    group = "pool"

    def __init__(self, settings: Settings, monkeypatch) -> None:
        self.settings, self.house = settings, House(settings)
        self.folder = settings.home / "desk"
        self.folder.mkdir(parents=True)
        self.tokens: dict[str, str] = {}
        for name, value in (
            ("HOME", settings.home),
            ("SECRET_KEY", settings.secret_key),
            ("PERSON_KEY", settings.person_key),
        ):
            monkeypatch.setenv(f"BIANZHI_{name}", str(value))

    def people(self) -> None:
        now = datetime.now(UTC)
        grants = {login: GrantSpec(*grant) for login, grant in PEOPLE.items()}
        grants |= {f"officer-{code.lower()}": GrantSpec(Role.UNIT_OFFICER, unit_code=code) for code in UNITS}
        with writing(engine_for(self.settings.database_url)) as session:
            for login, grant in grants.items():
                create_user(session, login=login, email=f"{login}@example.org", display_name=login, grants=[grant],
                            actor="test", now=now)  # fmt: skip
                self.tokens[login] = issue_token(session, get_user(session, login), label="t", actor="test", now=now)
                (self.folder / login).write_text(self.tokens[login])

    def units(self) -> None:
        with writing(engine_for(self.settings.database_url)) as session:
            for code, (division, level) in UNITS.items():
                session.add(UnitVersion(
                    unit_code=code, unit_name=f"单位{code}", division_code=division, level=level,
                    unit_kind="INSTITUTION", delivers="PERSONS", delivered_by=division, seen_on=SEEN,
                ))  # fmt: skip

    def run(self, *command: object) -> Result:
        result = CliRunner().invoke(main, [self.group, *map(str, command)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def by(self, login: str, *command: object) -> Result:
        return self.run(*command, "--as", login, "--token-file", self.folder / login, "--json")

    def done(self, login: str, *command: object) -> dict:
        result = self.by(login, *command)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def listed(self, *command: object) -> list[dict]:
        result = self.run(*command, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def count(self, model) -> int:
        with reading(engine_for(self.settings.database_url)) as session:
            return session.scalar(select(func.count()).select_from(model))

    def tokens_file(self):
        path = self.folder / "tokens.json"
        path.write_text(json.dumps(self.tokens))
        return path

    def apply(self, name: str, text: str, *more: object) -> Result:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return self.run("apply", path, "--tokens", self.tokens_file(), *more)


@pytest.fixture
def desk(settings, monkeypatch) -> Desk:
    made = Desk(settings, monkeypatch)
    made.units()
    made.people()
    made.done("topreviewer", "tree")
    made.done("reviewer", "deposit", K2, *CELL, "HEALTH", 3, "TOTAL_SLICE", "--document", "编委〔2026〕1号")
    return made


def ask(desk: Desk, posts: object = 1, *more: object, login: str = "officer-a1", unit: str = "A1") -> Result:
    return desk.by(login, "request", unit, *CELL, "HEALTH", posts, 12, "--reason", "急需", *more)


def test_a_whole_loan_from_the_command_line_takes_three_persons(desk):
    asked = json.loads(ask(desk, 2).stdout)
    assert (asked["status"], asked["decision_node"]) == ("SUBMITTED", "CITY:990100")
    assert [row["request"] for row in desk.listed("requests")] == [asked["request"]]
    desk.done("reviewer", "review", asked["request"])
    granted = desk.done("citydirector", "approve", asked["request"])
    assert (granted["granted"], len(granted["slots"])) == (2, 2)
    number = desk.folder / "person"
    number.write_text(person_id(7) + "\n")
    filled = desk.done("reviewer", "fill", granted["slots"][0], "--person-file", number)
    assert filled["status"] == "FILLED"
    [loan] = desk.listed("loans", "--unit", "A1")
    assert (loan["live"], loan["filled"], loan["status"], loan["lenders"]) == (2, 1, "FILLED", [K2])
    [pair] = desk.listed("lent")
    assert (pair["lender"], pair["borrower"], pair["posts"]) == (K2, "U:A1", 2)
    [stock] = desk.listed("stock")
    assert (stock["idle"], stock["pending"], stock["lent"]) == (1, 0, 2)
    assert [(row["kind"], row["borrowed"]) for row in desk.listed("ledger", "A1", *CELL)] == [("LEND", 2), ("FILL", 2)]
    [cell] = desk.listed("cells", "--unit", "A1")
    assert (cell["borrowed"], cell["in_post"], cell["usable"], cell["allowed"]) == (2, 1, 1, 2)
    assert desk.listed("due", "--days", 400)[0]["badge"] == "预"
    assert desk.done("reviewer", "vacate", granted["slots"][0])["status"] == "RETURNED"
    assert desk.done("officer-a1", "return", granted["slots"][1])["status"] == "RETURNED"
    assert desk.listed("lent") == []
    assert desk.run("prove").exit_code == 0
    assert person_id(7) not in desk.run("ledger", "A1", *CELL).output


def test_refusals_say_why_and_leave_with_their_exit_codes(desk):
    asked = json.loads(ask(desk).stdout)["request"]
    cases = [
        (desk.by("officer-a1", "approve", asked), 10, "不在您的管辖范围内"),
        (desk.by("citydirector", "approve", asked), 10, "当前状态是“已提交”"),
        (desk.by("auditor", "review", asked), 10, "您的角色不能办理"),
        (ask(desk, 9), 10, "只有 2 个"),
        (desk.by("reviewer", "cut", "U:none", *CELL, 1, "--document", "x"), 10, "没有这条记录"),
    ]
    for result, code, words in cases:
        assert (result.exit_code, words in result.output) == (code, True), result.output
    shape = json.loads(ask(desk, 9).stdout)
    assert (shape["code"], shape["details"]["answer"], shape["details"]["most"]) == ("refused", "NO_STOCK", 2)
    wrong = desk.run("review", asked, "--as", "reviewer", "--token-file", desk.folder / "director")
    assert (wrong.exit_code, "not a valid token of reviewer" in wrong.output) == (10, True)


@pytest.mark.parametrize("posts", ["0", "-1", "1.5", "1e3", "１２", "²", str(2**63)])
def test_what_is_no_number_of_posts_is_refused_with_a_sentence_and_moves_nothing(desk, posts):
    before = desk.count(PoolMovement)
    result = ask(desk, posts)
    assert (result.exit_code, "编制数" in result.output) == (11, True), result.output
    assert desk.count(PoolMovement) == before


def test_the_same_key_answers_once_and_another_body_is_refused(desk):
    first, again = ask(desk, 1, "--key", "mine"), ask(desk, 1, "--key", "mine")
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert desk.count(PoolRequest) == 1
    other = ask(desk, 2, "--key", "mine")
    assert (other.exit_code, "幂等键" in other.output) == (10, True)


def test_a_key_that_is_made_is_told_before_the_act(desk):
    result = ask(desk)
    assert result.stderr.startswith("key cli-")
    assert json.loads(result.stdout)["key"] in result.stderr


SCRIPT = """act,as,arguments,name
request,officer-a1,unit_code=A1; post_type=INSTITUTION; fund_form=FULL; purpose=HEALTH; posts=2; months=12; reason=急需,one
review,reviewer,number=@one.request,
approve,citydirector,"{""number"": ""@one.request"", ""posts"": ""1""}",two
return,officer-a1,slot_nos=@two.slots,
"""


def test_a_file_of_acts_is_done_each_as_its_person_and_again_is_harmless(desk):
    first = desk.apply("acts.csv", SCRIPT)
    assert first.exit_code == 0, first.output
    movements = desk.count(PoolMovement)
    again = desk.apply("acts.csv", SCRIPT)
    assert (again.exit_code, desk.count(PoolMovement)) == (0, movements)
    *rows, closing = again.output.splitlines()
    assert [row.rpartition("\tdone before, on ")[0] for row in rows] == first.output.splitlines()[:-1]
    assert closing.startswith(f"0 acts done; {len(rows)} had been done before")
    with reading(engine_for(desk.settings.database_url)) as session:
        [slot] = session.scalars(select(PoolSlot)).all()
        assert slot.status == "RETURNED"
    as_json = [
        {"act": "request", "as": "officer-a2", "name": "one", "arguments": {**SELF, "unit_code": "A2", "posts": 1, "months": 12}},
        {"act": "withdraw-request", "as": "officer-a2", "arguments": {"number": "@one.request"}},
    ]  # fmt: skip
    result = desk.apply("more.json", json.dumps(as_json))
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "2 acts done")
    assert desk.run("prove").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("return,officer-a1", "give,officer-a1", "第 5 行 act 列"),
        ("return,officer-a1", "return,nobody", "第 5 行 as 列"),
        ("slot_nos=@two.slots", "slot_nos=@three.slots", "第 5 行 arguments 列"),
        ("slot_nos=@two.slots", "slot_nos=@two.things", "第 5 行 arguments 列"),
        ("slot_nos=@two.slots", "slots=@two.slots", "第 5 行 arguments 列"),
        ("slot_nos=@two.slots", "nonsense", "第 5 行 arguments 列"),
        ("""""posts"": ""1""", """""posts"": ""１""", "第 4 行 arguments 列"),
        ("posts=2; ", "", "第 2 行 arguments 列"),
        (",name", ",called", "第 2 行 called 列"),
    ],
)
def test_a_file_with_one_bad_row_books_nothing(desk, old, new, place):
    before = desk.count(PoolMovement)
    assert old in SCRIPT
    result = desk.apply("acts.csv", SCRIPT.replace(old, new))
    assert (result.exit_code, f"acts.csv {place}" in result.output) == (11, True), result.output
    assert desk.count(PoolMovement) == before
    assert desk.count(PoolRequest) == 0


def test_a_refused_row_stops_the_file_and_says_where(desk):
    result = desk.apply("acts.csv", SCRIPT.replace("approve,citydirector", "approve,director"))
    assert (result.exit_code, "acts.csv 第 4 行（approve，director）" in result.output) == (10, True)
    assert [row["status"] for row in desk.listed("requests")] == ["REVIEWED"]
    repaired = desk.apply("acts.csv", SCRIPT)
    assert repaired.exit_code == 0, repaired.output


DATED = f"""act,as,arguments,name,on
deposit,reviewer,pool_node={K2}; post_type=INSTITUTION; fund_form=FULL; purpose=HEALTH; posts=2; source=TOTAL_SLICE; document_no=编委2,,2026-03-01
request,officer-a1,unit_code=A1; post_type=INSTITUTION; fund_form=FULL; purpose=HEALTH; posts=2; months=1; reason=急需,one,2026-03-02
review,reviewer,number=@one.request,,2026-03-03
approve,citydirector,number=@one.request,two,2026-03-04
return,officer-a1,slot_nos=@two.slots.0,,2026-03-05
"""


def test_a_day_of_its_own_is_for_development_alone(desk, monkeypatch):
    monkeypatch.setenv("BIANZHI_ENV", "production")
    refused = desk.apply("acts.csv", DATED)
    assert (refused.exit_code, "只有开发环境" in refused.output) == (11, True), refused.output
    monkeypatch.setenv("BIANZHI_ENV", "development")
    backwards = desk.apply("acts.csv", DATED.replace("2026-03-03", "2026-03-01"))
    assert (backwards.exit_code, "第 4 行 on 列" in backwards.output) == (11, True)
    assert desk.count(PoolRequest) == 0
    done = desk.apply("acts.csv", DATED)
    assert done.exit_code == 0, done.output
    with reading(engine_for(desk.settings.database_url)) as session:
        first, second = session.scalars(select(PoolSlot).order_by(PoolSlot.slot_no)).all()
    days = date(2026, 3, 4), date(2026, 4, 4)
    assert [(slot.issued_on, slot.due_date) for slot in (first, second)] == [days, days]
    assert (first.ended_on, second.ended_on) == (date(2026, 3, 5), None)
    assert desk.listed("due")[0]["badge"] == "超"
    assert desk.apply("acts.csv", DATED).exit_code == 0
    assert desk.run("prove").exit_code == 0


def test_what_if_shows_every_node_before_and_after_and_writes_nothing(desk):
    desk.done("reviewer", "grant", "U:A1", *CELL, 4, "--document", "编委〔2026〕2号")
    desk.done("reviewer", "reserve", "U:A1", *CELL, 4, "PERMIT")
    before = desk.count(PoolBalance)
    result = json.loads(desk.run("what-if", "cut", "U:A1", *CELL, 2, "--json").stdout)
    assert (result["passes"], result["opens_debt"]) == (True, False)
    nodes = {row["node"]: (row["before"], row["after"]) for row in result["nodes"]}
    assert (nodes["U:A1"], nodes[K2]) == ((0, -2), (3, 1))
    assert desk.run("what-if", "merge", "U:A1").exit_code == 11
    assert desk.count(PoolBalance) == before


def test_what_if_says_which_act_would_be_refused_and_which_opens_debt(desk):
    desk.done("reviewer", "grant", "U:A1", *CELL, 4, "--document", "编委〔2026〕2号")
    desk.done("reviewer", "reserve", "U:A1", *CELL, 4, "PERMIT")
    desk.done("director", "limits", K2, *CELL, "--lend", 0, "--borrow", 0)
    result = json.loads(desk.run("what-if", "cut", "U:A1", *CELL, 4, "--json").stdout)
    assert (result["passes"], result["opens_debt"]) == (True, True)
    said = desk.run("what-if", "cut", "U:A1", *CELL, 4).stdout
    assert f"passes and opens debt, which may then only shrink: {K2} 1 more" in said
    assert "refused" not in said
    refused = desk.run("what-if", "cut", "U:A1", *CELL, 5, "--json")
    assert (refused.exit_code, "只核定了 4 个" in refused.output) == (10, True)
    desk.done("reviewer", "cut", "U:A1", *CELL, 4, "--document", "编委〔2026〕3号")
    said = desk.run("what-if", "reparent", "U:A1", "COUNTY:990103").stdout
    assert "would be refused: a node's deficit would grow: PROVINCE:990000 3 more short" in said


def test_a_proposal_is_accepted_by_the_director_and_a_second_one_grants_nothing_more(desk):
    for unit in ("A1", "A2"):
        number = json.loads(ask(desk, 1, login=f"officer-{unit.lower()}", unit=unit).stdout)["request"]
        desk.done("reviewer", "review", number)
    waiting = json.loads(ask(desk, 1, login="officer-a3", unit="A3").stdout)["request"]
    proposed = json.loads(desk.run("propose", "--json").stdout)
    assert (len(proposed["grants"]), proposed["posts"], proposed["rejections"]) == (3, 3, [])
    accepted = desk.by("citydirector", "propose", "--accept")
    outcomes = {row["request"]: row["outcome"] for row in json.loads(accepted.stdout)["accepted"]}
    assert sorted(outcomes.values()) == ["APPROVED", "APPROVED", "REFUSED"]
    assert (outcomes[waiting], accepted.exit_code) == ("REFUSED", 10)
    assert desk.run("prove").exit_code == 0
    desk.done("reviewer", "review", waiting)
    last = desk.by("citydirector", "propose", "--accept")
    assert (last.exit_code, len(json.loads(last.stdout)["accepted"])) == (0, 1)
    again = json.loads(desk.by("citydirector", "propose", "--accept").stdout)
    assert (again["grants"], again["accepted"]) == ([], [])
    assert desk.run("prove").exit_code == 0


def test_the_ledger_opens_from_an_accepted_night_with_its_excess_shown(settings, monkeypatch):
    desk = Desk(settings, monkeypatch)
    books = good_books(4)
    books["establishment"] = [quota(posts=3)]
    deliver(desk.house.inbox, NIGHT, "990102", **books)
    desk.people()
    early = desk.by("reviewer", "open", "--as-of", NIGHT)
    assert (early.exit_code, "没有结转" in early.output) == (10, True)
    assert desk.house.night(NIGHT) == 0
    desk.done("reviewer", "tree")
    opened = desk.done("reviewer", "open", "--as-of", NIGHT)
    assert (opened["opened"], opened["excess"], opened["unknown"]) == (1, 1, 0)
    [cell] = desk.listed("cells")
    assert (cell["unit_code"], cell["quota"], cell["in_post"], cell["usable"]) == ("007", 3, 4, -1)
    twice = desk.by("reviewer", "open", "--as-of", NIGHT)
    assert (twice.exit_code, "不能再次开账" in twice.output) == (10, True)
    nothing = desk.by("reviewer3", "open", "--as-of", NIGHT)
    assert nothing.exit_code == 11
    assert desk.run("prove").exit_code == 0


CROSS = ("--central", "中编办〔2026〕7号")


def cross_office(desk: Desk) -> None:
    """Somebody who holds two levels: alone such a person moves posts between them."""
    now = datetime.now(UTC)
    with writing(engine_for(desk.settings.database_url)) as session:
        for login, role in (("crossreviewer", "REVIEWER"), ("crossdirector", "DIRECTOR")):
            create_user(session, login=login, email=f"{login}@example.org", display_name=login, actor="test", now=now,
                        grants=[GrantSpec(role, "990102", "COUNTY"), GrantSpec(role, "990100", "CITY")])  # fmt: skip
            desk.tokens[login] = issue_token(session, get_user(session, login), label="t", actor="test", now=now)
            (desk.folder / login).write_text(desk.tokens[login])


def test_administrative_posts_change_level_with_the_central_number_alone(desk):
    cross_office(desk)
    admin, paper = ("ADMIN", "FULL"), ("--document", "编委〔2026〕2号")
    desk.done("reviewer", "grant", "A1", *admin, 3, *paper)
    for act, who, values in (
        ("transfer", "crossreviewer", ("A1", "C1", *admin, 1)),
        ("deposit", "crossreviewer", ("CITY:990100", *admin, "PLACEMENT", 1, "RECLAIM", "--giver", "A1")),
        ("merge", "crossdirector", ("A1", "C1")),
    ):
        refused = desk.by(who, act, *values, *paper)
        assert refused.exit_code == 10
        assert "单位A1（县）" in refused.output + refused.stderr
        desk.done(who, act, *values, *paper, *CROSS)
    with reading(engine_for(desk.settings.database_url)) as session:
        kept = list(session.scalars(select(PoolMovement.central_no).where(PoolMovement.central_no.is_not(None))))
    assert kept == ["中编办〔2026〕7号"] * 3


def test_a_file_of_acts_names_the_central_number_and_a_return_says_what_went_home(desk):
    cross_office(desk)
    acts = f"""act,as,arguments,name
grant,reviewer,holder=A2; post_type=ADMIN; fund_form=FULL; posts=2; document_no=编委3,
grant,reviewer,holder=A2; post_type=INSTITUTION; fund_form=FULL; posts=2; document_no=编委3,
transfer,crossreviewer,giver=A2; taker=C1; post_type=ADMIN; fund_form=FULL; posts=1; document_no=编委3; central_no=中编1,
deposit,reviewer,pool_node={K2}; post_type=INSTITUTION; fund_form=FULL; purpose=TALENT; posts=1; source=USE_RIGHT_LENT; giver=A2; document_no=编委4,
request,officer-a1,unit_code=A1; post_type=INSTITUTION; fund_form=FULL; purpose=TALENT; posts=1; months=12; reason=急需,one
review,reviewer,number=@one.request,
approve,citydirector,number=@one.request,two
recall,officer-a2,slot_nos=@two.slots; reason=急用,
return,officer-a1,slot_nos=@two.slots,back
"""
    done = desk.apply("central.csv", acts, "--json")
    assert done.exit_code == 0, done.output
    answers = json.loads(done.stdout)["answers"]
    with reading(engine_for(desk.settings.database_url)) as session:
        home = session.get(PoolMovement, answers[-1]["home"][0])
        assert (home.kind, home.to_holder) == ("WITHDRAW", "U:A2")
