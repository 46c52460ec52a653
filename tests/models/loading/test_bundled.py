"""The bundled model: fetched under a checksum, converted once, whole or not at all."""

import io
import sys
import threading
from pathlib import Path

import pytest
import torch

import attnscope as ats
from attnscope.errors import DownloadError
from attnscope.models.loading import bundled


def test_the_bundled_model_answers(smollm2: ats.Model) -> None:
    ids = smollm2.tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of Japan?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    with torch.no_grad():
        generated = smollm2.model.generate(**ids, max_new_tokens=8, do_sample=False)
    assert "Tokyo" in smollm2.tokenizer.decode(generated[0, ids["input_ids"].shape[1] :])


def test_the_cache_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATTNSCOPE_CACHE", str(tmp_path / "elsewhere"))
    assert bundled.cache() == tmp_path / "elsewhere"
    assert bundled.cached() == bundled._from_hub()


def test_a_conversion_happens_once_and_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Several starters at once: one works, the others wait; a failure leaves nothing."""
    monkeypatch.setenv("ATTNSCOPE_CACHE", str(tmp_path))
    package = "budoux==0.10.1 --hash=sha256:" + "0" * 64
    monkeypatch.setattr(bundled, "_install", lambda _package, into: into.mkdir())
    calls = []

    def convert(_unpacked: Path, out: Path) -> None:
        calls.append(out)
        assert not (tmp_path / "thing").exists()
        out.mkdir()
        (out / "config.json").write_text("{}")

    def fail(_unpacked: Path, out: Path) -> None:
        out.mkdir()
        raise OSError("no space left")

    with pytest.raises(DownloadError, match="no space left"):
        bundled.converted("thing", package, fail)
    assert [p.name for p in tmp_path.iterdir()] in ([], ["thing.lock"])
    starters = [threading.Thread(target=bundled.converted, args=("thing", package, convert)) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(calls) == 1
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")) == ["thing"]


@pytest.mark.parametrize("stderr", ["a file", "a notebook's", "none"])
def test_a_wrong_checksum_is_refused(stderr: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fetched and checked wherever standard error goes: a notebook's may be no file, a program's may not be there."""
    monkeypatch.setenv("ATTNSCOPE_CACHE", str(tmp_path))
    if stderr != "a file":
        monkeypatch.setattr(sys, "stderr", io.StringIO() if stderr == "a notebook's" else None)
    with pytest.raises(DownloadError, match=r"could not fetch budoux==0\.10\.1"):
        bundled.converted("thing", "budoux==0.10.1 --hash=sha256:" + "0" * 64, lambda _u, _o: None)
    assert not [p for p in tmp_path.iterdir() if not p.name.endswith(".lock")]
