"""`bianzhi notices` as people use it: list, export, answer; and what a wrong answer file says."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from core.accounts import get_user, issue_token
from core.db import engine_for, writing
from core.migrate import upgrade
from core.settings import load_settings
from staffing.service_entries import finish_papers
from tests.staffkit import KEY, Gate, found_gate


@pytest.fixture
def gate(tmp_path, monkeypatch) -> Gate:
    """A HOME where somebody entered A1, and tokens in files."""
    for name, value in (("HOME", tmp_path / "home"), ("SECRET_KEY", "s" * 40), ("PERSON_KEY", KEY)):
        monkeypatch.setenv(f"BIANZHI_{name}", str(value))
    engine = engine_for(load_settings().database_url)
    upgrade(engine)
    made = found_gate(engine)
    made.opened("A1", 3, 1)
    made.plan("A1", 2)
    slot = made.enter("A1", made.permit("A1")["permit_no"], 1)["slot"]
    made.do(finish_papers, "personnel", slot)
    for login in ("finance", "personnel"):
        with writing(engine) as session:
            token = issue_token(session, get_user(session, login), label="t", actor="test", now=datetime.now(UTC))
        (tmp_path / login).write_text(token)
    return made


def run(tmp_path: Path, login: str | None, *command: object) -> Result:
    who = ["--as", login, "--token-file", str(tmp_path / login)] if login else []
    result = CliRunner().invoke(main, ["notices", *map(str, command), *who])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_notices_go_out_and_answers_come_back(gate, tmp_path):
    listed = json.loads(run(tmp_path, "finance", "list", "--receiver", "FINANCE", "--json").stdout)
    assert [(row["kind"], row["status"], row["unit"]) for row in listed] == [("ENTRY", "SENT", "A1")]
    said = json.loads(run(tmp_path, "finance", "export", "--to-receiver", "finance", "--json").stdout)
    path = Path(said["folder"]) / said["file"]
    with path.open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert json.loads(run(tmp_path, "finance", "export", "--to-receiver", "FINANCE", "--json").stdout)["file"] is None
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(f"通知单编号,收件方\n{row['通知单编号']},财政\n甲,财政\n", encoding="utf-8")
    refused = run(tmp_path, "finance", "acknowledge", wrong)
    assert refused.exit_code == 11
    assert "wrong.csv 第 3 行：通知单编号须为所收文件中的编号" in refused.stderr
    # What was received, sent back as it is, is an answer.
    assert json.loads(run(tmp_path, "finance", "acknowledge", path, "--json").stdout)["acknowledged"] == 1
    assert json.loads(run(tmp_path, "finance", "list", "--receiver", "FINANCE", "--json").stdout) == []


def test_differences_are_none_before_a_night(gate, tmp_path):
    assert json.loads(run(tmp_path, None, "differences", "--json").stdout) == []
