"""On Ray: the rows of a run without it, also when a worker dies or the run is stopped; without Ray, a word about it."""

import importlib
import time
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
import torch

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


class _Ray:
    """Ray's calls, in this process."""

    data: "_Ray"

    def __init__(self) -> None:
        self.data, self.items = self, list[Any]()

    context = SimpleNamespace(enable_progress_bars=True)
    DataContext: Any = SimpleNamespace(get_current=lambda: _Ray.context)

    def ActorPoolStrategy(self, size: int) -> int:  # noqa: N802 -- as Ray calls it
        return size

    def get(self, shared: Any) -> Any:
        return shared

    put = get

    def from_items(self, items: list[Any], override_num_blocks: int) -> "_Ray":
        assert override_num_blocks == len(items)
        assert not self.context.enable_progress_bars, "a dataset keeps the settings that it is made with"
        self.items = items
        return self

    def map(self, actor: type, fn_constructor_args: tuple[Any], **how: Any) -> "_Ray":
        assert how["compute"] == 3
        self.made = [actor(*fn_constructor_args)(item) for item in self.items]
        return self

    def iter_rows(self) -> list[Any]:
        return self.made


@pytest.mark.parametrize("files", [True, False])
def test_actors_write_the_parts_of_a_run_without_ray(
    model: ats.Model, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: bool
) -> None:
    ray, threads = _Ray(), torch.get_num_threads()
    monkeypatch.setattr(on_ray, "_connected", lambda _workers: ray)
    monkeypatch.setattr(on_ray, "_ray", lambda: ray)
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    data: Any = tmp_path / "texts.txt" if files else texts
    ats.survey(model, data, to=tmp_path / "ray", part_texts=8, shard="1/2")
    made = ats.survey(model, data, to=tmp_path / "ray", batch_size=8, engine="ray", concurrency=3)
    torch.set_num_threads(threads)
    assert ray.context.enable_progress_bars, "afterwards all is as it was"
    assert [item["number"] for item in ray.items] == [1, 3], "what is there is not done again"
    assert made.words().equals(ats.survey(model, data, to=tmp_path / "here", part_texts=8).words())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_actors_and_a_worker_that_is_killed(model: ats.Model, tmp_path: Path) -> None:
    ray = importlib.import_module("ray")
    texts = ["a b c d e f"[: 3 + 2 * (number % 5)] for number in range(240)]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    killed: list[int] = []

    def kill() -> None:
        """One actor, as soon as there is a part."""
        while not Folder(tmp_path / "ray").names("texts"):
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
        again = ats.survey(model, tmp_path / "texts.txt", to=tmp_path / "ray", part_texts=4, engine="ray")
        np.testing.assert_allclose(again.words()["score"], here.words()["score"], atol=1e-6)
        assert len(again.texts()) == len(texts)
    finally:
        ray.shutdown()
    assert _Actor
