"""D06 分项合计不符: parts against their total row, 小计 and 合计 against their rows.

定义：分项之和不等于合计行；文件里的小计、合计与其各行之和不等。
Flagged when parts do not add up to their total row; a 小计 or 合计 does not equal its rows.
无法判定：分项没有数字的不比。
Not evaluable: parts without a number are not compared.
"""

from tests.spec.spec import check


def test_parts_are_added_per_measure_scope_type_form_and_source():
    check(
        "D06",
        {
            "units": "unit | delivers\n T | COUNTS\n A | COUNTS\n B | COUNTS",
            "headcount": """
            unit | measure | type  | fund | scope        | count | part_of | source
            T    | PAID    | null  | null | YEAR_END_ALL | 128   |         | s1
            A    | PAID    | null  | null | YEAR_END_ALL | 66    | T       | s1
            B    | PAID    | null  | null | YEAR_END_ALL | 52    | T       | s1
            T    | IN_POST | ADMIN | FULL |              | 5     |         | s1
            T    | IN_POST | ADMIN | FULL |              | 6     |         | s2
            A    | IN_POST | ADMIN | FULL |              | 6     | T       | s2
            B    | IN_POST | ADMIN | FULL |              | 0     | T       | s2
            T    | QUOTA   | ADMIN | FULL |              | 5     |         | s1
            A    | QUOTA   | ADMIN | FULL |              | 4     | T       | s9
            T    | IN_POST | ADMIN | PART |              | 5     |         | s1
            A    | IN_POST | ADMIN | PART |              | null  | T       | s1
            T    | QUOTA   | ADMIN | PART |              | null  |         | s1
            A    | QUOTA   | ADMIN | PART |              | 3     | T       | s1
            A    | QUOTA   | ADMIN | SELF |              | 3     | T       | s1
            T    | QUOTA   | SUPPORT | FULL |            | 0     |         | null
            A    | QUOTA   | SUPPORT | FULL |            | 1     | T       | null
            """,
        },
        """
        unit | measure | scope            | type    | fund | source | expected | found | severity | division_code
        T    | PAID    | YEAR_END_ALL     |         |      | s1     | 128      | 118   | S4       | 370102
        T    | QUOTA   | ON_ESTABLISHMENT | ADMIN   | FULL | s1     | 5        | 4     | S4       | 370102
        T    | QUOTA   | ON_ESTABLISHMENT | SUPPORT | FULL |        | 0        | 1     | S4       | 370102
        """,
        not_evaluable="division | unit | book\n 370102 | T | headcount",
    )


def test_a_total_without_a_number_or_with_a_part_without_one_is_not_evaluable():
    check(
        "D06",
        {
            "units": "unit | delivers\n T | COUNTS\n A | COUNTS\n S | COUNTS\n B | COUNTS\n V | COUNTS\n C | COUNTS",
            "headcount": """
            unit | measure | type  | fund | count | part_of | source
            T    | QUOTA   | ADMIN | FULL | null  |         | s1
            A    | QUOTA   | ADMIN | FULL | 3     | T       | s1
            S    | QUOTA   | ADMIN | FULL | 5     |         | s1
            B    | QUOTA   | ADMIN | FULL | null  | S       | s1
            V    | QUOTA   | ADMIN | FULL | 0     |         | s1
            C    | QUOTA   | ADMIN | FULL | 0     | V       | s1
            V    | QUOTA   | ADMIN | PART | null  |         | s1
            """,
        },
        None,
        not_evaluable="division | unit | book\n 370102 | T | headcount\n 370102 | S | headcount",
    )


def test_what_a_total_has_of_its_own_unit_is_a_part_and_no_second_total():
    check(
        "D06",
        {
            "roster": "person | unit\n p1 | U1\n p2 | U2\n p3 | U2",
            "headcount": """
            unit | measure | type    | count | part_of | source
            U1   | IN_POST | ADMIN   | 3     |         | s1
            U1   | IN_POST | ADMIN   | 1     | U1      | s1
            U2   | IN_POST | ADMIN   | 2     | U1      | s1
            U1   | IN_POST | SUPPORT | 4     |         | s1
            U1   | IN_POST | SUPPORT | 1     | U1      | s1
            U2   | IN_POST | SUPPORT | 2     | U1      | s1
            U2   | QUOTA   | ADMIN   | 1     | U2      | s1
            U1   | QUOTA   | ADMIN   | null  | U1      | s1
            U3   | QUOTA   | ADMIN   | 5     | U1      | s1
            """,
        },
        "unit | type | expected | found | severity\n U1 | SUPPORT | 4 | 3 | S4",
        not_evaluable="",
    )


def test_figures_that_did_not_come_are_not_evaluable_there_and_below():
    check(
        "D06",
        {"units": "unit | by\n U1 | 370102\n U2 | 370100", "roster": "person | unit\n p1 | U1"},
        None,
        verdicts="division | book | state\n 370100 | headcount | refused\n 370103 | headcount | missing",
        not_evaluable="division | unit | book\n 370100 | * | headcount\n 370102 | * | headcount\n 370103 | * | headcount",
    )


def test_total_rows_of_accepted_files_are_held_against_what_they_add():
    check(
        "D06",
        {"roster": "person | unit\n p1 | U1"},
        """
        unit | division_code | book          | column | stated | expected | found | severity
             | 370102        | payroll       | amount | 100.5  | 100.5    | 99    | S4
             | 370102        | establishment | quota  | 0      | 0        | 7     | S4
        """,
        totals="""
        book          | column | kind | stated | computed
        payroll       | amount | 合计 | 100.5  | 99
        payroll       | amount | 小计 | 100.5  | 99
        payroll       | amount | 合计 | 12     | 12
        payroll       | amount | 合计 | null   | 12
        payroll       | amount | 合计 | 13     | null
        establishment | quota  | 合计 | 0      | 7
        headcount     | count  | 合计 | 1      | 2
        """,
    )
