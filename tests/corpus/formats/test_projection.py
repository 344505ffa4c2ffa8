"""The columns of a table: found, checked and joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from support.refusals import message

if TYPE_CHECKING:
    from pathlib import Path


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as sink:
        sink.write_table(table)
    (tmp_path / "a.csv").write_text("text,text\na,b\n")
    for path in sorted(tmp_path.iterdir()):
        assert message(path, tmp_path) == f"{path}: there are two columns 'text': rename one"
