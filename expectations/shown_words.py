"""What a sender calls a file, a worksheet or a column, as it may be shown: the office's own words stay, what may be somebody's
name or number does not (decision 0025). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

from core.identity import DOTS, normalise_name, strip_spaces
from expectations.books import BOOKS, WORDS, Book, fold, header_aliases

HIDDEN = "＊"
# A time may be written beside a date (14 digits); an identity number has 15 or 18, maybe with signs between.
_MOMENT = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[-_T]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?!\d)")
_LONG = re.compile(r"\d(?:[ ._-]?\d){14,}[Xx]?|\d{9,}[Xx]?")
_SHOWN_DIGITS = 4
_NUMBER = "[〇零一二三四五六七八九十百两]"
_COUNTING = re.compile(
    f"(?:第|{_NUMBER}|[年月日号季期批次份半上下])+|[和与及]?[省市县区乡镇]?第{_NUMBER}+|[和与及][省市县区乡镇]"
)
# Alone between words these are no name.
_JOINING = frozenset(
    "的和与及或按各共含新旧原年月日号份期批次第版表册省市县区乡镇村局委办厅部院所站队处科室校"
    "甲乙丙上中下左右一二三四五六七八九十元"
)
# A heading this near to a column's own name is told as that name, never as what was written.
_NEAR_LENGTH = 4

_OF_FILES = (
    "季度 年度 月度 上半年 下半年 名册 名单 清单 明细 明细表 汇总 汇总表 统计 统计表 报表 附表 附件 代码 代码表 说明 填报 "
    "填表说明 副本 补报 补充 补发 更正 修改 修订 修正 最终 最终版 定稿 终稿 初稿 草稿 报送 上报 批次 工作表 花名册 一览表 "
    "信息 信息表 基本信息 情况 情况表 登记表 调整 增减 增加 减少 变动 新增 人员 编制 工资 工资表 工资册 财政 供养 单位 机构 "
    "通讯录 数据 导出 备份 测试 样表 模板 全部 本级 直属 下属 合并 总表 分表 全省 全市 全县 全区 省直 市直 县直 区直 省级 市级 县级 "
    "区级 乡级 百元 千元 万元 亿元 重报 重新 再报 截至 截止 核对 反馈 盖章 签字 正式 临时 另附 其他 其它 封面 目录 图表"
)
_OF_OFFICES = (
    "机关 事业 行政 企业 党委 政府 人大 政协 纪委 监委 组织 组织部 宣传 统战 政法 政法委 编办 机构编制委员会办公室 党校 团委 "
    "妇联 工会 法院 检察院 发展和改革 发改 教育 科技 科学技术 工业和信息化 工信 民族 宗教 公安 民政 司法 财政局 "
    "人力资源和社会保障 人社 自然资源 规划 生态环境 环保 住房和城乡建设 住建 城管 城市管理 交通 交通运输 水利 水务 农业 "
    "农业农村 林业 商务 文化 文化和旅游 旅游 卫生 卫健 卫生健康 疾控 退役军人 事务 退役军人事务 应急 应急管理 审计 税务 "
    "市场监管 市场监督管理 统计局 医保 医疗保障 信访 体育 广电 档案 气象 地震 消防 机关事务 行政审批 政务服务 乡村振兴 "
    "公共资源 交易 公积金 社保 就业 学校 小学 中学 高中 初中 职校 大学 学院 幼儿园 医院 中医院 卫生院 中心 服务中心 办公室 "
    "委员会 街道 街道办 街道办事处 办事处 开发区 高新区 管委会 图书馆 博物馆 文化馆 执法 大队 支队 中队 总队 管理 服务 "
    "监督 保障 老干部 机要 保密"
)
_OF_HEADINGS = (
    "序号 编号 备注 性别 民族 出生 日期 时间 年龄 学历 学位 政治 面貌 政治面貌 籍贯 职务 职称 岗位 部门 科室 处室 电话 手机 "
    "号码 联系 联系人 联系方式 地址 住址 邮箱 邮编 参加 工作 审核 审批 负责人 经办人 填表人 填报人 拼音 合计 小计 总计 累计 "
    "津贴 补贴 奖金 扣款 应发 实发 基本 绩效 级别 档次 薪级 专业 毕业 院校 户籍 婚姻 状况 身份 类别 类型 性质 名称 简称 是否"
)
_RANKS_OF = "国家 国 部 省部 省 厅 厅局 司 局 地 市 县处 县 处 乡科 科 股 股所 所"
_OF_RANKS = (
    "级别 层次 巡视员 调研员 主任 主任科员 副主任科员 科员 办事员 职员 雇员 警长 警监 警督 警司 警员 警务 技术 技师 法官 检察官 "
    "法官助理 检察官助理 书记员 书记官 高级 正高级 副高级 中级 初级 特级 首席 工程师 经济师 会计师 农艺师 医师 护师 药师 教师 教授 副教授 "
    "讲师 助教 研究员 研究馆员 馆员 管理员 技术员 工人 技术工 普通工 管理岗 管理岗位 专技 专业技术 工勤技能 岗位 试用期 见习 见习期 "
    "正职 副职 领导 非领导 实职 相当 参照 执行 未定 未定级"
)
_OF_VALUES = (
    "补员 补充 增补 增员 减员 增人 缺编 空编 自然减员 招聘 招录 考录 录用 选调 转业 军转 安置 接收 引进 人才 急需 一线 专项 "
    "调动 调出 调入 调任 转任 转出 转入 转制 转为 改制 员额 辞职 辞退 辞聘 解聘 解除 合同 聘用 聘期 开除 除名 自动离职 退休 提前 "
    "病退 退职 离休 死亡 去世 病故 因公 牺牲 到龄 到期 期满 撤销 机构改革 划转 借调 挂职 返还 出国 出境 服役 服刑 "
    "年报 月报 季报 日报 快报 年鉴 年末 年终 月末 期末 统计年报 预算 决算 部门预算 部门决算 公开 公报 批复 文件 通知 通知单 台账 "
    "数据库 旧表 新表 原表 本表 系统 平台 门户 网站 接口 共享 比对 反馈 核查 举报 来信 社会保险 养老保险 医疗保险 工商 市场 登记 婚姻 殡葬 火化 公证 出入境 "
    "边检 移民 监狱 移送 省委 市委 县委 区委 单位 本单位 部门"
)
# Of words in Latin letters a heading may have only these, and what the books call their columns: anything else may be a name.
_LATIN = frozenset(
    {"ID", "NO", "NOTE", "NOTES", "REMARK", "REMARKS", "NAME", "CODE", "DATE", "TYPE", "TEL", "UNNAMED", "INDEX"}
)


@cache
def _heading_words() -> frozenset[str]:
    return frozenset(text for book in BOOKS.values() for text in header_aliases(book))


@cache
def _words() -> frozenset[str]:
    labels = {label for words in WORDS.values() for spellings in words.values() for label in spellings}
    listed = f"{_OF_FILES} {_OF_OFFICES} {_OF_HEADINGS}".split()
    listed += [f"{office}{kind}" for office in _OF_OFFICES.split() for kind in "局厅委办"]
    known = set(map(fold, [*labels, *listed, *(book.label for book in BOOKS.values())])) | _heading_words()
    return frozenset(word for word in known if len(word) > 1)


class _Part(NamedTuple):
    """A piece of a run of letters; `known`: it is a word that may be shown."""

    text: str
    known: bool


def hushed(text: str, known: Collection[str] = ()) -> str:
    """A file's or a worksheet's name with everything hidden that may be a person's: of letters that are no word of the
    office its first alone stays, as names are masked elsewhere, of nine digits and more the first four.

    known: further names that may be shown (of units and divisions). Latin letters, short numbers and signs stay.
    """
    if text.isascii():
        return _short_numbers(text)
    kept = ["".join(run) if not letters else _hushed_run("".join(run), known) for letters, run in _runs(text)]
    return _short_numbers("".join(kept))


def hushed_value(text: str, ranks: frozenset[str] = frozenset()) -> str:
    """Free text of a cell with everything hidden that may be a person's: ranks, reasons, origins stay as `hushed` says.

    A single letter stays: of a name more is shown. ranks: further words that are ranks. Spaces part no word from itself.
    """
    whole = strip_spaces(text)
    plain = whole if len(whole) == 1 else hushed(whole, _value_words(ranks))
    return text if plain == whole else plain


@lru_cache(maxsize=4)
def _value_words(ranks: frozenset[str]) -> frozenset[str]:
    heights = [f"{half}{rank}级" for rank in _RANKS_OF.split() for half in ("正", "副", "")]
    steps = [f"{number}{kind}" for number in "一二三四五六七八九十" for kind in "级等档"]
    return frozenset([*heights, *steps, *f"{_OF_RANKS} {_OF_VALUES}".split()]) | ranks


def unknown_letters(text: str) -> list[str]:
    """The runs of letters in a name that the office's words do not cover whole."""
    return [
        run for letters, chars in _runs(text) if letters
        for run in ("".join(chars),) if _hushed_run(run, ()) != run
    ]  # fmt: skip


