"""Q03 混编混岗: a post type the unit's kind may not have.

定义：人员的编制类型不是该机构类别可用的类型（可用类型为带日期的参数）。
Flagged when the post type of somebody active is not allowed for the unit's kind (which types are is a dated parameter).
无法判定：实名制或机构缺报、退回；机构类别不在参数内或单位未登记；只报数字的单位。
Not evaluable: roster or units absent; the kind of the unit unknown; units that deliver counts.
"""

from tests.spec.spec import check


def test_types_are_held_against_the_units_kind_and_an_unknown_kind_is_not_evaluable():
    check(
        "Q03",
        {
            "units": """
            unit | kind        | delivers
            U1   | ORGAN       |
            U2   | REF_UNIT    |
            U3   | INSTITUTION |
            U4   | ORGAN       | COUNTS
            """,
            "roster": """
            person | unit | type              | fund | status
            p1     | U1   | INSTITUTION       |      |
            p1     | U1   | CIVIL_SERVICE_REF | PART |
            p2     | U1   | POLITICAL_LEGAL   |      |
            p3     | U2   | ADMIN             |      |
            p4     | U2   | CIVIL_SERVICE_REF |      |
            p5     | U3   | CONTROL_NUMBER    |      |
            p6     | U1   | CONTROL_NUMBER    |      | ON_LEAVE
            p7     | U1   | INSTITUTION       |      | RETIRED
            p8     | U1   | INSTITUTION       |      | OFF_QUOTA
            null   | U1   | INSTITUTION       |      |
            p9     | U4   | INSTITUTION       |      |
            pa     | X1   | INSTITUTION       |      |
            pb     | U3   | SUPPORT           |      |
            """,
        },
        """
        person | unit | type              | fund | expected                      | found                         | severity
        p1     | U1   | CIVIL_SERVICE_REF | PART | ADMIN;POLITICAL_LEGAL;SUPPORT | CIVIL_SERVICE_REF;INSTITUTION | S2
        p3     | U2   | ADMIN             | FULL | CIVIL_SERVICE_REF;SUPPORT     | ADMIN                         | S2
        p6     | U1   | CONTROL_NUMBER    | FULL | ADMIN;POLITICAL_LEGAL;SUPPORT | CONTROL_NUMBER                | S2
        """,
        not_evaluable="""
        division | unit | book
        370102   | U4   | roster
        370102   | X1   | units
        """,
    )
