"""`bianzhi certificate` as people use it: list, show, renew, hand out, and verify with and without the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from cli import main
from core.accounts import get_user, issue_token
from core.db import engine_for, reading, writing
from core.migrate import upgrade
from core.settings import load_settings
from staffing.certificate_content import claim_of, scan_text
from staffing.certificate_store import newest_of, public_keys
from staffing.signing import Signer, pem_of
from tests.poolkit import found_province

NOW = datetime.now(UTC)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A HOME with a province whose unit A1 has posts, and a token of the reviewer in a file."""
    for name, value in (("HOME", tmp_path / "home"), ("SECRET_KEY", "s" * 40), ("PERSON_KEY", "p" * 40)):
        monkeypatch.setenv(f"BIANZHI_{name}", str(value))
    engine = engine_for(load_settings().database_url)
    upgrade(engine)
    province = found_province(engine)
    province.grant("A1", 10)
    with writing(engine) as session:
        token = issue_token(session, get_user(session, "reviewer"), label="t", actor="test", now=NOW)
    (tmp_path / "token").write_text(token)
    return province


def run(*command: object) -> Result:
    result = CliRunner().invoke(main, ["certificate", *map(str, command)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def renew(tmp_path, *what: object) -> list[dict]:
    result = run("renew", *what, "--as", "reviewer", "--token-file", tmp_path / "token", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout[result.stdout.index("[") :])


def test_a_certificate_from_the_command_line(desk, tmp_path):
    (first,) = renew(tmp_path, "A1")
    assert (first["version"], first["renewed"]) == (1, True)
    assert renew(tmp_path, "A1")[0]["renewed"] is False
    (row,) = json.loads(run("list", "--json").output)
    assert (row["unit_code"], row["state"], row["due"]) == ("A1", "VALID", "")
    desk.grant("A1", 1)
    assert json.loads(run("list", "--due", "--json").output)[0]["due"] == "CHANGED"
    assert renew(tmp_path, "--due")[0]["version"] == 2
    shown = json.loads(run("show", "A1", "--json").output)
    assert shown["content"]["facts"]["quotas"][0]["quota"] == 11
    assert shown["copies"][0]["agree"] is True
    assert run("show", "B1").exit_code == 10
    assert run("renew", "A1", "--due", "--as", "reviewer", "--token-file", tmp_path / "token").exit_code == 11


def scanned(desk) -> str:
    """The text of the QR code on A1's newest certificate."""
    with reading(desk.engine) as session:
        row = newest_of(session, "A1")
        return scan_text("https://portal.example", claim_of(json.loads(row.content)), bytes.fromhex(row.signature))


def test_verifying_says_what_it_is_and_exits_0_only_for_a_good_one(desk, tmp_path):
    renew(tmp_path, "A1")
    file, pem = tmp_path / "a.pdf", tmp_path / "key.pem"
    assert run("pdf", "A1", "--out", file).exit_code == 0
    with reading(desk.engine) as session:
        pem.write_text(pem_of(Signer.of("old" * 20).public) + "".join(map(pem_of, public_keys(session))))
    verdict = lambda *what: (lambda r: (r.exit_code, json.loads(r.stdout)["verdict"]))(run("verify", *what, "--json"))
    assert verdict(file) == (0, "VALID")
    assert verdict(file, "--public-key", pem) == (0, "GENUINE")
    changed = bytearray(file.read_bytes())
    changed[500] ^= 1
    (tmp_path / "bad.pdf").write_bytes(bytes(changed))
    assert verdict(tmp_path / "bad.pdf") == (10, "TAMPERED")
    assert verdict(tmp_path / "bad.pdf", "--public-key", pem) == (10, "TAMPERED")
    code = json.loads(run("show", "A1", "--json").output)["content"]["code"]
    assert verdict("--code", code) == (0, "VALID")
    assert verdict("--code", "AAAA-AAAA-AAAA-AAAA") == (10, "UNKNOWN")
    desk.grant("A1", 1)
    renew(tmp_path, "A1")
    assert verdict(file) == (10, "SUPERSEDED")
    assert verdict(file, "--public-key", pem) == (0, "GENUINE")
    scan = scanned(desk)
    assert verdict("--scan", scan) == (0, "VALID")
    assert verdict("--scan", scan, "--public-key", pem) == (0, "GENUINE")
    assert verdict("--scan", scan.replace(".2.", ".3."), "--public-key", pem) == (10, "TAMPERED")
    assert verdict("--scan", "https://portal.example/verify/x", "--public-key", pem) == (10, "UNKNOWN")
    assert run("verify").exit_code == 11
    (tmp_path / "none.pem").write_text("nothing")
    assert run("verify", file, "--public-key", tmp_path / "none.pem").exit_code == 11


def test_verifying_offline_needs_no_settings_and_no_database(desk, tmp_path, monkeypatch):
    renew(tmp_path, "A1")
    run("pdf", "A1", "--out", tmp_path / "a.pdf")
    with reading(desk.engine) as session:
        (tmp_path / "key.pem").write_text("".join(map(pem_of, public_keys(session))))
    monkeypatch.setenv("BIANZHI_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = run("verify", tmp_path / "a.pdf", "--public-key", tmp_path / "key.pem")
    assert (result.exit_code, "GENUINE" in result.output) == (0, True)
    assert str(NOW.year + 5) in result.output


def test_the_yearly_check_and_the_revocation_from_the_command_line(desk, tmp_path):
    renew(tmp_path, "A1")
    hand = ("--as", "reviewer", "--token-file", tmp_path / "token", "--json")
    year = NOW.year - 1
    answer = json.loads(run("check", "A1", year, "PASSED", "--note", "与台账一致", *hand).stdout)
    assert (answer["result"], answer["recorded"]) == ("PASSED", True)
    assert json.loads(run("check", "A1", year, "PASSED", "--note", "与台账一致", *hand).stdout)["recorded"] is False
    assert run("check", "A1", year, "GOOD", *hand).exit_code == 11
    assert run("revoke", "A1", "--reason", "证书遗失", *hand).exit_code == 10
    with writing(desk.engine) as session:
        token = issue_token(session, get_user(session, "director"), label="t", actor="test", now=NOW)
    (tmp_path / "director").write_text(token)
    director = ("--as", "director", "--token-file", tmp_path / "director", "--json")
    assert json.loads(run("revoke", "A1", "--reason", "证书遗失", *director).stdout)["version"] == 1
    assert json.loads(run("list", "--json").output)[0]["state"] == "REVOKED"


def paper(*command: object) -> Result:
    result = CliRunner().invoke(main, ["document", *map(str, command)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_documents_from_the_command_line(desk, tmp_path):
    hand = ("--as", "reviewer", "--token-file", tmp_path / "token", "--json")
    first = paper("register", "编委[2026]8号", "2026-03-01", "--title", "关于核定编制的通知", "--units", "A1", *hand)
    assert json.loads(first.stdout)["doc_no"] == "编委〔2026〕8号"
    assert paper("register", "编委〔2026〕9号", "2099-01-01", "--title", "将来的文件", *hand).exit_code == 10
    file = tmp_path / "通知.txt"
    file.write_bytes(b"\x00\x01 no such kind of file")
    assert paper("add", "编委〔2026〕8号", file, *hand).exit_code in (10, 11)
    listed = json.loads(paper("list", *hand).stdout)
    assert [row["doc_no"] for row in listed["items"]] == ["编委〔2026〕8号"]
    assert "编委1" in listed["unregistered"]
    shown = json.loads(paper("show", "编委〔2026〕8号", *hand).stdout)
    assert (shown["units"], shown["files"]) == (["A1"], [])
    assert paper("show", "编委〔2026〕99号", *hand).exit_code == 10


def test_a_file_of_acts_renews_the_certificates_it_touches_with_each_act(desk, tmp_path):
    renew(tmp_path, "A1")
    (tmp_path / "tokens.json").write_text(json.dumps({"reviewer": (tmp_path / "token").read_text()}))
    acts = tmp_path / "acts.csv"
    acts.write_text(
        "act,as,arguments\n"
        "grant,reviewer,holder=A1; post_type=INSTITUTION; fund_form=FULL; posts=2; document_no=编委21号\n"
        "cut,reviewer,holder=A1; post_type=INSTITUTION; fund_form=FULL; posts=500; document_no=编委22号\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(main, ["pool", "apply", str(acts), "--tokens", str(tmp_path / "tokens.json")])
    assert result.exit_code == 10, "the cut is refused, what came before it stays"
    (row,) = json.loads(run("list", "--json").output)
    assert (row["version"], row["state"], row["due"]) == (2, "VALID", "")
