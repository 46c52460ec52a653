"""Files of a folder are whole or not there, wherever the folder is."""

from pathlib import Path

import pyarrow as pa
import pytest

from attnscope.errors import DamagedFileError, MissingExtraError, OutputError
from attnscope.results.files import folder as module
from attnscope.results.files.folder import Folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    assert folder.is_empty()
    assert folder.json("survey.json") is None
    folder.write("words", "000001-b.parquet", pa.table({"x": [2]}))
    folder.write("words", "000000-a.parquet", pa.table({"x": [1]}))
    folder.write("texts", "000000-a.parquet", pa.table({"y": ["é"]}))
    folder.write_json("survey.json", {"text": "\ud800"})
    assert folder.names("words") == ["000000-a.parquet", "000001-b.parquet"]
    assert [table["x"].to_pylist() for table in folder.tables("words")] == [[1]], "a part without its texts is not done"
    assert folder.json("survey.json") == {"text": "\ud800"}
    assert not folder.is_empty()


def test_an_address_is_a_folder_too(tmp_path: Path) -> None:
    folder = Folder(f"file://{tmp_path}/out")
    folder.write("texts", "000000-a.parquet", pa.table({"y": [1]}))
    assert (tmp_path / "out/texts/000000-a.parquet").is_file()


def test_what_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path)
    folder.write("texts", "000000-a.parquet", pa.table({"y": [1]}))
    monkeypatch.setattr(folder, "_fs", _Full(folder._fs))
    with pytest.raises(OutputError, match="no space"):
        folder.write("texts", "000000-a.parquet", pa.table({"y": [2]}))
    assert [table["y"].to_pylist() for table in folder.tables("texts")] == [[1]]
    (left,) = (path for path in (tmp_path / "texts").iterdir() if path.name.startswith("."))
    assert folder.unfinished() == {"000000-a.parquet": [str(left)]}
    folder.remove([str(left)] * 2)
    assert folder.unfinished() == {}


class _Full:
    """A disk that is full when a file is to take its name."""

    def __init__(self, fs: object) -> None:
        self._fs = fs

    def __getattr__(self, name: str) -> object:
        return getattr(self._fs, name)

    def move(self, *_: str) -> None:
        raise OSError("no space")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/000000-a.parquet").write_bytes(b"PAR1 nonsense")
    (tmp_path / "survey.json").write_text("{")
    with pytest.raises(DamagedFileError, match="000000-a"):
        list(Folder(tmp_path).tables("texts"))
    with pytest.raises(DamagedFileError, match=r"survey\.json"):
        Folder(tmp_path).json("survey.json")


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(module.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"attnscope\[survey\]"):
        Folder("out")
