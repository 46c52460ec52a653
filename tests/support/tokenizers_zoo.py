"""One tiny tokenizer of every family, trained here on a few sentences: no hub, no files.

The training text has little Japanese on purpose, so that most of it falls into bytes, characters or [UNK].
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    ByT5Tokenizer,
    CanineTokenizer,
    PreTrainedTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from attnscope.models.inputs.encode import Encoded

CORPUS = [
    "The old castle stands on the hill above the town, and the river runs below it.",
    "Don't stop: New York and Kumamoto are cities. The castle isn't in New York!",
    "A model reads the words of a sentence and pays attention to the other words.",
    "Is it true? Yes, it is; the price was 3.14 dollars (in 1999), e.g. on the market.",
    "熊本城は熊本県にあるお城です。",
] * 4

CHATML = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def wordpiece() -> PreTrainedTokenizerFast:
    """BERT: lower-casing, accents stripped, [CLS] … [SEP]; its file asks for truncation and padding, as many do."""
    backend = Tokenizer.from_str(_trained_wordpiece())
    _surround(backend, "[CLS]", "[SEP]")
    backend.enable_truncation(max_length=8)
    backend.enable_padding(length=8)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=8,
    )


@cache
def _trained_wordpiece() -> str:
    """Trained once: the trainer breaks ties at random, and the tokenizers made of it must have one vocabulary."""
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    backend.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special))
    return backend.to_str()


def byte_bpe() -> PreTrainedTokenizerFast:
    """GPT-2: no special tokens around the text, <|endoftext|> as BOS, EOS and UNK at once."""
    return PreTrainedTokenizerFast(
        tokenizer_object=_byte_level(trim_offsets=False, special=["<|endoftext|>"]),
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
    )


def byte_bpe_trimmed() -> PreTrainedTokenizerFast:
    """RoBERTa: the same, with offsets that leave the leading space out, and <s> … </s>."""
    backend = _byte_level(trim_offsets=True, special=["<s>", "<pad>", "</s>"])
    pair = [(token, backend.token_to_id(token)) for token in ("</s>", "<s>")]
    backend.post_processor = processors.RobertaProcessing(*pair, trim_offsets=True, add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>")


def byte_bpe_prefixed() -> PreTrainedTokenizerFast:
    """RoBERTa with a space before every piece of text, and entity markers added later: its offsets are off."""
    backend = _byte_level(trim_offsets=True, special=["<s>", "<pad>", "</s>"])
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    pair = [(token, backend.token_to_id(token)) for token in ("</s>", "<s>")]
    backend.post_processor = processors.RobertaProcessing(*pair, trim_offsets=True, add_prefix_space=True)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<pad>"
    )
    tokenizer.add_tokens(["<e1>", "</e1>"])
    return tokenizer


def byte_bpe_chat() -> PreTrainedTokenizerFast:
    """Qwen, SmolLM: byte-level BPE with ChatML markers, one of them not declared special."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_byte_level(trim_offsets=True, special=["<|endoftext|>", "<|im_end|>"]),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHATML,
    )
    tokenizer.add_tokens([AddedToken("<|im_start|>", special=False, normalized=False)])
    return tokenizer


def metaspace_bpe() -> PreTrainedTokenizerFast:
    """Llama-2, Mistral: SentencePiece BPE with ▁ and byte fallback, <s> before the text."""
    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    # Without a pre-tokenizer the trainer would learn whole sentences.
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never")
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=["<unk>", "<s>", "</s>", *bytes_])
    backend.train_from_iterator(CORPUS[:4], trainer)
    backend.pre_tokenizer = None
    rebuilt = Tokenizer.from_str(_without_added(backend.to_str(), set(bytes_)))
    rebuilt.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    _surround(rebuilt, "<s>", None)
    return PreTrainedTokenizerFast(tokenizer_object=rebuilt, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def unigram() -> PreTrainedTokenizerFast:
    """T5, XLM-R: SentencePiece Unigram behind NFKC, runs of spaces made one, </s> after the text."""
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    backend.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    backend.train_from_iterator(CORPUS, trainer)
    _surround(backend, None, "</s>")
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="</s>", unk_token="<unk>", pad_token="<pad>", model_max_length=8
    )


