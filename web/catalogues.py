"""Keeping the catalogues whole: every sentence the portal can show, and what a catalogue still lacks.

`python -m web.catalogues` lists what is missing, fuzzy or no longer used, and ends with 1 if there is any.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from core.accounts import LOCALES
from web import i18n, words

WEB = Path(__file__).parent
ROOT = WEB.parent
CHINESE = re.compile(r"[㐀-鿿]")
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")
# Rooms whose refusals a person reads in the portal.
REFUSING = (
    "core/accounts.py",
    "core/permissions.py",
    "core/sealing.py",
    "pool/acting.py",
    "pool/acts.py",
    "pool/crossing.py",
    "pool/entries.py",
    "pool/forest.py",
    "pool/foresight.py",
    "pool/holding.py",
    "pool/ledger.py",
    "pool/naming.py",
    "pool/service.py",
    "pool/service_approvals.py",
    "pool/service_drafts.py",
    "pool/service_loans.py",
    "pool/service_nodes.py",
    "pool/service_opening.py",
    "pool/service_people.py",
    "pool/service_reversal.py",
    "pool/service_slots.py",
    "pool/tree.py",
    "pool/trying.py",
    "pool/undoing.py",
    "pool/whatif.py",
    "reconcile/trends.py",
    "staffing/acts.py",
    "staffing/blocks.py",
    "staffing/gathering.py",
    "staffing/notices.py",
    "staffing/printing.py",
    "staffing/service_applications.py",
    "staffing/service_carry.py",
    "staffing/service_entries.py",
    "staffing/service_exits.py",
    "staffing/service_permits.py",
    "staffing/service_plans.py",
    "staffing/service_split.py",
    "staffing/store.py",
    "staffing/certificate_store.py",
    "staffing/certificates.py",
    "staffing/documents.py",
    "staffing/file_types.py",
    "staffing/quota_notices.py",
    "staffing/shelf.py",
    "reconcile/flags.py",
    "reconcile/identities.py",
    "reconcile/settle.py",
    "reconcile/store.py",
    "night/own_record.py",
    "night/situation.py",
    "reconcile/worklists.py",
    "staffing/tipoffs.py",
    "pool/standards.py",
    "staffing/undoing.py",
    "staffing/csv_rows.py",
    "staffing/duty_import.py",
    "staffing/duty_items.py",
    "staffing/reforms.py",
)
# What each language calls itself is never translated.
OWN_NAMES = frozenset(i18n.NAMES.values())


def required_messages() -> set[str]:
    """Every source string that must be in a catalogue."""
    found = set(words.messages()) | set(i18n.FILLED)
    for template in sorted((WEB / "templates").glob("*.html")):
        extracted = extract_from_file("jinja2.ext.babel_extract", template, keywords={"_": None})
        found |= {message for _line, message, _comments, _context in extracted}
    for path in sorted(WEB.rglob("*.py")):
        if path.name not in ("words.py", "catalogues.py"):
            found |= set(_texts(ast.parse(path.read_text(encoding="utf-8"))))
    for name in REFUSING:
        found |= set(_refusals(ast.parse((ROOT / name).read_text(encoding="utf-8"))))
    return {message for message in found if CHINESE.search(message)} - OWN_NAMES


def _texts(tree: ast.Module) -> Iterator[str]:
    """Every Chinese string of a module but its docstrings and the pieces of f-strings."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if isinstance(part, ast.Constant)}
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            skipped.add(id(body[0].value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def _refusals(tree: ast.Module) -> Iterator[str]:
    """The sentences a module raises."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            first = node.exc.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def problems(locale: str) -> list[str]:
    """What is wrong with a locale's catalogue, one line each."""
    path = i18n.CATALOGUES / locale / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        held = {message.id: message for message in read_po(file, locale=locale) if message.id}
    needed = required_messages()
    lines = [f"missing: {message}" for message in sorted(needed - set(held))]
    lines += [f"unused: {message}" for message in sorted(set(held) - needed)]
    for message in held.values():
        if message.fuzzy or not message.string:
            lines.append(f"not translated: {message.id}")
        elif sorted(_places(message.id)) != sorted(_places(message.string)):
            lines.append(f"different places: {message.id}")
    return lines


def _places(text: str) -> Iterable[str]:
    return PLACES.findall(text)


if __name__ == "__main__":
    wrong = [f"{locale} {line}" for locale in LOCALES if locale != i18n.SOURCE for line in problems(locale)]
    print("\n".join(wrong) or "whole")
    sys.exit(bool(wrong))