def heading_shown(label: str) -> str | None:
    """A heading as it may be shown, or None: what is no word of a book or the office may be a person."""
    written = "".join(label.split())
    plain = unicodedata.normalize("NFKC", written)
    if fold(label) in _heading_words():
        return written
    latin = re.findall(r"[A-Za-z_]+", plain)
    if hushed(plain) != plain or any(word.upper() not in _LATIN | _heading_words() for word in latin):
        return None
    return written if re.search(r"[^\W\d_]", plain) else None


def unknown_heading(book: Book, label: str, place: int) -> str:
    """What a heading that names no column is called in a remark: itself where it may be shown, else where it stands and
    the column it comes near to. `place` from 0."""
    shown = heading_shown(label)
    if shown is not None:
        return shown
    near = _near(book, fold(label))
    return f"第{place + 1}列（{column_letter(place)}列，{f'像是“{near}”' if near else '未识别的表头'}）"


def heading_or_letter(label: str, place: int) -> str:
    """A heading where a sentence names one column by it: itself where it may be shown, else the column's letter."""
    return heading_shown(label) or column_letter(place)


def sheet_shown(name: str, number: int) -> str:
    """A worksheet's name where it may be shown, else its place in the workbook, from 1."""
    return name if hushed(name) == name else f"第{number}张"


