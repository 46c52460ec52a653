"""Weights of heads as a file."""

from pathlib import Path

import pytest

from attnscope.errors import DamagedFileError
from attnscope.results.citation.head_weights import HeadWeights

WEIGHTS = HeadWeights("tiny", ((0, 2), (3, 1)), (0.5, -0.25, 1e-9), 24, 0.75, {"torch": "2"})


def test_a_file_gives_them_back(tmp_path: Path) -> None:
    WEIGHTS.save(tmp_path / "heads.json")
    assert HeadWeights.load(tmp_path / "heads.json") == WEIGHTS


@pytest.mark.parametrize(
    ("document", "message"),
    [("{}", "no weights of heads"), ("nothing", "not JSON"), ('{"type": "head_weights"}', "'model' is missing")],
)
def test_another_file_is_refused(tmp_path: Path, document: str, message: str) -> None:
    (tmp_path / "x.json").write_text(document)
    with pytest.raises(DamagedFileError, match=message):
        HeadWeights.load(tmp_path / "x.json")


def test_every_head_has_a_weight(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 weights for 3 heads"):
        HeadWeights("tiny", ((0, 3),), (1.0, 2.0), 1, 0.0)
    path = tmp_path / "heads.json"
    WEIGHTS.save(path)
    path.write_text(path.read_text().replace("[0.5, ", "["))
    with pytest.raises(DamagedFileError, match="2 weights for 3 heads"):
        HeadWeights.load(path)
