"""A run that stops anywhere and starts again ends as one that was not stopped, to the last bit."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from planted import copy_tokenizer
from snapshot import forget_all
from tiny_models import small, tiny

import attnscope as ats
from attnscope.errors import InputError
from attnscope.results.files.folder import Folder


def _same(one: ats.Survey, other: ats.Survey) -> None:
    """The same tables, times aside; equals compares doubles bit for bit."""
    assert one.words().equals(other.words())
    assert one.texts().drop(["seconds"]).equals(other.texts().drop(["seconds"]))
    assert len(one.texts()) > 0


class Stopped(BaseException):
    """As if the machine went off."""


@pytest.mark.parametrize("moment", [0, 1, 2, 3, 6, 9])
def test_stopped_at_a_write_and_done_again(
    model: ats.Model, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    whole = ats.survey(model, texts, to=tmp_path / "whole", part_texts=8)
    writes = iter(range(100))
    write = Folder._write

    def stopping(self: Folder, folder: str, name: str, into: Any) -> None:
        number = next(writes)
        if number == moment:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f".{name}.half").write_bytes(b"PAR1")
            if moment % 4:
                write(self, folder, name, into)
            raise Stopped
        write(self, folder, name, into)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "_write", stopping)
        with pytest.raises(Stopped):
            ats.survey(model, texts, to=tmp_path / "stopped", part_texts=8)
    _same(ats.survey(model, texts, to=tmp_path / "stopped", part_texts=8), whole)
    assert not Folder(tmp_path / "stopped").unfinished()


_RUN = """
import sys, torch
torch.set_num_threads(1)
import attnscope as ats
ats.survey(ats.load(sys.argv[1]), sys.argv[2], to=sys.argv[3], part_texts=4)
"""


def test_killed_by_the_system_and_done_again(tmp_path: Path) -> None:
    net = tiny("llama", 2.0)
    net.save_pretrained(tmp_path / "model")
    copy_tokenizer().save_pretrained(tmp_path / "model")
    forget_all()  # saving settles some of its configuration
    lines = "\n".join("a b c d e f"[: 3 + 2 * (number % 5)] for number in range(240))
    (tmp_path / "texts.txt").write_text(lines)
    paths = [str(tmp_path / name) for name in ("model", "texts.txt", "killed")]
    folder = Folder(tmp_path / "killed")
    with subprocess.Popen([sys.executable, "-c", _RUN, *paths]) as running:
        while len(folder.names("texts")) < 3 and running.poll() is None:
            time.sleep(0.002)
        running.kill()
        assert running.wait() == -signal.SIGKILL
    done = folder.names("texts")
    assert 3 <= len(done) < 60
    before = {name: (tmp_path / "killed/texts" / name).stat().st_mtime_ns for name in done}
    model = ats.load(tmp_path / "model")
    again = ats.survey(model, tmp_path / "texts.txt", to=tmp_path / "killed", part_texts=4)
    _same(again, ats.survey(model, tmp_path / "texts.txt", to=tmp_path / "whole", part_texts=4))
    assert again.complete
    assert {name: (tmp_path / "killed/texts" / name).stat().st_mtime_ns for name in done} == before, "not done twice"


def test_a_folder_of_something_else_is_refused(model: ats.Model, texts: list[str], tmp_path: Path) -> None:
    ats.survey(model, texts, to=tmp_path / "out", part_texts=8)
    for given, message in (
        ({"method": "deletion"}, r"methods is \[\[.gradient., \{\}\]\] there and"),
        ({"labels": [" a", " b"]}, "labels is"),
        ({"part_texts": 9}, "part_texts is 8 there and 9 now"),
    ):
        with pytest.raises(InputError, match=message):
            ats.survey(model, texts, to=tmp_path / "out", **{"part_texts": 8, **given})  # type: ignore[arg-type]
    changed = [*texts[:9], "f f", *texts[10:]]
    with pytest.raises(InputError, match="its texts 8 to 15 differ"):
        ats.survey(model, changed, to=tmp_path / "out", part_texts=8)
    with pytest.raises(InputError, match="more data"):
        ats.survey(model, texts[:8], to=tmp_path / "out", part_texts=8)
    about = tmp_path / "out/survey.json"
    about.write_text(about.read_text().replace('"schema": 3', '"schema": 2'))
    with pytest.raises(InputError, match="tables are of schema 2 and those of this version of 3"):
        ats.survey(model, texts, to=tmp_path / "out", part_texts=8)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/a.txt").write_text("dear")
    with pytest.raises(InputError, match="no survey's folder"):
        ats.survey(model, texts, to=tmp_path / "letters")
    with pytest.raises(InputError, match="no texts"):
        ats.survey(model, [], to=tmp_path / "new")


def test_shards_make_the_same_folder(model: ats.Model, texts: list[str], tmp_path: Path) -> None:
    for shard in ("2/3", "1/3", "3/3"):
        made = ats.survey(model, texts, to=tmp_path / "shards", shard=shard, part_texts=4)
        assert made.complete == (shard == "3/3")
    _same(made, ats.survey(model, texts, to=tmp_path / "whole", part_texts=4))


def test_the_data_is_read_as_a_stream(model: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is written before the rows behind the next one are read."""
    written: list[int] = []
    write = Folder.write
    monkeypatch.setattr(Folder, "write", lambda self, *given: (written.append(1), write(self, *given)))

    def rows() -> Iterator[str]:
        for number in range(40):
            assert len(written) >= 2 * (number // 8 - 1)
            yield "a b c"

    ats.survey(model, rows(), to=tmp_path / "out", part_texts=8)
    assert len(written) == 10


def test_what_is_learnt_about_a_model_does_not_depend_on_where_a_run_begins(tmp_path: Path) -> None:
    """Its first text settles how it is run: a run that goes on has another first text."""
    texts = ["a b c d e f a b", "c d e f a b c", "a b", "b c", "a b c d e", "f a"]
    asked: dict[str, Any] = {"target": " d", "part_texts": 2}
    whole = ats.survey(small("llama", 2.0), texts, ["deletion", "gradient"], to=tmp_path / "whole", **asked)
    ats.survey(small("llama", 2.0), texts, ["deletion", "gradient"], to=tmp_path / "parts", shard="2/3", **asked)
    ats.survey(small("llama", 2.0), texts, ["deletion", "gradient"], to=tmp_path / "parts", shard="3/3", **asked)
    parts = ats.survey(small("llama", 2.0), texts, ["deletion", "gradient"], to=tmp_path / "parts", **asked)
    _same(parts, whole)
