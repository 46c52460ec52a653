"""What a model writes is what transformers' own greedy generation writes, in every kind of model."""

import copy

import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from tiny_models import HYBRID, SIZE, small, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, TextTooLongError
from attnscope.models.inputs.continuation import continued
from attnscope.models.inputs.encode import encode
from attnscope.models.inputs.generation import checked_count, decoder_start, decoder_text, generated

TEXT = "a b c d e f"


def written(model: ats.Model, count: int) -> list[int]:
    """By transformers: what follows the prompt, or all that a decoder has from its start on."""
    inputs = model.tokenizer(TEXT, return_tensors="pt")
    ids = model.model.generate(**inputs, max_new_tokens=count, do_sample=False, num_beams=1)[0].tolist()
    return ids if model.model.config.is_encoder_decoder else ids[inputs["input_ids"].shape[1] :]


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma3", "bloom", "t5", "bart"])
def test_a_generation_is_transformers_own(family: str) -> None:
    model = small(family)
    assert generated(model, encode(model.tokenizer, TEXT).inputs, 6) == written(model, 6)


@pytest.mark.parametrize("family", sorted(HYBRID))
def test_a_hybrids_states_and_places_go_on(family: str) -> None:
    model_class, config_class, settings, _ = HYBRID[family]
    torch.manual_seed(0)
    model = ats.Model(getattr(hf, model_class)(getattr(hf, config_class)(**settings)).eval(), copy_tokenizer())
    assert list(continued(model, encode(model.tokenizer, TEXT), generate=6).ids) == written(model, 6)


@pytest.mark.parametrize(
    "settings",
    [
        {"forced_bos_token_id": 9},
        {"forced_eos_token_id": 8},
        {"suppress_tokens": [3, 5, 7]},
        {"min_length": 5, "eos_token_id": [11, 12]},
        {"repetition_penalty": 9.0},
        {"no_repeat_ngram_size": 1},
        {"do_sample": True, "temperature": 9.0, "num_beams": 3},
    ],
)
@pytest.mark.parametrize("family", ["llama", "t5"])
def test_a_models_own_settings_hold(family: str, settings: dict[str, object]) -> None:
    model = small(family)
    for name, value in settings.items():
        setattr(model.model.generation_config, name, value)
    expected = written(model, 5)
    ids = generated(model, encode(model.tokenizer, TEXT).inputs, 5)
    assert ids == expected
    if "forced_bos_token_id" in settings and family == "t5":
        assert ids[1] == 9


@pytest.mark.parametrize("family", ["llama", "t5", "bart"])
def test_the_tokens_of_a_generation_add_up_to_the_whole(family: str) -> None:
    model = small(family)
    model.model.generation_config.forced_bos_token_id = 9
    model.model.generation_config.eos_token_id = None
    whole = ats.explain(model, TEXT, "gradient", generate=4)
    each = ats.explain(model, TEXT, "gradient", generate=4, per_token=True)
    assert sum(target.value for target in each.targets) == pytest.approx(whole.measured.value, rel=1e-4)
    assert len(each.targets) == 4
    assert each.scores.shape[0] == 4


def test_what_the_decoder_reads_is_what_the_model_makes_of_labels() -> None:
    """mBART's labels end with the language code, and its decoder begins with it."""
    sizes = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "decoder_start_token_id": 2}
    torch.manual_seed(0)
    model = ats.Model(
        hf.MBartForConditionalGeneration(hf.MBartConfig(vocab_size=64, **sizes, **heads)).eval(), copy_tokenizer()
    )
    ids = model.tokenizer("e f g")["input_ids"]
    found = decoder_text(model, encode(model.tokenizer, TEXT), "e f g")
    assert found.read == (ids[-1], *ids[:-1])
    with torch.no_grad():
        loss = model.model(**model.tokenizer(TEXT, return_tensors="pt"), labels=torch.tensor([ids])).loss.item()
    found_loss = ats.explain(model, TEXT, "gradient", target="e f g", quantity="loss").measured.value
    assert found_loss == pytest.approx(loss, rel=1e-4)


def test_a_decoder_begins_with_what_the_model_says() -> None:
    net = copy.deepcopy(tiny("t5"))
    assert decoder_start(net) == 0
    net.config.decoder_start_token_id = net.generation_config.decoder_start_token_id = None
    with pytest.raises(ModelError, match="which token its decoder starts with"):
        decoder_start(net)


def test_a_target_longer_than_the_decoder_is_refused() -> None:
    with pytest.raises(TextTooLongError, match="the decoder takes 96"):
        ats.explain(small("bart"), TEXT, "gradient", target=" ".join("a" * 97))


def test_a_model_that_needs_a_picture_is_refused_by_name() -> None:
    torch.manual_seed(0)
    text = hf.BertConfig(**SIZE)
    net = hf.VisionEncoderDecoderModel(
        hf.VisionEncoderDecoderConfig(
            encoder=hf.ViTConfig(**{**SIZE, "num_hidden_layers": 1, "image_size": 8, "patch_size": 4}).to_dict(),
            decoder={**text.to_dict(), "is_decoder": True, "add_cross_attention": True},
        )
    ).eval()
    net.config.decoder_start_token_id, net.config.pad_token_id = 1, 0
    with pytest.raises(ModelError, match="VisionEncoderDecoderModel does not run on this text alone"):
        ats.explain(ats.Model(net, copy_tokenizer()), TEXT, "gradient", target="e f")


@pytest.mark.parametrize("count", [0, -1, 2.0, None, True])
def test_a_number_of_tokens(count: object) -> None:
    with pytest.raises(InputError, match="1 or more"):
        checked_count(count)


@pytest.mark.slow
def test_flan_t5_writes_old_for_alten(flan_t5: ats.Model) -> None:
    """A word of the answer is attended from where it is predicted, and rests on the word that it translates."""
    text, answer = "translate German to English: Er hat einen alten Hund.", "He has an old dog."
    inputs = {"input_ids": torch.tensor([encode(flan_t5.tokenizer, text).inputs["input_ids"]])}
    ids = flan_t5.model.generate(**inputs, max_new_tokens=12, do_sample=False, num_beams=1)[0].tolist()
    assert generated(flan_t5, encode(flan_t5.tokenizer, text).inputs, 12) == ids
    asked = {"target": answer, "per_token": True}
    removed = ats.explain(flan_t5, text, method="deletion", signed=True, **asked)
    texts = [target.text for target in removed.targets]
    old = texts.index("old")
    assert texts[-1] == "</s>"
    whole = ats.explain(flan_t5, text, "gradient", target=answer).measured.value
    assert sum(target.value for target in removed.targets) == pytest.approx(whole, rel=1e-4)
    # The decoder reads "an" where it writes "old".
    row = ats.attention(flan_t5, text, layer=6, head=2, stack="cross", target=answer, query=old)
    words = [word.text for word in row.words]
    assert words[int(row.scores.argmax())] == "alten"
    assert row.scores.max() > 0.8
    for method in ("deletion", "gradient"):
        found = ats.explain(flan_t5, text, method=method, **asked)
        assert words[int(np.abs(found.scores[old]).argmax())] == "alten", method
