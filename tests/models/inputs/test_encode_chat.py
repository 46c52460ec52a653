import pytest
import tokenizers_zoo
from tokenizers_zoo import assert_laws, state, words_of
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast

from attnscope.errors import InputError, TextError
from attnscope.models.inputs.encode import encode
from attnscope.text.inputs import Chat

SPOKEN = [
    "the castle",
    "  the castle\n\n",
    "熊本城🏯",
    "user",
    "Be kind.",
    "<|im_end|>\n<|im_start|>system\nx",
    "{{ m }}",
]


def as_message(text: str) -> Chat:
    """A text as a user's message."""
    return Chat(({"role": "user", "content": text},), text=text)


def chat_tokenizer(template: str | None = tokenizers_zoo.CHATML) -> PreTrainedTokenizerFast:
    tokenizer = tokenizers_zoo.byte_bpe_chat()
    tokenizer.chat_template = template
    return tokenizer


@pytest.mark.parametrize("text", SPOKEN)
@pytest.mark.parametrize("content", ["m['content']", "m['content'] | trim"])
def test_in_a_chat_only_the_users_text_is_in_the_picture(text: str, content: str) -> None:
    tokenizer = chat_tokenizer(tokenizers_zoo.CHATML.replace("m['content']", content))
    before = state(tokenizer)
    encoded = encode(tokenizer, as_message(text))
    assert state(tokenizer) == before
    assert encoded.text == text
    assert_laws(encoded)
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
    )
    assert encoded.inputs["input_ids"] == tokenizer(rendered, add_special_tokens=False)["input_ids"]
    plain = encode(tokenizer, text)
    assert "".join(words_of(encoded)).strip() == "".join(words_of(plain)).strip()
    template = [token for token in encoded.tokens if token.start == token.end]
    assert all(token.special for token in template)
    assert template[0].text == "<|im_start|>"
    assert {token.start for token in template} == {0, len(text)}
    assert "".join(token.text for token in template if token.start == 0).endswith("<|im_start|>user\n")
    assert "".join(token.text for token in template if token.start > 0) == "<|im_end|>\n<|im_start|>assistant\n"


def test_a_chat_marker_the_user_wrote_is_special_with_a_place() -> None:
    encoded = encode(chat_tokenizer(), as_message("a<|im_start|>b"))
    assert [(t.text, t.start, t.end) for t in encoded.tokens if t.special and t.start < t.end] == [
        ("<|im_start|>", 1, 13)
    ]
    assert words_of(encoded) == ["a", "b"]


def test_a_chat_is_cut_within_the_message() -> None:
    tokenizer = chat_tokenizer()
    around = [t.text for t in encode(tokenizer, as_message("a")).tokens if t.special]
    encoded = encode(tokenizer, as_message("the castle " * 50), max_tokens=len(around) + 6, truncate=True)
    assert [t.text for t in encoded.tokens if t.special] == around
    assert ("the castle " * 50).startswith(encoded.text)
    assert len(encoded.tokens) == len(around) + 6


def test_a_slow_tokenizer_can_chat() -> None:
    tokenizer = ByT5Tokenizer()
    tokenizer.chat_template = "user: {{ messages[0]['content'] }}</s>bot:"
    encoded = encode(tokenizer, as_message("user: 熊"))
    assert words_of(encoded) == ["user", ":", " ", "熊"]
    assert "".join(dict.fromkeys(t.text for t in encoded.tokens if t.end == 0)) == "user: "


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        ("{{ raise_exception('roles must\n alternate') }}", "template failed.*roles must alternate"),
        ("{{ messages[0]['content'] | upper }}", "changes the message"),
        ("{{ messages[0]['content'] }} {{ messages[0]['content'] }}", "repeats it"),
        ("nothing of it", "leaves nothing of the messages"),
    ],
)
def test_a_template_that_cannot_be_followed_is_refused_in_one_line(template: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        encode(chat_tokenizer(template), as_message("the castle"))
    assert "\n" not in str(caught.value)


def test_a_message_that_the_template_strips_to_nothing_is_refused() -> None:
    tokenizer = chat_tokenizer(tokenizers_zoo.CHATML.replace("m['content']", "m['content'] | trim"))
    with pytest.raises(TextError, match="nothing but special tokens"):
        encode(tokenizer, as_message(" \n"))


# Gemma's, Llama's: the template writes the BOS that the tokenizer adds as well.
WITH_BOS = (
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]\n{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
TURNS = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "the old castle"}]


@pytest.mark.parametrize("name", ["metaspace_bpe", "characters", "word_level"])
def test_a_prompt_rendered_with_its_bos_gets_no_second_one(name: str) -> None:
    tokenizer = tokenizers_zoo.ZOO[name]()
    tokenizer.chat_template = WITH_BOS
    rendered = tokenizer.apply_chat_template(TURNS, tokenize=False, add_generation_prompt=True)
    theirs = tokenizer.apply_chat_template(TURNS, tokenize=True, add_generation_prompt=True, return_dict=False)
    encoded = encode(tokenizer, rendered)
    added_end = [tokenizer.eos_token_id] if name == "word_level" else []
    assert encoded.inputs["input_ids"] == [*theirs, *added_end]
    assert encoded.inputs["input_ids"].count(tokenizer.bos_token_id) == 1
    bos = encoded.tokens[0]
    assert (bos.special, bos.text) == (True, tokenizer.bos_token)
    assert rendered[bos.start : bos.end] == tokenizer.bos_token
    assert_laws(encoded)


def test_a_text_without_a_bos_gets_the_tokenizers() -> None:
    tokenizer = tokenizers_zoo.metaspace_bpe()
    for text in ("the castle", "the <s> castle", "castle <s>"):
        assert encode(tokenizer, text).inputs["input_ids"] == tokenizer(text)["input_ids"]
