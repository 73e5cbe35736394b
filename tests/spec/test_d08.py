"""D08 时点不齐: files of one book and night that state different cut-off dates.

定义：同一夜同一批次的文件，自己写明的截止日期不同。
Flagged when the files of one book and night state different cut-off dates.
无法判定：没有写明日期的文件不比。
Not evaluable: files that state no date are not compared.
"""

from tests.spec.spec import check


def test_only_stated_dates_of_accepted_books_are_compared_over_all_divisions():
    check(
        "D08",
        {"roster": "person | unit | by\n p1 | U1 |\n p2 | U2 | 370103"},
        """
        book   | unit | division_code | expected | found                 | severity
        roster |      |               | -        | 2026-09-30;2026-10-15 | S4
        """,
        cutoffs="""
        book          | division | file | cutoff
        roster        |          | a    | 2026-10-15
        roster        |          | a    | 2026-10-15
        roster        | 370103   | b    | 2026-09-30
        payroll       |          | a    | 2026-10-15
        establishment |          | a    | 2026-10-15
        establishment |          | b    | 2026-10-15
        headcount     |          | a    | 2026-10-15
        headcount     |          | b    | 2026-10-16
        """,
    )
