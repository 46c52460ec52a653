"""The texts of a table, and what is said of a table that cannot be read."""

from pathlib import Path

import pytest

from attnscope.cli.options import Source
from attnscope.cli.tables.reading import Item, items_of
from attnscope.errors import InputError, TextError


@pytest.mark.parametrize(
    ("name", "content", "options", "says"),
    [
        ("t.csv", "a,b\n1,2\n", {}, "line 2 of .* has no 'text'; it has 'a', 'b': .*--text-column"),
        ("t.csv", "text,b\n1,2\n", {"target_column": "c"}, "has no 'c'"),
        ("t.csv", "text,b\n1,2,3\n", {}, "more cells"),
        ("t.csv", "text\n", {}, "has no texts"),
        ("t.jsonl", '{"text": "a"}\nx\n', {}, "line 2 of .* is not JSON"),
        ("t.jsonl", "[1]\n", {}, "is no text"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line(
    name: str, content: str, options: dict[str, str], says: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((InputError, TextError), match=says):
        items_of(Source(file=tmp_path / name, **options))


def test_a_column_alone_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("review\na\tb\n".replace("\tb", " b"))
    assert items_of(Source(file=tmp_path / "t.tsv")) == [Item("a b")]


def test_a_second_text_has_a_column_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,text_pair,other\na,b,c\nd,,e\n")
    assert items_of(Source(file=tmp_path / "t.csv")) == [Item("a", text_pair="b"), Item("d")]
    named = items_of(Source(file=tmp_path / "t.csv", pair_column="other"))
    assert [item.text_pair for item in named] == ["c", "e"]
