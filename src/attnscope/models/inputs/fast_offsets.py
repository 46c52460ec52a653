"""Where in the text each token of a fast tokenizer stands: its offsets are evidence, and are looked at.

Known to be wrong in the library: a byte-level tokenizer that puts a space before every piece of text reports the first
token after an added one (`<e1>castle`) a character too far; one that trims its offsets gives no place to a token of
spaces alone. A token whose text is not where it is said to be, but next to it, is put there. A tokenizer that writes
the text otherwise (in lower case, without accents) has its offsets taken as they are.
"""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from attnscope.models.typed import decoded

_HALF = "\ufffd"


def placed(
    tokenizer: PreTrainedTokenizerBase,
    source: str,
    ids: Sequence[int],
    spans: Sequence[tuple[int, int]],
    added: Sequence[bool],
) -> list[tuple[int, int]]:
    """The span in `source` of each of `ids`, reported at `spans`; those that the tokenizer `added` stay as they are."""
    pieces: dict[int, str] = {}
    result = []
    cursor = 0
    for identity, (start, end), is_added in zip(ids, spans, added, strict=True):
        if not is_added:
            if identity not in pieces:
                pieces[identity] = decoded(tokenizer, [identity])
            piece = pieces[identity]
            if piece.isspace():
                if start == end and source.startswith(piece, cursor):
                    start, end = cursor, cursor + len(piece)
            elif (bare := piece.strip()) and _HALF not in bare and source[start:end].strip() != bare:
                # No further off than one character, and not in what has been read already.
                before = max(cursor, start - 1)
                if before <= start and source.startswith(bare, before):
                    start, end = before, before + len(bare)
        if start < end:
            cursor = max(cursor, end)
        result.append((start, end))
    return result