def column_letter(place: int) -> str:
    """The letters of a column as spreadsheets count them; `place` from 0."""
    letters, rest = "", place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _runs(text: str) -> Iterator[tuple[bool, Iterator[str]]]:
    return groupby(text, _is_letter)


def _is_letter(char: str) -> bool:
    """Whether a character is of a word that is not Latin; dots stand within names, and nobody knows what is in private use."""
    plain = unicodedata.normalize("NFKC", char)
    if char == HIDDEN or (plain.isascii() and ord(char) not in DOTS):
        return False
    return ord(char) in DOTS or unicodedata.category(char)[0] in "LMC" or char == "〇"


def _hushed_run(run: str, known: Collection[str]) -> str:
    parts = _parts(run, known)
    beside_words = len(parts) > 1
    return "".join(
        part.text if part.known or _is_harmless(part.text, beside_words) else _masked(part.text) for part in parts
    )


def _is_harmless(gap: str, beside_words: bool) -> bool:
    if len(gap) == 1:
        return gap in _JOINING or (not beside_words and ord(gap) in DOTS)
    return _COUNTING.fullmatch(gap) is not None


def _masked(gap: str) -> str:
    return HIDDEN if len(gap) == 1 else gap[0] + HIDDEN * (len(gap) - 1)


def _parts(run: str, known: Collection[str]) -> list[_Part]:
    """A run of letters as words and what lies between them, so that the fewest letters are left over."""
    letters = [normalise_name(char) if len(normalise_name(char)) == 1 else char for char in run]
    text, words = "".join(letters).upper(), _words()
    text = text if len(text) == len(run) else run
    longest = max(map(len, [*words, *known]))
    # best[i]: (letters left over, pieces) of run[i:], and where its first piece ends; a gap is one letter at a time.
    best: list[tuple[int, int, int, bool]] = [(0, 0, len(run), False)] * (len(run) + 1)
    for at in range(len(run) - 1, -1, -1):
        left, pieces, _, _ = best[at + 1]
        best[at] = (left + 1, pieces + 1, at + 1, False)
        for end in range(at + 2, min(len(run), at + longest) + 1):
            if text[at:end] in words or run[at:end] in known:
                left, pieces, _, _ = best[end]
                best[at] = min(best[at], (left, pieces + 1, end, True), key=lambda one: one[:2])
    found: list[_Part] = []
    at = 0
    while at < len(run):
        _, _, end, is_word = best[at]
        if not is_word and found and not found[-1].known:
            found[-1] = _Part(found[-1].text + run[at:end], False)
        else:
            found.append(_Part(run[at:end], is_word))
        at = end
    return found


def _short_numbers(text: str) -> str:
    if not _LONG.search(text):
        return text
    moments = [found.span() for found in _MOMENT.finditer(text)]

    def short(found: re.Match[str]) -> str:
        inside = any(start <= found.start() and found.end() <= end for start, end in moments)
        return found[0] if inside else found[0][:_SHOWN_DIGITS] + HIDDEN

    return _LONG.sub(short, text)


def _near(book: Book, label: str) -> str | None:
    """The column whose label or alias one letter more, less or other would give."""
    near = {
        column.label for column in book.columns for spelling in (column.label, *column.aliases)
        if _is_near(fold(spelling), label)
    }  # fmt: skip
    return min(near) if len(near) == 1 else None


def _is_near(word: str, other: str) -> bool:
    if len(word) < _NEAR_LENGTH or abs(len(word) - len(other)) > 1:
        return False
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) == len(longer):
        return sum(a != b for a, b in zip(word, other, strict=True)) == 1
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
