"""What follows a prompt: given or generated, and its place in the text."""

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from tiny_models import tiny
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.models.inputs.continuation import continued
from attnscope.models.inputs.encode import encode
from attnscope.models.inputs.generation import ends
from attnscope.text.inputs import Reading


def test_a_generation_is_greedy(smollm2: ats.Model) -> None:
    encoded = encode(smollm2.tokenizer, "The capital of Japan is")
    found = continued(smollm2, encoded, generate=5)
    ids = torch.tensor([encoded.inputs["input_ids"]])
    for identity in found.ids:
        with torch.no_grad():
            assert identity == int(smollm2.model(input_ids=ids).logits[0, -1].argmax())
        ids = torch.cat([ids, torch.tensor([[identity]])], 1)
    assert found.encoded.text == encoded.text + found.text
    assert found.encoded.inputs["input_ids"] == ids[0].tolist()


@pytest.mark.parametrize(("text", "target"), [("The film is", " very good"), ("熊本県の", "天気😀"), ("a", "b")])
@pytest.mark.parametrize("chat", [False, True])
def test_a_continuation_stands_in_the_text(smollm2: ats.Model, text: str, target: str, chat: bool) -> None:
    encoded = encode(smollm2.tokenizer, Reading(chat).one(text))
    found = continued(smollm2, encoded, target)
    between = "\n\n" if chat else ""
    assert found.encoded.text == text + between + target
    assert smollm2.tokenizer.decode(found.ids) == target
    assert len(found.encoded.tokens) == found.prompt + len(found.ids) == len(found.encoded.inputs["attention_mask"])
    start = len(text + between)
    for token in found.encoded.tokens[found.prompt :]:
        assert start <= token.start < token.end <= len(found.encoded.text)
    for word in found.encoded.words:
        assert {i < found.prompt for i in word.tokens} in ({True}, {False})


def test_a_generation_ends_before_the_models_end_and_at_its_positions() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    encoded = encode(model.tokenizer, "a b c")
    ids = continued(model, encoded, generate=6).ids
    assert len(ids) == 6
    model.model.generation_config.eos_token_id = [63, ids[3]]
    assert continued(model, encoded, generate=6).ids == ids[: ids.index(ids[3])]
    assert ends(model) == {63, ids[3]}
    long = encode(model.tokenizer, " ".join("a" * 94))
    model.model.generation_config.eos_token_id = None
    assert len(continued(model, long, generate=6).ids) == 2, "the model has 96 positions"


def test_what_cannot_be_continued() -> None:
    model = ats.Model(tiny("bert"), copy_tokenizer())
    with pytest.raises(ModelError, match="does not continue a text"):
        continued(model, encode(model.tokenizer, "a b"), " c")
    model = ats.Model(tiny("llama"), copy_tokenizer())
    with pytest.raises(InputError, match="is not a text"):
        continued(model, encode(model.tokenizer, "a b"), "")


def _bert_tokenizer() -> hf.PreTrainedTokenizerFast:
    """WordPiece with [CLS] and [SEP], as Chinese GPT-2 models have it: each Chinese character is a token."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cast", "##le", "##les", "##s", "are", *"天气很好北京"]
    backend = Tokenizer(models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )


def test_a_causal_model_with_a_bert_tokenizer() -> None:
    torch.manual_seed(0)
    tokenizer = _bert_tokenizer()
    net = hf.GPT2LMHeadModel(
        hf.GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, bos_token_id=2, eos_token_id=3)
    ).eval()
    model = ats.Model(net, tokenizer)

    found = continued(model, encode(tokenizer, "cast"), "les are")  # inside a word
    assert tokenizer.convert_ids_to_tokens(found.encoded.inputs["input_ids"]) == ["[CLS]", "cast", "##les", "are"]
    assert [token.text for token in found.encoded.tokens] == ["[CLS]", "cast", "les", "are"]
    assert found.encoded.text == "castles are"

    with torch.no_grad():  # whatever stands before, the model goes on in Chinese
        net.lm_head.weight = torch.nn.Parameter(net.lm_head.weight.clone())
        net.lm_head.weight[:9] *= 0
    found = continued(model, encode(tokenizer, "天气"), generate=3)
    assert found.encoded.inputs["input_ids"][:3] == [2, *tokenizer.convert_tokens_to_ids(["天", "气"])]
    assert found.text == "".join(tokenizer.convert_ids_to_tokens(found.ids))
    assert [token.text for token in found.encoded.tokens[3:]] == list(found.text)
