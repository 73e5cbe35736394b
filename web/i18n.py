"""Three languages. Source strings are Simplified Chinese; the two catalogues are read from their .po files directly,
so that no compiled file can be stale."""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, request
from flask_babel import Babel, Domain, get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import LanguageAccept

from core.accounts import LOCALES
from core.calendar import WEEKDAYS_NOTE
from pool.approvals import SENTENCES as POOL_MOVE_SENTENCES
from pool.policies import SENTENCES as POOL_SENTENCES
from reconcile.lifecycle import SENTENCES, Decision
from staffing.flow import FLOW_SENTENCES
from staffing.principles import SENTENCES as USE_SENTENCES

CATALOGUES = Path(__file__).parent / "translations"
SOURCE = "zh_Hans_CN"
COOKIE = "bianzhi_lang"
# What each language calls itself, and its tag for the page.
NAMES = {"zh_Hans_CN": "简体中文", "zh_Hant_TW": "繁體中文", "en": "English"}
TAGS = {"zh_Hans_CN": "zh-Hans", "zh_Hant_TW": "zh-Hant", "en": "en"}


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> NullTranslations:
    """The messages of a locale; the source language needs none."""
    path = CATALOGUES / locale / "LC_MESSAGES" / "messages.po"
    if locale == SOURCE or not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=locale)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(fp=compiled)


class Catalogues(Domain):
    """Flask-Babel's domain over our own reader."""

    def get_translations(self) -> NullTranslations:
        return catalogue(str(get_locale()))


def register(app: Flask, timezone: str) -> None:
    """Attach Flask-Babel with our locale choice."""
    attached = Babel(app, default_locale=SOURCE, default_timezone=timezone, locale_selector=chosen_locale)
    # Its constructor takes only a domain's name; the cached property takes ours.
    attached.domain_instance = Catalogues()
    app.jinja_env.globals.update(language_tag=language_tag, language_names=NAMES)


def chosen_locale() -> str:
    """Signed in: the person's own. Else what was clicked, else what the browser asks for."""
    viewer = g.get("viewer")
    if viewer is not None and viewer.locale in LOCALES:
        return viewer.locale
    clicked = request.cookies.get(COOKIE)
    return clicked if clicked in LOCALES else locale_of(request.accept_languages)


def locale_of(accepted: LanguageAccept) -> str:
    """The first language of the browser's list that we speak, else Simplified Chinese.

    Subtags decide: Hant, and TW, HK, MO without Hans, are Traditional; every other Chinese is Simplified.
    """
    for tag, _quality in accepted:
        subtags = tag.lower().replace("_", "-").split("-")
        if subtags[0] in ("zh", "yue"):
            traditional = "hant" in subtags or ("hans" not in subtags and {"tw", "hk", "mo"} & set(subtags))
            return "zh_Hant_TW" if traditional else SOURCE
        if subtags[0] == "en":
            return "en"
    return SOURCE


def language_tag() -> str:
    """The page's lang attribute."""
    return TAGS.get(str(get_locale()), TAGS[SOURCE])


