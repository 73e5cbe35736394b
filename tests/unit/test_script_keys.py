"""Keys of files of acts: one per table, file and row."""

from pool.acts import DEEDS
from pool.script import Row


def test_two_tables_of_acts_share_no_key_whatever_the_file_is_called():
    for file in ("acts.csv", "办理.csv"):
        pool, gate = (Row(file, 3, DEEDS["grant"], "office", {}, table=table).client_id for table in ("", "gate/"))
        assert pool != gate
        assert len(gate) <= 100
        assert gate.isascii()
