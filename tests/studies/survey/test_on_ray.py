"""On Ray: the rows of a run without it, also when a worker dies or the run is stopped; without Ray, a word about it."""

import importlib
import time
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import pytest

import attnscope as ats
from attnscope.errors import InputError, MissingExtraError
from attnscope.results.files.folder import Folder
from attnscope.studies.survey import on_ray
from attnscope.studies.survey.on_ray import Workers, _Actor, _Reader
from attnscope.studies.survey.reading import rows_of
from attnscope.studies.survey.rows import Columns


def test_a_reader_gives_rows_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(f"text {i}" for i in range(20)))
    rows = list(rows_of(tmp_path / "texts.txt", Columns()))
    reader = _Reader(str(tmp_path / "texts.txt"), Columns())
    assert reader.rows(4, 4) == tuple(rows[4:8])
    assert reader.rows(12, 4) == tuple(rows[12:16])
    assert reader.rows(0, 4) == tuple(rows[:4]), "a part that is done again"
    assert reader.rows(16, 4) == tuple(rows[16:])


def test_without_ray_it_says_what_to_install(model: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    with monkeypatch.context() as patch:
        patch.setattr(on_ray.importlib, "import_module", missing)
        with pytest.raises(MissingExtraError, match=r"attnscope\[ray\]"):
            on_ray._ray()
    with pytest.raises(InputError, match="'here' or 'ray'"):
        ats.survey(model, ["a b"], to=tmp_path / "out", engine="spark")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="concurrency=0"):
        Workers(0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_actors_and_a_worker_that_is_killed(model: ats.Model, tmp_path: Path) -> None:
    ray = importlib.import_module("ray")
    texts = ["a b c d e f"[: 3 + 2 * (number % 5)] for number in range(240)]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    ats.survey(model, tmp_path / "texts.txt", to=tmp_path / "ray", part_texts=4, shard="1/12")
    before = len(Folder(tmp_path / "ray").names("texts"))
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    killed: list[int] = []

    def kill() -> None:
        """One actor, as soon as there is a part of theirs."""
        while len(Folder(tmp_path / "ray").names("texts")) == before:
            time.sleep(0.02)
        for process in psutil.Process().children(recursive=True):
            if not killed and process.cmdline()[:1] and process.cmdline()[0].startswith("ray::MapWorker"):
                process.kill()
                killed.append(process.pid)

    killer = Thread(target=kill)
    killer.start()
    try:
        made = ats.survey(model, tmp_path / "texts.txt", to=tmp_path / "ray", part_texts=4, engine="ray")
        killer.join()
        assert killed
        assert made.complete
        here = ats.survey(model, texts, to=tmp_path / "here", part_texts=4)
        for of in ("words", "texts"):
            one, other = getattr(made, of)(), getattr(here, of)()
            same = [name for name in one.column_names if name not in ("seconds", "score", "value")]
            assert one.select(same).equals(other.select(same))
        np.testing.assert_allclose(made.words()["score"], here.words()["score"], atol=1e-6)
        for name in Folder(tmp_path / "ray").names("texts")[::3]:
            (tmp_path / "ray/texts" / name).unlink()
        again = ats.survey(model, texts, to=tmp_path / "ray", batch_size=4, engine="ray", concurrency=1)
        np.testing.assert_allclose(again.words()["score"], here.words()["score"], atol=1e-6)
        assert len(again.texts()) == len(texts)
    finally:
        ray.shutdown()
    assert _Actor
