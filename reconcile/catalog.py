"""RULES: code, name, severity, grain, the books each needs, basis in law. The one table about rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DECREE = "地方各级人民政府机构设置和编制管理条例（国务院令第486号）"
ENTRY = ("person_key", "unit_code", "entry_date")


@dataclass(frozen=True)
class Rule:
    """One rule of DOMAIN §4.

    `severities`: every one it may answer, the usual first. `grain`: keys of its grain, in order. `books`: what must be
    accepted for a unit's division before the rule can judge. `countable`: whether expected and found are numbers.
    `person`: a rule about people (not evaluable for count-only units). `restricted`: leads on a person, for two named
    reviewers alone: in no mail, no report, and nobody else's list.
    """

    code: str
    name: str
    severities: tuple[str, ...]
    grain: tuple[str, ...]
    books: tuple[str, ...]
    countable: tuple[bool, bool]
    basis: str
    person: bool = False
    restricted: bool = False


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule("Q01", "超编", ("S2",), ("unit_code",), ("roster", "establishment"), (True, True), DECREE + "第六条"),
        Rule("Q02", "分类超编", ("S2",), ("unit_code", "post_type"), ("roster", "establishment"), (True, True),
             DECREE + "第六条、第十五条"),
        Rule("Q12", "经费挤占", ("S3",), ("unit_code", "post_type", "fund_form"), ("roster", "establishment"), (True, True),
             DECREE + "第六条"),
        Rule("Q03", "混编混岗", ("S2",), ("person_key", "unit_code"), ("roster", "units"), (False, False),
             DECREE + "第十五条", person=True),
        Rule("Q04", "超职数", ("S2",), ("unit_code", "leader_tier"), ("roster", "establishment"), (True, True),
             DECREE + "第六条", person=True),
        Rule("Q05", "超规格", ("S2",), ("person_key", "unit_code"), ("roster", "units"), (False, False), DECREE + "第二十六条",
             person=True),
        Rule("Q06", "私设机构", ("S2",), ("unit_code",), ("units", "establishment", "roster", "payroll"), (False, False),
             DECREE + "第二十六条"),
        Rule("Q07", "账证库不一致", ("S3",), ("unit_code", "post_type", "fund_form"), ("establishment",), (True, False),
             "机构编制工作条例"),
        Rule("Q08", "总量突破", ("S1",), ("division_code", "post_type"), ("base", "establishment"), (True, True),
             DECREE + "第十六条"),
        Rule("Q09", "跨层级违规", ("S1",), ("movement_no",), ("position",), (False, False), DECREE + "第十八条"),
        Rule("Q10", "长期空编", ("S4",), ("unit_code", "post_type", "fund_form"), ("position",), (True, True),
             "机构编制工作条例"),
        Rule("Q11", "机构限额", ("S2",), ("division_code", "unit_kind"), ("limits", "units"), (True, True),
             DECREE + "第二十六条"),
        Rule("P01", "未批先进", ("S2",), ENTRY, ("roster",), (False, False), DECREE + "第六条", person=True),
        Rule("P02", "满编进人", ("S2",), ENTRY, ("roster", "establishment"), (True, True), DECREE + "第六条", person=True),
        Rule("P03", "许可过期或超用", ("S3",), ("permit_no",), ("roster", "permits"), (True, True), DECREE + "第六条",
             person=True),
        Rule("P04", "逾期入编登记", ("S3",), ENTRY, ("roster",), (True, True), "机构编制工作条例", person=True),
        Rule("P05", "逾期减员销编", ("S3", "S1"), ("person_key", "unit_code", "exit_date"), ("roster",), (True, True),
             "机构编制工作条例", person=True),
        Rule("P06", "凡进必考", ("S3",), ENTRY, ("roster",), (False, False), "公务员法第二十七条", person=True),
        Rule("P07", "逆向流动", ("S3",), ENTRY, ("roster",), (False, False), "机构编制工作条例", person=True),
        Rule("F01", "有薪无编", ("S1", "S4"), ("person_key",), ("payroll", "roster"), (True, True),
             "财政违法行为处罚处分条例第六条", person=True),
        Rule("F02", "有编无薪", ("S3", "S4"), ("person_key", "unit_code"), ("roster", "payroll"), (True, True),
             DECREE + "第二十三条", person=True),
        Rule("F03", "离编未停薪", ("S1", "S4"), ("person_key",), ("payroll", "roster"), (True, False),
             "财政违法行为处罚处分条例第六条", person=True),
        Rule("F04", "死亡仍发薪", ("S1",), ("person_key",), ("payroll", "leads"), (True, False),
             "财政违法行为处罚处分条例第六条", person=True),
        Rule("F05", "一人多薪", ("S1",), ("person_key",), ("payroll",), (True, True),
             "财政违法行为处罚处分条例第六条", person=True),
        Rule("F06", "吃空饷疑点", ("S1",), ("person_key",), ("payroll", "leads"), (False, False),
             "财政违法行为处罚处分条例第六条", person=True, restricted=True),
        Rule("F07", "经费形式不符", ("S2",), ("person_key", "unit_code"), ("roster", "payroll"), (False, False),
             DECREE + "第六条", person=True),
        Rule("F08", "发薪单位不符", ("S3",), ("person_key", "unit_code"), ("roster", "payroll"), (False, False),
             DECREE + "第二十三条", person=True),
        Rule("F09", "三数不符", ("S2", "S1"), ("unit_code",), ("roster", "payroll", "establishment"), (True, True),
             DECREE + "第二十三条"),
        Rule("F11", "只减不增", ("S2",), ("division_code",), ("payroll",), (True, True), DECREE + "第十六条"),
        Rule("D01", "一人占两编", ("S2",), ("person_key",), ("roster",), (True, True), DECREE + "第六条", person=True),
        Rule("D02", "身份证号无效", ("S4",), ("person_key", "book", "unit_code"), ("roster", "payroll"), (False, False),
             DECREE + "第二十三条", person=True),
        Rule("D03", "同号异名", ("S3", "S4"), ("person_key",), ("roster", "payroll"), (False, False),
             DECREE + "第二十三条", person=True),
        Rule("D04", "到龄未退", ("S4",), ("person_key", "unit_code"), ("roster",), (False, False), "公务员法", person=True),
        Rule("D05", "统计不实", ("S2", "S4"), ("unit_code", "measure", "post_type", "fund_form", "source"),
             ("headcount", "roster", "payroll", "establishment"), (True, True), DECREE + "第二十三条"),
        Rule("D06", "分项合计不符", ("S4",), ("total",), (), (True, True), DECREE + "第二十三条"),
        Rule("D07", "状态与日期矛盾", ("S4",), ("person_key", "unit_code"), ("roster",), (False, False),
             DECREE + "第二十三条", person=True),
        Rule("D08", "时点不齐", ("S4",), ("book",), (), (False, False), DECREE + "第二十三条"),
    )
}  # fmt: skip
# Leads on people: for two named reviewers, in no mail and in no report for others (DOMAIN §4, F06).
RESTRICTED = tuple(code for code, rule in RULES.items() if rule.restricted)


def tells_of_lead(rule: str, unit_code: str, book: str) -> bool:
    """Whether a not-evaluable row says of one unit that somebody in it has a lead, the day of which is not known."""
    return rule in RESTRICTED and book == "leads" and unit_code != "*"
