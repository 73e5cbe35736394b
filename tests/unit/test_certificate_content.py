"""What a certificate says, its code, its QR code and its seal: any change shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from core import types as t
from core.types import LeaderTier
from expectations.books import WORDS
from staffing import labels
from staffing.certificate_content import (
    CheckLine,
    DocumentLine,
    Facts,
    QuotaLine,
    canonical,
    changes_between,
    claim_of,
    content_hash,
    content_of,
    new_code,
    read_code,
    read_scan,
    scan_text,
)
from staffing.seal import seal, unseal
from staffing.signing import Signer, holds, key_id, pem_of, public_of

SIGNER, OTHER = Signer.of("a" * 40), Signer.of("b" * 40)
PDF = b"%PDF-1.7\n" + bytes(range(256)) + b"\n%%EOF"
FACTS = Facts(
    unit_code="3701.001-甲", unit_name="市教育局", uscc=None, unit_kind="ORGAN", level="CITY", division_code="370100",
    org_rank="正处级", approval_doc=None, duties="主管教育", inner_bodies=("办公室", "人事科"),
    leader_posts={LeaderTier.CHIEF: 1, LeaderTier.DEPUTY: None},
    quotas=(QuotaLine("ADMIN", "FULL", 86, 0, 0, 84), QuotaLine("SUPPORT", "FULL", 6, 0, 0, 6)),
    documents=(DocumentLine("编委〔2026〕1号", "2026-01-05"),),
)  # fmt: skip


def content(facts: Facts = FACTS, **changes):
    given = {
        "code": "ABCD-EFGH-JKMN-PQRS", "version": 2, "office": "编办", "issued_on": date(2026, 11, 25),
        "valid_until": date(2031, 11, 25), "previous_hash": "0" * 64, "checks": [CheckLine(2025, "PASSED", "2025-03-01")],
    } | changes  # fmt: skip
    return content_of(facts.plain(), **given)


def sealed(pdf: bytes = PDF, signer: Signer = SIGNER) -> bytes:
    claim = claim_of(content())
    return seal(pdf, claim, signer.sign(claim.message()), signer)


def test_the_same_content_has_one_spelling_and_any_other_another_hash():
    assert canonical({"b": 1, "a": "编"}) == '{"a":"编","b":1}'.encode()
    assert content_hash(content()) == content_hash(dict(reversed(content().items())))
    others = [
        content(version=3), content(code="ABCD-EFGH-JKMN-PQRT"), content(previous_hash=None), content(checks=[]),
        content(office="另一编办"), content(valid_until=date(2031, 11, 26)),
        *(content(replace(FACTS, **{name: value})) for name, value in (
            ("unit_name", "市教育局 "), ("uscc", "1"), ("duties", None), ("inner_bodies", ("人事科", "办公室")),
            ("leader_posts", {LeaderTier.CHIEF: 1, LeaderTier.DEPUTY: 0}), ("quotas", FACTS.quotas[:1]), ("documents", ()),
        )),
    ]  # fmt: skip
    assert len({content_hash(each) for each in [content(), *others]}) == len(others) + 1


def test_unknown_leader_posts_are_null_and_not_zero():
    assert FACTS.plain()["leader_posts"] == {"CHIEF": 1, "DEPUTY": None, "INNER_CHIEF": None, "INNER_DEPUTY": None}


def test_differences_name_the_cell_and_both_figures():
    after = replace(
        FACTS, unit_name="市教体局", leader_posts={LeaderTier.CHIEF: 1, LeaderTier.DEPUTY: 3},
        quotas=(QuotaLine("ADMIN", "FULL", 88, 0, 0, 84), QuotaLine("INSTITUTION", "FULL", 4, 0, 0, 0)),
        documents=(*FACTS.documents, DocumentLine("编委〔2026〕31号")),
    )  # fmt: skip
    found = {
        (each.what, each.post_type, each.tier): (each.before, each.after)
        for each in changes_between(FACTS.plain(), after.plain())
    }
    assert found[("unit_name", None, None)] == ("市教育局", "市教体局")
    assert found[("leader_posts", None, "DEPUTY")] == (None, 3)
    assert found[("quota", "ADMIN", None)] == (86, 88)
    assert found[("quota", "SUPPORT", None)] == (6, None)
    assert found[("quota", "INSTITUTION", None)] == (None, 4)
    assert found[("documents", None, None)] == ([], ["编委〔2026〕31号"])
    assert changes_between(FACTS.plain(), FACTS.plain()) == []


def test_a_document_that_only_got_its_date_is_a_difference_too():
    after = replace(FACTS, documents=(DocumentLine("编委〔2026〕1号", "2026-01-06"),))
    assert [each.what for each in changes_between(FACTS.plain(), after.plain())] == ["documents"]


def test_a_code_is_read_however_it_is_typed_and_an_altered_one_is_another():
    code = new_code()
    assert read_code(f"  {code.lower().replace('-', ' ')} ") == code
    assert read_code(f"https://portal.example/verify/{code}#1.x") == code
    assert read_code("OOOO-IIII-LLLL-0000") == "0000-1111-1111-0000"
    assert [read_code(bad) for bad in ("", "ABCD", code + "7", "ABCD-EFGH-JKMN-PQR编", "UUUU-UUUU-UUUU-UUUU")] == [
        None
    ] * 5
    assert len({new_code() for _ in range(200)}) == 200


def test_a_scanned_code_gives_back_claim_and_signature_whatever_the_unit_is_called():
    claim = claim_of(content())
    signature = SIGNER.sign(claim.message())
    text = scan_text("https://portal.example/", claim, signature)
    assert text.startswith("https://portal.example/verify/ABCD-EFGH-JKMN-PQRS#1.")
    assert read_scan(text) == (claim, signature)
    assert holds(SIGNER.public, claim.message(), signature)
    assert [read_scan(bad) for bad in ("", "https://portal.example/verify/x", text.split("#")[0], text + ".x")] == [
        None
    ] * 4


def test_an_altered_claim_is_not_what_was_signed():
    claim = claim_of(content())
    signature = SIGNER.sign(claim.message())
    for name, value in (
        ("code", "ABCD-EFGH-JKMN-PQRT"), ("unit_code", "3701002"), ("version", 3), ("valid_until", "2041-11-25"),
        ("content_hash", "f" * 64),
    ):  # fmt: skip
        assert not holds(SIGNER.public, replace(claim, **{name: value}).message(), signature)


def test_a_sealed_file_is_intact_and_any_changed_byte_breaks_it():
    file = sealed()
    assert unseal(file, [OTHER.public, SIGNER.public]).intact
    for at in range(len(file)):
        changed = bytearray(file)
        changed[at] ^= 1
        found = unseal(bytes(changed), [SIGNER.public])
        assert found is None or not found.intact, at


def test_bytes_added_cut_or_moved_break_the_seal():
    file = sealed()
    for changed in (file + b"\n", file[1:], file[:-1], b" " + file, file.replace(b"%%EOF", b"%%EOF ")):
        found = unseal(changed, [SIGNER.public])
        assert found is None or not found.intact
    assert unseal(PDF, [SIGNER.public]) is None


def test_a_seal_of_another_key_or_moved_to_another_file_does_not_hold():
    assert not unseal(sealed(signer=OTHER), [SIGNER.public]).intact
    line = sealed()[len(PDF) :]
    assert not unseal(b"%PDF-1.7 other\n%%EOF" + line, [SIGNER.public]).intact


def test_public_keys_travel_as_pem_and_are_named_by_their_hash():
    assert public_of(pem_of(SIGNER.public).encode()) == SIGNER.public
    assert SIGNER.key_id == key_id(SIGNER.public) != OTHER.key_id
    assert "a" * 40 not in repr(SIGNER)


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        (labels.POST_TYPES, t.PostType), (labels.FUND_FORMS, t.FundForm), (labels.UNIT_KINDS, t.UnitKind),
        (labels.LEVELS, t.Level), (labels.LEADER_TIERS, t.LeaderTier), (labels.ENTRY_FORMS, t.EntryForm),
    ],
)  # fmt: skip
def test_printed_papers_use_the_words_of_the_books(printed, words):
    assert printed == {identifier: spellings[0] for identifier, spellings in WORDS[words].items()}