# Sentences other rooms fill in before they raise them; recognised again here, so that they can be shown translated.
FILLED = (
    *SENTENCES.values(),
    "这条不符项已由 {name} 办理“{move}”，请刷新后再办理。",
    "理由和依据合计不得超过 {limit} 字。",
    "没有账号 {login}",
    "没有角色 {role}；可用的有 {roles}",
    "没有层级 {level}；可用的有 {levels}",
    "不能按 {sort} 排序",
    "{division} 应报的{book}（{name}）缺报",
    "{division} 应报的{book}（{name}）被退回",
    "核验不成立：{proof}（{detail}）",
    "新增不符项 {count} 条，超过设定的跳变限度，待人放行",
    *POOL_MOVE_SENTENCES.values(),
    *POOL_SENTENCES.values(),
    "{place}尚未建账，须先建账才能启用用编登记。",
    "{place}自 {day} 起建账，启用日不得早于这一天。",
    "{code} 没有划入任何序号或编制。",
    "单位登记簿中没有 {code}；新单位须先随 units 批次登记，再办分设。",
    "{slot} 不是{place}的用编序号。",
    "{day} 的{what}只有 {has} 个，不够 {needs} 个。",
    "{day} 第 {lot} 批闲置的周转编制只有 {has} 个，不够划回 {needs} 个；这一批已借出 {lent} 个，申请预占 {asked} 个。",
    "{node}的{bound}为 {limit} 个，现有余量 {before} 个，办理后为 {after} 个，超出 {short} 个。",
    "可借的闲置周转编制只有 {has} 个，不够 {needs} 个。",
    "已有 {ahead} 件申请共 {asked} 个在等候这种编制，现有闲置 {idle} 个，须排队等候。",
    "这件申请已由 {name} 办理，现为“{status}”。",
    "调整后{node}的{tree} 缺口将增加 {short} 个。",
    "{node}只出借 {lends} 个时，{above}的缺口将增加 {short} 个；出借上限至少须为 {least} 个。",
    "用编序号 {slot} 还有人，须先减编或置换。",
    "{day} 以前仍可入编，不能收回；需提前收回的，由出借方发收回通知。",
    "用编序号 {slot} {status}（{day}），不能再次归还。",
    "这个用编序号已于 {day} 到期，不能入编。",
    "这笔借用可归还的空额只有 {has} 个，不能归还 {needs} 个。",
    "出借方借给该单位、可以收回的编制只有 {has} 个，不能收回 {needs} 个。",
    "编制数不得超过 {most}。",
    "该类编制只核定了 {has} 个，不能核减 {needs} 个。",
    "来源须为：{sources}。",
    "行政和政法专项编制由{giver}（{from_level}）划到{taker}（{to_level}）是跨层级划转，须有中央编办批准文号；取得后填写该文号再办。",
    "申请待批的只有 {held} 个，不能批准 {granted} 个。",
    "{node}已有账目，不能再次开账。",
    "“{kind}”不能冲正。",
    "后来的第 {later} 笔以这笔为依据，不能冲正。",
    "归还的编制已另有用途（后来的第 {movement} 笔“{kind}”，{node}），不能冲正归还。",
    "归还的编制为出借方保留，等待退回（{slots}），不能冲正归还。",
    "用编序号 {slot} 续借后已归还（第 {movement} 笔），不能冲正续借。",
    "用编序号 {slot} 续借后已发收回通知，到期日 {due} 以续借为依据，不能冲正续借。",
    "用编序号 {slot} 在原到期日 {due} 之后入编（第 {movement} 笔），不能冲正续借。",
    "置换后的用编序号 {slot} 已登记在用编执行中，不能冲正置换。",
    "该人员已在用编序号 {slot} 上，须先减编，才能冲正。",
    "这笔借用已续借 {count} 次，不能再续。",
    "续借期限须为 1 至 {longest} 个月。",
    "单个文件不得超过 {most} MB。",
    "“{label}”不出核定编制通知单。",
    *(sentence for sentence in USE_SENTENCES.values() if not sentence.startswith("{flow")),
    *FLOW_SENTENCES.values(),
    "请填写同意解除的理由。",
    "请填写用编理由（至多 4000 字）。",
    "请填写不予许可的理由。",
    "请填写减编原因。",
    "请填写撤销预报的理由。",
    "请填写撤销减编的理由。",
    "请填写撤销许可的理由。",
    "请填写豁免的理由。",
    "请填写退回的理由。",
    "请填写增人理由。",
    "请填写沟通意见。",
    "{slot} 的{kind}尚未登记，先登记再解除。",
    "没有文号为 {number} 的豁免。",
    "这份通知单由{receiver}签收。",
    "通知单{status}，不能签收。",
    "{taker}按机构类别只能使用：{words}。",
    "{slot} 已预报减编，须先撤销预报才能划转。",
    "还有在办的用编申请或许可（{number}），须先办结或撤销。",
    "用编通知单 {permit} 是另一个单位的，不能在本单位入编。",
    "用编通知单 {permit} 许可的编制类型或经费形式不同，不能据以入编。",
    "用编通知单 {permit} 的 {posts} 个编制已全部用完。",
    "入编时间须在许可之日（{granted}）以后、今天以前。",
    "用编通知单 {permit} 有效期至 {until}，{day} 入编已过期。",
    "该人员在原编制上至 {until} 才减编，入编不能更早。",
    "用编序号 {slot} 已有人入编，一编一人。",
    "出一进一：{slot} 减编之后才能入编{more}。",
    "{entry} 入编，不能从 {month} 起核发工资。",
    "账上该类编制在编 {people} 人，已登记 {known} 人，没有未登记的人员。",
    "已有人按用编通知单 {permit} 在这个空额上入编，减编不能撤销。",
    "豁免 {number} 已登记。",
    "本单位有 {count} 件入编或减编逾期未登记（{slot} 应于 {due} 前登记），登记之前不能申报计划。",
    WEEKDAYS_NOTE,
    "本单位有 {count} 件入编或减编逾期登记，须经编委主任同意解除后才能申报计划。",
    "该层次领导职数 {leader_posts} 个，现有 {leaders} 人，再配 {posts} 人超出 {over} 个，不能同意。",
    "{year} 年计划 {other} 尚未决定，请先撤回或等待。",
    "通过数须在 0 与申报数 {posts} 之间。",
    "这件已由 {name} 办理，现为“{status}”。",
    "按配置标准应有 {standard} 个，核定 {quota} 个，超标准 {over} 个，不能收回 {needs} 个。",
)


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Each filled sentence as a pattern whose groups are its values."""
    made = []
    for template in FILLED:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(template))
        for name in set(re.findall(r"\(\?P<(\w+)>", pattern)):
            first, *again = pattern.split(f"(?P<{name}>.+?)")
            pattern = first + f"(?P<{name}>.+?)" + f"(?P={name})".join(again)
        made.append((re.compile(pattern), template))
    return made


def translate(message: str) -> str:
    """A sentence of another room (its source is Chinese) in the reader's language; an unknown one as it is."""
    translated = _(message)
    if translated != message:
        return translated
    for pattern, template in _patterns():
        match = pattern.fullmatch(message)
        if match:
            return _(template).format(**{name: _(value) for name, value in match.groupdict().items()})
    said, begins, years = message.rpartition(WEEKDAYS_NOTE.partition("{")[0])
    return f"{translate(said)} {translate(begins + years)}" if said else message


def translate_decision(decision: Decision) -> str:
    """Why a move may or may not be made, in the reader's language."""
    return _(decision.msgid).format(**{name: _(value) for name, value in decision.values.items()})
