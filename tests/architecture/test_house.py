"""The shape of the house, kept by tests: layers, sizes, names, documents."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import KNOWN
from reconcile.catalog import RULES

ROOT = Path(__file__).resolve().parents[2]
OURS = ("core", "expectations", "demo", "pool", "staffing", "reconcile", "night", "web", "cli")
# A longer function stands here with its reason.
LONG_FUNCTIONS: dict[str, str] = {
    "tests/spec/test_f03.py:test_every_cause_and_the_last_day_in_post": "one table holds every cause side by side",
}
LONG_MODULES: dict[str, str] = {}


def sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return [ROOT / name for name in listed if not name.startswith("migrations/") and (ROOT / name).exists()]


def lint(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([str(program), "--no-cache", *arguments], cwd=cwd, capture_output=True, text=True)


def test_the_layers_hold():
    result = lint()
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("reconcile/rules/planted.py", "import sqlalchemy"),
        ("reconcile/planted.py", "import night.steps"),
        ("reconcile/rules/planted.py", "import duckdb"),
        ("reconcile/planted.py", "import pyspark"),
        ("reconcile/engine/planted.py", "import duckdb"),
        ("core/planted.py", "import expectations.books"),
        ("pool/planted.py", "import reconcile.models"),
        ("reconcile/planted.py", "import pool.models"),
        ("pool/planted.py", "import expectations.books"),
        ("night/planted.py", "import flask"),
        ("dags/planted.py", "import core.db"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path, place, line):
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "pyproject.toml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in names:
        if (ROOT / name).exists() and not name.startswith("tests/"):
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    (tmp_path / place).write_text(f'"""Planted."""\n\n{line}\n')
    result = lint(cwd=tmp_path)
    assert result.returncode != 0, result.stdout
    assert "planted" in result.stdout


def test_functions_and_modules_stay_small():
    long = {}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT).as_posix()
        most = 80 if name.startswith("dags/") else 400
        if text.count("\n") > most and name not in LONG_MODULES:
            long[name] = text.count("\n")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > 50 and f"{name}:{node.name}" not in LONG_FUNCTIONS:
                    long[f"{name}:{node.name}"] = lines
    assert not long


def test_every_name_of_ours_resolves_inside_the_repository():
    for name in OURS:
        module = importlib.import_module(name)
        assert Path(module.__file__).resolve().is_relative_to(ROOT), name


def test_no_dag_file_bears_the_name_of_a_package():
    assert not {path.stem for path in (ROOT / "dags").glob("*.py")} & {*OURS, "staffing", "evaluation"}


def test_no_vague_module_names():
    assert not [path for path in sources() if path.stem in ("utils", "helpers", "manager", "common")]


def test_every_setting_is_documented():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert not [name for name in KNOWN if f"BIANZHI_{name}" not in text]


def node_is_a_rule(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.upper() in RULES


def test_public_functions_of_the_rooms_have_docstrings():
    bare = []
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        # core/types.py holds closed vocabularies: the module says what they are, DOMAIN §2 what each word means.
        if (
            not name.startswith(("core/", "expectations/", "pool/", "staffing/", "reconcile/", "night/"))
            or name == "core/types.py"
        ):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if node_is_a_rule(node):  # its definition is its row in the catalog, and its spec
                continue
            if public and ast.get_docstring(node) is None:
                bare.append(f"{name}:{node.name}")
    assert not bare


def test_no_registry_address_or_machine_path_is_tracked():
    words = ["/ro" + "ot/", "/wo" + "rk/", "pypi.or" + "g", "index-" + "url http", "registry.npm" + "js"]
    guilty = []
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in (".png", ".mo", ".woff2") or not path.exists():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        guilty += [f"{name}: {word}" for word in words if word in text]
    assert not guilty
