"""Every book of DOMAIN §3 as data: columns, kinds, vocabularies, aliases, keys. The one home of all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from core import types as t
from core.identity import strip_spaces
from expectations.leader_headers import leader_headers


class Kind(StrEnum):
    """How a delivered text becomes a value. The snapshot type of each is in `SNAPSHOT_TYPES`."""

    TEXT = "text"  # outer spaces stripped; known words are kept, the rest hidden, but of a unit's names (decision 0029)
    NAME = "name"  # a person's: never blank-like, keyed and masked after the gate
    CODE = "code"  # joins: NFKC, spaces out, brackets made one
    ID = "id"  # identity number: keyed and masked after the gate
    SECRET = "secret"  # kept only in the raw copy
    COUNT = "count"  # whole number ≥ 0
    MONEY = "money"  # yuan delivered, integer cents kept; may be negative
    DATE = "date"  # with <name>_exact: false when only the month was given
    MONTH = "month"  # kept as the text YYYY-MM
    WORD = "word"  # of a closed vocabulary


# The label officials use comes first; what follows is accepted on the way in. The identifier itself always is.
WORDS: dict[type[StrEnum], dict[str, tuple[str, ...]]] = {
    t.PostType: {
        "ADMIN": ("行政", "行政编制", "公务员"),
        "POLITICAL_LEGAL": ("政法专项", "政法专项编制", "政法", "政法编制", "专项编制"),
        "CIVIL_SERVICE_REF": ("参公事业", "参公", "参公事业编制", "参照公务员法管理", "参公编制", "参公管理"),
        "INSTITUTION": ("事业", "事业编制"),
        "SUPPORT": ("工勤", "工勤编制", "机关工勤", "机关工勤编制", "后勤服务", "工勤人员"),
        "CONTROL_NUMBER": ("控制数/员额", "控制数", "员额", "人员控制数", "员额控制数"),
    },
    t.FundForm: {
        "FULL": ("全额拨款", "全额", "财政全额", "财政拨款", "全额财政拨款", "财政全额拨款"),
        "PART": ("差额补贴", "差额", "差额拨款", "财政补贴", "财政差额", "财政补助"),
        "SELF": ("自收自支/经费自理", "自收自支", "经费自理", "自理"),
    },
    t.UnitKind: {
        "ORGAN": ("党政机关", "机关", "行政机关"),
        "REF_UNIT": ("参公单位", "参公事业单位", "参照公务员法管理单位"),
        "INSTITUTION": ("事业单位",),
    },
    t.Level: {
        "PROVINCE": ("省", "省级"),
        "CITY": ("市", "市级", "地级", "地市级"),
        "COUNTY": ("县", "县级", "区", "区级", "区县", "县区级", "区县级"),
        "TOWNSHIP": ("乡", "乡级", "乡镇", "乡镇级", "镇", "街道", "乡镇街道"),
    },
    t.Delivers: {"PERSONS": ("人员",), "COUNTS": ("数字",)},
    t.CopyKind: {
        "LEDGER": ("台账", "账"),
        "CERTIFICATE": ("证", "管理证", "编制证", "机构编制管理证"),
        "DATABASE": ("库", "数据库", "实名制库"),
    },
    t.IdType: {
        "RESIDENT": ("居民身份证", "身份证", "居民身份证号", "1", "01"),
        "PASSPORT": ("护照",),
        "HK_MACAO": ("港澳", "港澳居民来往内地通行证", "港澳通行证", "港澳居民居住证"),
        "TAIWAN": ("台湾", "台湾居民来往大陆通行证", "台胞证", "台湾居民居住证"),
        "PERMANENT": ("永久居留", "外国人永久居留身份证", "外国人永久居留证", "永久居留证"),
    },
    t.PersonStatus: {
        "IN_SERVICE": ("在职", "在编在岗", "在岗", "在职在编"),
        "SECONDED_OUT": ("借调外出", "借调", "借出", "外借"),
        "ON_LEAVE": ("离岗/长休", "离岗", "长休", "长期病休", "长病休"),
        "RETIRED": ("退休", "已退休"),
        "LEFT": ("出编", "已出编", "离职", "调出"),
        "OFF_QUOTA": ("编外", "编外人员", "编外聘用"),
    },
    t.LeaderTier: {
        "CHIEF": ("正职", "单位正职"),
        "DEPUTY": ("副职", "单位副职"),
        "INNER_CHIEF": ("内设正职", "内设机构正职"),
        "INNER_DEPUTY": ("内设副职", "内设机构副职"),
    },
    t.EntryForm: {
        "EXAM": ("考录", "公务员考录", "考试录用"),
        "RECRUIT": ("公开招聘", "招聘", "事业单位公开招聘"),
        "TRANSFER": ("调入/转任/调任", "调入", "转任", "调任", "选调"),
        "PLACEMENT": ("政策性安置", "安置", "军转安置"),
        "APPOINT": ("任命", "选任", "委任"),
        "OTHER": ("其他", "其它"),
    },
    t.PersonState: {
        "IN_SERVICE": ("在职", "3"),
        "RETIRED": ("退休", "2"),
        "RETIRED_CADRE": ("离休", "1"),
        "TEMPORARY": ("临时", "临时人员", "临聘", "编外", "5"),
        "OTHER": ("其他", "其它", "9"),
    },
    t.YesNo: {"YES": ("是", "1", "Y", "TRUE", "在编"), "NO": ("否", "2", "0", "N", "FALSE", "不在编", "非在编")},
    t.Measure: {
        "QUOTA": ("编制数", "核定编制数", "编制"),
        "IN_POST": ("实有数", "实有人数", "实有", "在编人数"),
        "PAID": ("供养数", "财政供养数", "财政供养人数", "供养人数"),
    },
    t.Scope: {
        "ON_ESTABLISHMENT": ("在职在编", "在编在职", "在编"),
        "IN_SERVICE": ("在职",),
        "YEAR_END_ALL": ("年末实有", "年末实有人数", "年末"),
    },
    t.LeadKind: {
        "DEATH": ("死亡", "死亡人员"),
        "RETIREMENT": ("退休",),
        "OTHER_EMPLOYER": ("他处参保", "他处就业"),
        "BUSINESS": ("经商办企", "经商办企业", "经商"),
        "PRISON": ("服刑",),
        "ABROAD": ("出境", "出国境"),
    },
}
# The way money is secured has codes of its own in the payroll (DOMAIN §3, fund_mode).
FUND_MODE_CODES = {"1": "FULL", "2": "PART", "3": "SELF"}


@dataclass(frozen=True)
class Column:
    """One column. `required`: it must exist and its value be known (person_id: only exist). `default` fills a blank.
    `stacked`: what the group and the label below it read as in a merged header, where the label alone says too little."""

    name: str
    kind: Kind
    label: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    words: type[StrEnum] | None = None
    default: str | None = None
    stacked: tuple[str, ...] = ()

    def vocabulary(self) -> dict[str, str]:
        """Folded delivered text → identifier, for a WORD column."""
        assert self.words is not None
        table: dict[str, str] = {}
        for identifier, spellings in WORDS[self.words].items():
            for spelling in (identifier, *spellings):
                table[fold(spelling)] = identifier
        if self.name == "fund_mode":
            table.update(FUND_MODE_CODES)
        return table


@dataclass(frozen=True)
class Book:
    """One list an authority delivers. `total_columns` are the ones a 小计 or 合计 row states (D06)."""

    name: str
    label: str
    owner: str
    columns: tuple[Column, ...]
    total_columns: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def fold(text: str) -> str:
    """How headers and words are compared: NFKC, spaces out, upper case, brackets and their content out of headers."""
    return strip_spaces(text).upper()


def _id_columns() -> tuple[Column, ...]:
    return (
        Column("id_type", Kind.WORD, "证件类型", ("身份证件类型", "证件种类", "ZJLX"), words=t.IdType, default="RESIDENT"),
        Column(
            "person_id", Kind.ID, "身份证号",
            ("身份证号码", "公民身份号码", "公民身份证号码", "居民身份证号", "居民身份证号码", "证件号码", "证件号",
             "身份证件号码", "身份证", "SFZH", "SFZHM", "GMSFHM", "ZJHM", "SFZHAO"),
            required=True,
        ),
        Column("person_name", Kind.NAME, "姓名", ("人员姓名", "职工姓名", "XM", "RYXM"), required=True),
    )  # fmt: skip


def _unit(required: bool = True) -> Column:
    return Column(
        "unit_code", Kind.CODE, "机构编码",
        ("单位编码", "单位代码", "机构代码", "机构编号", "单位编号", "组织编码", "DWBM", "DWDM", "JGBM", "JGDM"), required,
    )  # fmt: skip


def _post_type(required: bool = True) -> Column:
    return Column(
        "post_type", Kind.WORD, "编制类型", ("编制类别", "编制性质", "所占编制类型", "占编类型", "BZLX", "BZLB", "BZXZ"),
        required, t.PostType,
    )  # fmt: skip


def _fund_form(required: bool = True) -> Column:
    return Column(
        "fund_form", Kind.WORD, "经费形式", ("经费来源", "经费类型", "拨款方式", "经费渠道", "JFXS", "JFLY", "JFLX"),
        required, t.FundForm,
    )  # fmt: skip


def _date(name: str, label: str, *aliases: str, required: bool = False) -> Column:
    return Column(name, Kind.DATE, label, aliases, required)


def _count(name: str, label: str, *aliases: str, required: bool = False) -> Column:
    return Column(name, Kind.COUNT, label, aliases, required)


def _leaders(name: str, tier: str, initials: str) -> Column:
    aliases, stacked = leader_headers(tier)
    return Column(name, Kind.COUNT, f"{tier}职数", (*aliases, initials), stacked=stacked)


def _code(name: str, label: str, *aliases: str, required: bool = False) -> Column:
    return Column(name, Kind.CODE, label, aliases, required)


def _text(name: str, label: str, *aliases: str, required: bool = False) -> Column:
    return Column(name, Kind.TEXT, label, aliases, required)


def _word(name: str, label: str, words: type[StrEnum], *aliases: str, required: bool = False) -> Column:
    return Column(name, Kind.WORD, label, aliases, required, words)


def _division() -> Column:
    return _code(
        "division_code", "行政区划代码", "行政区划", "区划代码", "行政区划编码", "XZQH", "XZQHDM", "QHDM", required=True
    )


BOOKS: dict[str, Book] = {
    book.name: book
    for book in (
        Book("units", "机构", "编办", (
            _unit(),
            _text("unit_name", "单位名称", "机构名称", "单位全称", "名称", "单位", "DWMC", "JGMC", required=True),
            _text("aliases", "简称", "单位简称", "机构简称", "别名", "JC", "DWJC"),
            _text("uscc", "统一社会信用代码", "社会信用代码", "信用代码", "TYSHXYDM", "XYDM"),
            _code("parent_code", "隶属单位编码", "上级单位编码", "上级机构编码", "隶属单位", "LSDWBM", "SJDWBM"),
            _code("supervising_code", "主管部门编码", "主管单位编码", "主管部门代码", "主管部门", "ZGBMBM", "ZGDWBM"),
            _division(),
            _word("level", "层级", t.Level, "机构层级", "单位层级", "行政层级", "CJ", "JGCJ", required=True),
            _word("unit_kind", "机构类别", t.UnitKind, "单位类别", "机构性质", "单位性质", "机构类型", "单位类型",
                  "JGLB", "DWLB", "DWXZ", "JGXZ", required=True),
            _text("org_rank", "机构规格", "单位规格", "机构级别", "单位级别", "JGGG", "DWGG", "JGJB"),
            _fund_form(required=False),
            _code("approval_doc", "批准文号", "成立批文", "设立文号", "批文文号", "批准成立文号", "PZWH"),
            _date("valid_from", "成立日期", "设立日期", "成立时间", "设立时间", "CLRQ"),
            _date("valid_to", "撤销日期", "注销日期", "撤销时间", "CXRQ"),
            Column("delivers", Kind.WORD, "报送方式", ("上报方式", "BSFS"), words=t.Delivers, default="PERSONS"),
        )),
        Book("establishment", "编制", "编办", (
            _unit(), _post_type(), _fund_form(),
            _count("quota", "编制数", "核定编制数", "核定编制", "编制", "编制总数", "BZS", "HDBZ", "HDBZS", required=True),
            _leaders("leaders_chief", "正职", "ZZZS"),
            _leaders("leaders_deputy", "副职", "FZZS"),
            _leaders("leaders_inner_chief", "内设正职", "NSZZZS"),
            _leaders("leaders_inner_deputy", "内设副职", "NSFZZS"),
            _code("doc_no", "文号", "批文文号", "编制文号", "批准文号", "文件号", "WH", "PWWH", required=True),
            _date("doc_date", "批准日期", "批文日期", "发文日期", "批准时间", "PZRQ"),
            _word("copy", "载体", t.CopyKind, "账证库", "数据载体", "来源载体", "ZT", required=True),
        ), total_columns=("quota",)),
        Book("roster", "实名制", "编办和人社", (
            *_id_columns(), _unit(), _post_type(), _fund_form(),
            _word("status", "人员状态", t.PersonStatus, "在职状态", "在编状态", "状态", "RYZT", "ZT", required=True),
            _code("seconded_to", "借调单位编码", "借调单位", "借调去向单位编码", "JDDWBM", "JDDW"),
            _word("leader_tier", "领导职务层次", t.LeaderTier, "领导层次", "领导职务", "LDZWCC", "LDZW"),
            _text("rank", "职级", "职务职级", "级别", "ZJ"),
            _word("entry_form", "进入方式", t.EntryForm, "入编方式", "进入形式", "进入途径", "JRFS", "RBFS"),
            _code("from_unit", "原单位编码", "来源单位编码", "调出单位编码", "YDWBM"),
            _word("from_level", "原单位层级", t.Level, "来源单位层级", "YDWCJ"),
            _word("from_fund_form", "原经费形式", t.FundForm, "原单位经费形式", "YJFXS"),
            _code("waiver_no", "豁免文号", "逆向流动批准文号", "HMWH"),
            _date("entry_date", "入编时间", "入编日期", "进入本单位时间", "RBSJ", "RBRQ"),
            _date("entry_registered", "入编登记时间", "入编登记日期", "入编手续办理时间", "RBDJSJ"),
            _code("permit_no", "用编通知单号", "用编许可号", "用编通知单", "用编批准文号", "YBTZDH"),
            _code("slot_no", "用编序号", "编制序号", "YBXH"),
            _code("loan_no", "周转借用号", "周转编制借用号", "ZZJYH"),
            _date("exit_date", "出编时间", "出编日期", "减员时间", "离编时间", "CBSJ", "CBRQ"),
            _text("exit_reason", "出编原因", "减员原因", "离编原因", "CBYY"),
            _date("exit_registered", "出编登记时间", "出编登记日期", "销编登记时间", "CBDJSJ"),
        )),
        Book("payroll", "财政供养", "财政", (
            Column("month", Kind.MONTH, "月份", ("工资月份", "发放月份", "所属月份", "期间", "YF", "GZYF"), True),
            *_id_columns(),
            _code("paying_unit_code", "发薪单位编码", "发薪单位", "发放单位编码", "单位编码", "单位代码", "机构编码",
                  "预算单位编码", "FXDWBM", "DWBM", required=True),
            _code("on_behalf_of", "代发单位编码", "代发单位", "被代发单位编码", "DFDWBM"),
            _word("fund_mode", "保障方式", t.FundForm, "经费保障方式", "供养方式", "经费形式", "BZFS", "JFBZFS", required=True),
            _word("person_state", "人员状态", t.PersonState, "人员类别", "供养人员类别", "人员性质", "RYZT", "RYLB", required=True),
            _word("on_establishment", "是否在编", t.YesNo, "在编标志", "是否占编", "SFZB", required=True),
            _word("unified_payroll", "是否统发", t.YesNo, "统发标志", "SFTF"),
            Column("amount", Kind.MONEY, "金额", ("发放金额", "应发金额", "应发工资", "应发合计", "金额(元)", "JE", "YFJE")),
            Column("account", Kind.SECRET, "账号", ("银行账号", "工资账号", "卡号", "银行卡号", "ZH", "YHZH")),
        ), total_columns=("amount",)),
        Book("headcount", "上报数", "各单位", (
            _unit(),
            _word("measure", "指标", t.Measure, "统计指标", "ZB", required=True),
            _post_type(required=False), _fund_form(required=False),
            _word("scope", "口径", t.Scope, "统计口径", "KJ", required=True),
            _count("count", "人数", "数量", "数值", "RS", "SL"),
            _code("part_of", "合计单位", "合计单位编码", "所属合计单位", "HJDW"),
            _text("source", "来源", "数据来源", "出处", "LY"),
        ), total_columns=("count",)),
        Book("permits", "用编通知单", "编办", (
            _code("permit_no", "用编通知单号", "通知单号", "用编许可号", "YBTZDH", required=True),
            _unit(), _post_type(), _fund_form(),
            _count("posts", "数量", "用编数量", "用编数", "批准数量", "SL", required=True),
            _date("approved_on", "批准日期", "批准时间", "PZRQ", required=True),
            _date("valid_until", "有效期至", "有效期", "有效期截止", "YXQZ", required=True),
            _text("purpose", "用途", "用编用途", "YT"),
            _word("source_of_people", "人员来源", t.EntryForm, "用编来源", "RYLY"),
        ), total_columns=("posts",)),
        Book("leads", "外部比对", "纪检监察和相关部门", (
            _word("kind", "类型", t.LeadKind, "线索类型", "比对类型", "LX", required=True),
            Column("person_id", Kind.ID, "身份证号", ("身份证号码", "公民身份号码", "证件号码", "证件号", "SFZH", "SFZHM", "GMSFHM"), True),
            _date("date", "日期", "发生日期", "时间", "RQ"),
            _text("source", "来源", "数据来源", "来源单位", "LY", required=True),
        )),
        Book("base", "基数", "编办", (
            _division(), _post_type(),
            _count("base_2012", "基数", "2012年底基数", "2012年基数", "JS"),
            _count("issued_total", "下达总数", "下达总量", "总量", "XDZS"),
            _count("base_paid", "供养基数", "财政供养基数", "GYJS"),
        )),
        Book("limits", "机构限额", "编办", (
            _division(),
            _word("unit_kind", "机构类别", t.UnitKind, "单位类别", "机构类型", "JGLB", required=True),
            _count("max_units", "机构限额", "限额", "机构数限额", "JGXE", required=True),
        )),
    )
}  # fmt: skip

PERSON_BOOKS = ("roster", "payroll", "leads")
# What every accepted row also carries: the folder that delivered it, the file, its row there (first row = 1).
PLACE_COLUMNS = {"delivered_by": "string", "file": "string", "row": "int64"}
SNAPSHOT_TYPES = {
    Kind.TEXT: "string", Kind.CODE: "string", Kind.WORD: "string", Kind.MONTH: "string",
    Kind.COUNT: "int64", Kind.MONEY: "int64", Kind.DATE: "date",
}  # fmt: skip


@cache
def snapshot_schema(book: str) -> dict[str, str]:
    """Columns and types of a book after the gate: what rules, oracle and spec tests read.

    person_id becomes person_key (null when blank), person_mask, id_problem; person_name becomes name_key, name_mask;
    amount is integer cents; a date also has <name>_exact; account is not kept. A birth date would give the mask away, so
    none is kept: roster and payroll have name_birth_key (keyed hash of name and birth date, null where one is unknown),
    the roster has age and statutory_age as texts, of those past their retirement age on the night's day and of no others.
    """
    schema: dict[str, str] = {}
    for column in BOOKS[book].columns:
        if column.kind is Kind.ID:
            schema |= {"person_key": "string", "person_mask": "string", "id_problem": "string"}
        elif column.kind is Kind.NAME:
            schema |= {"name_key": "string", "name_mask": "string", "name_birth_key": "string"}
        elif column.kind is Kind.DATE:
            schema |= {column.name: "date", f"{column.name}_exact": "boolean"}
        elif column.kind is not Kind.SECRET:
            schema[column.name] = SNAPSHOT_TYPES[column.kind]
    if book == "roster":
        schema |= {"age": "string", "statutory_age": "string"}
    return schema | PLACE_COLUMNS


def header_aliases(book: Book) -> dict[str, str]:
    """Folded header → column name. A column's own name and label win over another column's alias."""
    table: dict[str, str] = {}
    for spellings in (lambda c: (c.name, c.label), lambda c: c.aliases, lambda c: c.stacked):
        for column in book.columns:
            for spelling in spellings(column):
                table.setdefault(fold(spelling), column.name)
    return table


def book_of(stem: str) -> str | None:
    """The book a file name stands for: `roster-2.csv` → roster; the Chinese name serves too."""
    head = fold(stem.split("-")[0]).lower()
    names: Iterable[Book] = BOOKS.values()
    return next((book.name for book in names if head in (book.name, fold(book.label).lower())), None)


QUARANTINE_SCHEMA = {
    "book": "string", "division_code": "string", "file": "string", "row": "int64", "column": "string", "reason": "string",
    "unit_code": "string", "post_type": "string", "fund_form": "string", "shown": "string",
}  # fmt: skip
TOTALS_SCHEMA = {
    "book": "string", "division_code": "string", "file": "string", "row": "int64", "kind": "string", "column": "string",
    "stated": "string", "computed": "string",
}  # fmt: skip
CUTOFFS_SCHEMA = {"book": "string", "division_code": "string", "file": "string", "cutoff": "date"}
