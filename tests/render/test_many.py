"""Many results as a table or a folder of pages."""

from pathlib import Path

import pytest
from drawn_results import RESULTS, result

import attnscope as ats
from attnscope.errors import InputError, OutputError
from attnscope.render.many import checked_output, index, page_names
from attnscope.results.collection import Failed, Results

FAILED = Failed("<b>&", "TextError", "it is <i>empty</i>")
MANY = Results([RESULTS["script"], FAILED, RESULTS["japanese"]])


def test_a_folder_of_pages_and_one_that_leads_to_them(tmp_path: Path) -> None:
    out = ats.save(MANY, tmp_path / "pages", dark=True)
    assert sorted(path.name for path in out.iterdir()) == ["0.html", "2.html", "index.html"]
    page = (out / "index.html").read_text("utf-8")
    assert 'href="0.html"' in page
    assert 'href="1.html"' not in page
    assert "3 results, 1 texts failed" in page
    assert "it is &lt;i&gt;empty" in page
    assert page.count("<script") == 2  # Japanese, and what sets it
    assert 'data-theme="dark"' in page
    ats.save(MANY, f"{out}/")  # the same pages again


def test_any_list_of_results_is_a_table(tmp_path: Path) -> None:
    one, other = result("a b"), result("c d")
    for results in ([one, other], (one, other), iter([one, other])):
        path = ats.save(results, tmp_path / "all.csv")
        assert len(path.read_text().splitlines()) == 5


def test_what_is_no_table_and_no_folder_is_answered_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no single \.html: write a table \(.csv, .jsonl, .parquet\) or a folder"):
        ats.save(MANY, tmp_path / "all.html")
    with pytest.raises(OutputError, match="does not exist"):
        ats.save(MANY, tmp_path / "no" / "pages")
    (tmp_path / "file").write_text("old")
    with pytest.raises(OutputError, match="it is a file"):
        checked_output(tmp_path / "file")
    with pytest.raises(InputError, match="a list with a str in it"):
        ats.save([result("a b"), "x"], tmp_path / "all.csv")
    with pytest.raises(InputError, match="takes no options"):
        ats.save(MANY, tmp_path / "all.csv", dark=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_pages_are_in_order_by_name_too() -> None:
    names = page_names(12)
    assert names == sorted(names)
    assert b"of nothing" not in index(Results([]))