def word_level() -> PreTrainedTokenizerFast:
    """Whole words between spaces and punctuation; what it does not know is [UNK]."""
    backend = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.train_from_iterator(CORPUS, trainers.WordLevelTrainer(special_tokens=["[UNK]", "[BOS]", "[EOS]"]))
    _surround(backend, "[BOS]", "[EOS]")
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="[BOS]", eos_token="[EOS]", unk_token="[UNK]")


def characters() -> PreTrainedTokenizerFast:
    """One token a character, spaces too."""
    backend = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    backend.train_from_iterator(CORPUS, trainers.WordLevelTrainer(special_tokens=["[UNK]", "[BOS]"]))
    _surround(backend, "[BOS]", None)
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="[BOS]", unk_token="[UNK]")


class PythonWordPiece(PreTrainedTokenizer):
    """BERT as BertJapanese and others still are: written in Python, without offsets; [UNK] for what it lacks."""

    def __init__(self) -> None:
        self._vocabulary = wordpiece().get_vocab()
        self._names = {identity: name for name, identity in self._vocabulary.items()}
        special = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
        super().__init__(**special, special_tokens_pattern="cls_sep")

    @property
    def vocab_size(self) -> int:
        return len(self._vocabulary)

    def get_vocab(self) -> dict[str, int]:
        return dict(self._vocabulary)

    def _tokenize(self, text: str, **_: object) -> list[str]:
        return list(wordpiece_backend().encode(text, add_special_tokens=False).tokens)

    def _convert_token_to_id(self, token: str) -> int:
        return self._vocabulary.get(token, self._vocabulary["[UNK]"])

    def _convert_id_to_token(self, index: int) -> str:
        return self._names[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens).replace(" ##", "")


@cache
def wordpiece_backend() -> Tokenizer:
    backend = wordpiece().backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return backend


FAST: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "wordpiece": wordpiece,
    "byte_bpe": byte_bpe,
    "byte_bpe_trimmed": byte_bpe_trimmed,
    "byte_bpe_prefixed": byte_bpe_prefixed,
    "byte_bpe_chat": byte_bpe_chat,
    "metaspace_bpe": metaspace_bpe,
    "unigram": unigram,
    "word_level": word_level,
    "characters": characters,
}
SLOW: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "byt5": ByT5Tokenizer,
    "canine": CanineTokenizer,
    "python_wordpiece": PythonWordPiece,
}
ZOO = FAST | SLOW


@cache
def tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of that family, built once per test run."""
    return ZOO[name]()


def _byte_level(trim_offsets: bool, special: list[str]) -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    backend.train_from_iterator(CORPUS, trainer)
    return backend


def _surround(backend: Tokenizer, first: str | None, last: str | None) -> None:
    names = [name for name in (first, last) if name is not None]
    backend.post_processor = processors.TemplateProcessing(
        pair=f"{first} $A {last} $B:1 {last}:1" if first and last else "$A $B:1",
        single=" ".join([*([first] if first else []), "$A", *([last] if last else [])]),
        special_tokens=[(name, backend.token_to_id(name)) for name in names],
    )


def _without_added(document: str, names: set[str]) -> str:
    """The tokenizer's JSON with `names` left in the vocabulary but not matched in the text."""
    data = json.loads(document)
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] not in names]
    return json.dumps(data)


def state(tokenizer: PreTrainedTokenizerBase) -> tuple[Any, ...]:
    backend = json.loads(tokenizer.backend_tokenizer.to_str()) if tokenizer.is_fast else None
    split = tokenizer.backend_tokenizer.encode_special_tokens if tokenizer.is_fast else None
    return backend, split, tokenizer.chat_template, dict(tokenizer.deprecation_warnings), tokenizer.padding_side


def words_of(encoded: Encoded) -> list[str]:
    return [encoded.text[word.start : word.end] for word in encoded.words]


def assert_laws(encoded: Encoded) -> None:
    text, tokens = encoded.text, encoded.tokens
    assert all(len(values) == len(tokens) for values in encoded.inputs.values())
    for token in tokens:
        assert 0 <= token.start <= token.end <= len(text)
        if token.start < token.end or not token.special:
            assert token.text == text[token.start : token.end]
    members = [index for word in encoded.words for index in word.tokens]
    assert sorted(members) == [i for i, t in enumerate(tokens) if not t.special and t.text]
    joined, position = "", 0
    for word in encoded.words:
        assert position <= word.start < word.end
        joined += text[position : word.start] + text[word.start : word.end]
        position = word.end
    assert joined + text[position:] == text
