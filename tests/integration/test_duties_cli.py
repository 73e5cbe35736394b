"""`bianzhi duties` as people use it: a file in, what it gives, a file with faults, and a template."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

from cli import main
from tests.integration.test_certificate_cli import desk  # noqa: F401 (fixture)
from tests.integration.test_duties import LOADS, STANDARDS


def run(*command: object) -> Result:
    result = CliRunner().invoke(main, ["duties", *map(str, command)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def bring(tmp_path, kind: str, text: str, *more: object) -> Result:
    file = tmp_path / f"{kind}.csv"
    file.write_text(text, encoding="utf-8")
    return run("import", kind, file, "--as", "reviewer", "--token-file", tmp_path / "token", *more)


def test_standards_and_workloads_from_the_command_line(desk, tmp_path):  # noqa: F811
    assert bring(tmp_path, "standards", STANDARDS).exit_code == 0
    done = bring(tmp_path, "workloads", LOADS, "--json")
    assert json.loads(done.stdout[done.stdout.index("{") :])["added"] == 1
    (row,) = json.loads(run("list", "--login", "reviewer", "--what", "standards", "--json").output)
    assert (row["unit_code"], row["standard"], row["quota"], row["over"]) == ("A1", 5, 10, 5)
    assert json.loads(run("list", "--login", "reviewer3", "--what", "standards", "--json").output) == []
    for what in ("units", "checks", "reform"):
        assert json.loads(run("list", "--login", "reviewer", "--what", what, "--json").output) == []


def test_a_file_with_faults_names_them_and_ends_with_11(desk, tmp_path):  # noqa: F811
    result = bring(tmp_path, "workloads", LOADS.replace("77", "许多").replace("A1", "ZZ"))
    assert result.exit_code == 11
    assert "workloads.csv 第 2 行 数量：“许多”不是" in result.stderr
    assert "workloads.csv 第 2 行 单位编码：没有这个单位" in result.stderr
    assert json.loads(run("list", "--login", "reviewer", "--what", "standards", "--json").output) == []


def test_a_template_and_a_reminder(desk):  # noqa: F811
    assert run("template", "workloads").output.strip() == "单位编码,行业,指标,数量,截至日期,来源"
    assert "0 tasks" in run("remind").output
