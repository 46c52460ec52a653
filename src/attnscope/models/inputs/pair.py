"""Two texts as a model reads them together: a premise and a hypothesis, a question and a passage.

The tokenizer joins them its own way ([CLS] a [SEP] b [SEP], with token types); the text that is drawn is both, with a
blank line between them.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from attnscope.errors import ModelError
from attnscope.models.inputs.fast_offsets import placed
from attnscope.models.inputs.slow_offsets import align
from attnscope.text.inputs import Pair

Read = tuple[dict[str, list[int]], list[tuple[int, int]], list[bool]]
_OPTIONS = {"padding": False, "truncation": False, "verbose": False}


def read_pair(tokenizer: PreTrainedTokenizerBase, pair: Pair) -> Read:
    """The inputs, each token's place in `pair.joined`, and which tokens the tokenizer added.

    Raises ModelError for a tokenizer that puts nothing between two texts, as those of most models that write.
    """
    inputs, spans, side = (_read_fast if tokenizer.is_fast else _read_slow)(tokenizer, pair)
    first, second = (side.index(number) if number in side else None for number in (0, 1))
    if first is None or second is None or None not in side[first:second]:
        raise ModelError(
            f"the tokenizer {type(tokenizer).__name__} puts nothing between two texts, so the model reads no pairs: "
            "write both as one text, and leave out text_pair"
        )
    moved = [
        (start + pair.second, end + pair.second) if number == 1 else (start, end)
        for (start, end), number in zip(spans, side, strict=True)
    ]
    added = [number is None for number in side]
    return inputs, placed(tokenizer, pair.joined, inputs["input_ids"], moved, added), added


_Sides = tuple[dict[str, list[int]], list[tuple[int, int]], list[int | None]]


def _read_fast(tokenizer: PreTrainedTokenizerBase, pair: Pair) -> _Sides:
    encoding = tokenizer(pair.text, pair.text_pair, return_offsets_mapping=True, **_OPTIONS)
    side = list(encoding.sequence_ids())
    inputs = {name: list(values) for name, values in encoding.items()}
    return inputs, [(int(start), int(end)) for start, end in inputs.pop("offset_mapping")], side


def _read_slow(tokenizer: PreTrainedTokenizerBase, pair: Pair) -> _Sides:
    encoding = tokenizer(pair.text, pair.text_pair, **_OPTIONS)
    inputs = {name: list(values) for name, values in encoding.items()}
    ids = inputs["input_ids"]
    spans: list[tuple[int, int]] = [(0, 0)] * len(ids)
    side: list[int | None] = [None] * len(ids)
    begin = 0
    for number, text in enumerate((pair.text, pair.text_pair)):
        bare = list(tokenizer(text, add_special_tokens=False, **_OPTIONS)["input_ids"])
        at = _find(ids, bare, begin)
        if at is None:
            raise ModelError(
                f"the tokenizer {type(tokenizer).__name__} reports no offsets and mixes special tokens into a pair: "
                "use the model's fast tokenizer (use_fast=True)"
            )
        begin = at + len(bare)
        spans[at:begin] = align(tokenizer, bare, text)
        side[at:begin] = [number] * len(bare)
    return inputs, spans, side


def _find(ids: Sequence[int], part: Sequence[int], begin: int) -> int | None:
    return next((i for i in range(begin, len(ids) - len(part) + 1) if list(ids[i : i + len(part)]) == list(part)), None)
