"""Every page, as every language and several roles see it: one h1, labels, unique ids, its language, nothing inline."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from core.accounts import LOCALES, get_user
from tests.web.seeding import NEWEST, flag_of
from web.i18n import TAGS, locale_of

Q03 = flag_of("Q03", "3701001", "a" * 32)
F09 = flag_of("F09", "3701001")
PAGES = {
    "auditor": ["/overview", "/overview?by=division", "/flags", "/flags?list=unseen", "/flags?list=closed",
                "/flags?q=zzz", f"/flags/{F09}", "/units", "/units?q=zzz", "/units/3701001", "/nights", f"/nights/{NEWEST}",
                "/nights/2026-11-21?run=1", "/me", "/nowhere"],
    "officer": [f"/flags/{Q03}", "/units/3701031", "/overview", "/reports", "/desk/rectifications"],
    "reviewer": ["/desk", "/desk/tip-offs", "/desk/tip-offs?list=closed", "/desk/rectifications", "/desk/referrals?list=overdue",
                 f"/desk/rectifications/{flag_of('F05', '3701002', 'e' * 32)}", "/reports", "/desk/lookup-codes"],
    "admin": ["/mails", "/mails/1", "/accounts", "/accounts/reviewer", f"/nights/{NEWEST}", "/overview"],
}  # fmt: skip


class Page(HTMLParser):
    """What the checks need to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.heads = 0
        self.lang: str | None = None
        self.labels: set[str] = set()
        self.described: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.inline: list[str] = []
        self.bare_images: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        held = dict(attributes)
        if "id" in held:
            self.ids.append(held["id"] or "")
        self.heads += tag == "h1"
        if tag == "html":
            self.lang = held.get("lang")
        if tag == "label":
            self.labels.add(held.get("for") or "")
        if tag in ("input", "select", "textarea") and held.get("type") != "hidden":
            self.fields.append(held)
        for name in ("aria-describedby", "aria-labelledby"):
            self.described |= set((held.get(name) or "").split())
        if tag == "style" or "style" in held or any(name.startswith("on") for name in held):
            self.inline.append(tag)
        if tag == "script" and "src" not in held:
            self.inline.append(tag)
        if tag == "img" and "alt" not in held:
            self.bare_images.append(held.get("src") or "")


def check(text: str, locale: str = "zh_Hans_CN") -> None:
    page = Page(text)
    assert page.heads == 1
    assert page.lang == TAGS[locale]
    assert len(page.ids) == len(set(page.ids)), [each for each in page.ids if page.ids.count(each) > 1]
    assert not [field for field in page.fields if field.get("id") not in page.labels], page.fields
    assert page.described <= set(page.ids)
    assert not page.inline
    assert not page.bare_images
    assert "http://" not in re.sub(r"http://www\.w3\.org", "", text)
    assert "https://" not in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("login", list(PAGES))
def test_every_page_is_well_made(browser, db, login, locale):
    with db.write() as session:
        get_user(session, login).locale = locale
    person = browser(login)
    for path in PAGES[login]:
        check(person.get(path).get_data(as_text=True), locale)


def test_the_sign_in_page_is_well_made_before_and_after_a_wrong_try(browser):
    check(browser().get("/login").get_data(as_text=True))
    check(browser().sign_in("officer", "wrong").get_data(as_text=True))


@pytest.mark.parametrize(
    "broken",
    [
        "<html lang='zh-Hans'><h1>a</h1><h1>b</h1></html>",
        "<html lang='zh-Hans'><p>no head</p></html>",
        "<html><h1>a</h1></html>",
        "<html lang='zh-Hans'><h1 id='x'>a</h1><p id='x'>b</p></html>",
        "<html lang='zh-Hans'><h1>a</h1><input name='q'></html>",
        "<html lang='zh-Hans'><h1 style='color:red'>a</h1></html>",
        "<html lang='zh-Hans'><h1>a</h1><script>1</script></html>",
        "<html lang='zh-Hans'><h1>a</h1><img src='x'></html>",
    ],
)
def test_the_check_itself_catches_a_badly_made_page(broken):
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_Hans_CN"), ("zh", "zh_Hans_CN"), ("zh-Hans-HK", "zh_Hans_CN"),
        ("zh-TW", "zh_Hant_TW"), ("zh-HK,en", "zh_Hant_TW"), ("zh-Hant-HK", "zh_Hant_TW"), ("zh-Hant", "zh_Hant_TW"),
        ("zh-MO", "zh_Hant_TW"), ("zh-SG", "zh_Hans_CN"), ("en-GB", "en"), ("fr,en;q=0.5", "en"), ("fr", "zh_Hans_CN"),
        ("", "zh_Hans_CN"), ("fr;q=0.9,zh-TW;q=0.8", "zh_Hant_TW"),
    ],
)  # fmt: skip
def test_the_browsers_language_is_understood(app, header, locale):
    with app.test_request_context(headers={"Accept-Language": header}):
        from flask import request

        assert locale_of(request.accept_languages) == locale


def test_a_visitor_may_choose_a_language_and_a_person_keeps_one(browser, db):
    person = browser()
    person.get("/language?to=en")
    assert "Sign in" in person.get("/login").get_data(as_text=True)
    person.sign_in("officer")
    assert person.post("/me/language", {"locale": "zh_Hant_TW", "next": "/units"}).headers["Location"] == "/units"
    assert "單位" in person.get("/units").get_data(as_text=True)
    with db.read() as session:
        assert get_user(session, "officer").locale == "zh_Hant_TW"


def test_the_chart_is_a_picture_with_words_and_chinese_text(browser):
    answer = browser("auditor").get("/overview/chart.svg")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    svg = answer.get_data(as_text=True)
    assert "<title " in svg
    assert "<desc " in svg
    for word in ("编制数", "实有人数", "财政供养数", "市", "县"):
        assert word in svg
    narrow = browser("auditor").get("/overview/chart.svg?size=narrow").get_data(as_text=True)
    width = lambda text: float(re.search(r'width="([\d.]+)"', text)[1])
    assert width(narrow) < 500 < width(svg)


def test_an_unknown_quota_is_a_dash_and_in_no_rate(browser):
    page = browser("other").get("/overview").get_data(as_text=True)
    assert re.search(r"编制数</dt><dd>—", page)
    assert "在职人员控制率 —" in page


def test_a_mail_is_shown_in_a_sandbox(browser):
    answer = browser("admin").get("/mails/1/body")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    assert "sandbox" in browser("admin").get("/mails/1").get_data(as_text=True)


def test_static_files_are_our_own(app):
    from pathlib import Path

    names = {path.name for path in Path(app.static_folder).rglob("*") if path.is_file()}
    assert names == {"portal.css", "mark.svg", "api-docs.js"}
