"""What all results share: their type in every file, one loading for all, damage that is named, the notebook seam."""

import importlib
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_results import EVERY

import attnscope as ats
from attnscope.errors import DamagedFileError, InputError, NonFiniteError
from attnscope.results.base import TYPES, Result, class_of, load_result

SUFFIX = {"attention_maps": ".safetensors", "evaluation": ".jsonl"}


def test_every_type_is_one_class_and_is_tested_here() -> None:
    assert list(EVERY) == list(TYPES)
    for tag, one in EVERY.items():
        assert class_of(tag) is type(one)
        assert type(one).type == tag


def test_the_suffix_of_a_type_is_of_no_account_but_for_maps(tmp_path: Path) -> None:
    EVERY["comparison"].save(tmp_path / "x.txt")
    assert load_result(tmp_path / "x.txt") == EVERY["comparison"]
    EVERY["evaluation"].save(tmp_path / "rows.json")
    assert load_result(tmp_path / "rows.json") == EVERY["evaluation"]


@pytest.mark.parametrize("tag", TYPES)
def test_every_result_is_loaded_as_what_it_is(tag: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{SUFFIX.get(tag, '.json')}"
    EVERY[tag].save(path)
    back = ats.load_result(path)
    assert type(back) is type(EVERY[tag])
    assert back.to_dict() == EVERY[tag].to_dict()


@pytest.mark.parametrize("tag", TYPES)
def test_every_json_comes_back(tag: str, tmp_path: Path) -> None:
    document = EVERY[tag].to_json()
    assert list(json.loads(document))[:2] == ["schema", "type"]
    (tmp_path / "x.json").write_text(document, "utf-8")
    back = load_result(tmp_path / "x.json")
    if tag != "attention_maps":  # whose JSON has four digits
        assert back.to_json() == document
    assert back.to_dict()["type"] == tag


@pytest.mark.parametrize("tag", TYPES)
def test_another_type_is_refused_by_name(tag: str) -> None:
    other = EVERY["agreement" if tag == "attribution" else "attribution"]
    with pytest.raises(DamagedFileError, match=rf"there\.json.*its type is '{other.type}', not '{tag}'.*load_result"):
        type(EVERY[tag]).from_json(other.to_json(), "there.json")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON"),
        (b"not json", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "it has no schema number"),
        (b"{}", "it has no schema number"),
        (b'{"schema": 7, "type": "attribution"}', "its schema is 7 and this attnscope reads 1 and 2"),
        (b'{"schema": 2}', "its type is None, expected one of attribution, per_token"),
        (b'{"schema": 2, "type": ["attribution"]}', "its type is"),
        (b'{"schema": 2, "type": "agreement"}', "'results' is missing"),
        (b'{"schema": 2, "type": "agreement"} {}', r"something follows its JSON: '\{\}'"),
        (b'{"schema": 2, "type": "evaluation"}', "no metrics in its settings"),
        (b'{"schema": 2, "type": "evaluation", "settings": {"metrics": {}}}\n3\n{}', "line 2 of .*is not a row"),
    ],
)
def test_what_is_no_result_says_what_is_wrong(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=says) as refused:
        load_result(path)
    assert "x.json" in str(refused.value)


def test_a_missing_file_is_pythons_own_error(tmp_path: Path) -> None:
    for name in ("none.json", "none.safetensors"):
        with pytest.raises(FileNotFoundError):
            load_result(tmp_path / name)


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(NonFiniteError, match="the attribution holds a number that JSON does not have"):
        replace(EVERY["attribution"], provenance={"seconds": math.nan}).to_json()
    with pytest.raises(NonFiniteError, match="the attention_maps holds"):
        replace(EVERY["attention_maps"], statistics={"first": np.full((2, 3), np.inf)}).to_json()


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(EVERY["attribution"].to_json(), "utf-8-sig")
    assert load_result(tmp_path / "x.json") == EVERY["attribution"]


@pytest.mark.parametrize("tag", TYPES)
def test_a_notebook_shows_what_the_renderer_draws(tag: str) -> None:
    html = EVERY[tag]._repr_html_()
    assert html == importlib.import_module("attnscope.render").notebook_html(EVERY[tag])
    assert html.startswith("<iframe")


@pytest.mark.parametrize("tag", TYPES)
def test_every_table_has_columns_of_one_length(tag: str) -> None:
    one: Result = EVERY[tag]
    for of in (None, *one.tables):
        columns = one.columns(of)
        assert len({len(column) for column in columns.values()}) == 1, of
        assert all(column.ndim == 1 for column in columns.values())
    with pytest.raises(InputError, match=f"no table 'page' here; choose from {one.tables[0]}"):
        one.columns("page")


def test_data_loads_neither_torch_nor_a_renderer() -> None:
    homes = sorted({home.split(":")[0] for home in TYPES.values()})
    code = (
        f"import importlib, sys\nfor home in {homes}: importlib.import_module(home)\n"
        "bad = {n for n in sys.modules if n.split('.')[0] in ('torch', 'transformers', 'matplotlib', 'rich', 'pandas', "
        "'polars', 'pyarrow') or n.startswith('attnscope.render')}\nsys.exit(', '.join(sorted(bad)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
