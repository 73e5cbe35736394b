"""D02 身份证号无效: what is wrong with a number, per person, book and unit; blanks per book and unit.

定义：居民身份证号空白，或位数、字符、出生日期、校验码不对（实名制、发薪）。
Flagged when a resident id is blank, or wrong in length, characters, birth date or check digit, in roster or payroll.
无法判定：该名册缺报、退回；只报数字的单位。
Not evaluable: the book absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_every_book_and_unit_answers_for_itself_and_blanks_answer_together():
    check(
        "D02",
        {
            "roster": """
            person | unit | id_problem  | status    | type           | id_type
            p1     | U1   | CHECK_DIGIT |           |                |
            p1     | U1   | CHECK_DIGIT | LEFT      | SUPPORT        |
            p1     | U2   | CHECK_DIGIT |           |                |
            p2     | U1   | LENGTH      | OFF_QUOTA |                |
            p3     | U1   | BIRTH_DATE  |           | CONTROL_NUMBER |
            p4     | U1   | null        |           |                | PASSPORT
            null   | U1   |             |           | SUPPORT        |
            null   | U1   |             | RETIRED   |                |
            null   | U2   |             | OFF_QUOTA |                |
            """,
            "payroll": """
            person | payer | on_behalf_of | id_problem  | month   | state
            p1     | U1    |              | CHECK_DIGIT |         |
            p5     | U2    | U1           | CHARSET     |         | RETIRED
            p6     | U1    |              | LENGTH      | 2026-09 |
            null   | U2    |              |             |         |
            """,
        },
        """
        person | book    | unit | type           | fund | expected | found       | severity
        p1     | roster  | U1   | ADMIN          | FULL | -        | CHECK_DIGIT | S4
        p1     | roster  | U2   | ADMIN          | FULL | -        | CHECK_DIGIT | S4
        p3     | roster  | U1   | CONTROL_NUMBER | FULL | -        | BIRTH_DATE  | S4
               | roster  | U1   | ADMIN          | FULL | -        | BLANK       | S4
        p1     | payroll | U1   |                |      | -        | CHECK_DIGIT | S4
        p5     | payroll | U1   |                |      | -        | CHARSET     | S4
               | payroll | U2   |                |      | -        | BLANK       | S4
        """,
    )


def test_one_book_missing_leaves_the_other_s_findings_and_keeps_the_rule_uncovered():
    check(
        "D02",
        {"roster": "person | unit | id_problem\n p1 | U1 | LENGTH"},
        "person | book | found\n p1 | roster | LENGTH",
        verdicts="book | state\n payroll | refused",
        not_evaluable="division | unit | book\n 370102 | * | payroll",
    )
