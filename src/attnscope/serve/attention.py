"""A text's attention, kept: its manifest, its maps one by one, and what one word attends to in every head."""

from typing import Any

from attnscope.errors import InputError
from attnscope.methods.live.kept_attention import KeptAttention, keep_attention
from attnscope.models.loading.load import Model
from attnscope.render.html.live.described import deflated, described_maps, outlines_of, stream_of
from attnscope.serve.jobs import Job
from attnscope.serve.questions import Question
from attnscope.serve.session import Session
from attnscope.translation import spoken


def maps(session: Session, model: Model, question: Question, job: Job) -> Any:
    """The manifest."""
    del job
    kept = kept_attention(session, model, question)

    def make() -> dict[str, Any]:
        return described_maps(kept.maps(maps=False))

    return {"manifest": session.kept.get(("manifest", spoken(), *question.key), make, lambda made: len(repr(made)))}


def outlines(session: Session, model: Model, question: Question, job: Job) -> Any:
    """The thumbnails of all maps, which are computed layer by layer."""
    kept = kept_attention(session, model, question)

    def make() -> str:
        parts = []
        for layer in kept.maps(maps=False).layers:
            job.check()
            parts.append(outlines_of(kept.maps([layer])))
        return deflated(b"".join(parts))

    return {"stream": session.kept.get(("outlines", *question.key), make, len)}


def one_map(session: Session, model: Model, question: Question, job: Job) -> Any:
    """The map of one layer and head."""
    del job
    kept = kept_attention(session, model, question)
    return {"stream": stream_of(kept.maps([question.layer], [question.head]))}


def kept_attention(session: Session, model: Model, question: Question) -> KeptAttention:
    """The attention of the question's text, kept."""
    question.encoded(model, session.max_tokens)
    return session.kept.get(
        ("attention", *question.key), lambda: keep_attention(model, question.given), lambda kept: kept.bytes
    )


def rows(session: Session, model: Model, question: Question, job: Job) -> Any:
    """What the word at `place` attends to, in every layer and head: thumbnails of its tokens' rows, without the special
    tokens. word: its characters."""
    kept = kept_attention(session, model, question)
    encoded = question.encoded(model, session.max_tokens)
    word = next((word for word in encoded.words if word.start <= question.place < word.end), None)
    if word is None:
        raise InputError(f"there is no word at character {question.place}")
    whole = kept.maps(maps=False)
    queries = [i for i in word.tokens if i in set(whole.queries)]
    keys = [i for i in whole.keys if i < len(encoded.tokens) and not encoded.tokens[i].special]
    if not queries or not keys:
        raise InputError("this word attends to nothing here: choose another")
    parts = []
    for layer in whole.layers:
        job.check()
        parts.append(outlines_of(kept.maps([layer], queries=queries, keys=keys)))
    return {
        "stream": deflated(b"".join(parts)),
        "word": [word.start, word.end],
        "rows": min(64, len(queries)),
        "columns": min(64, len(keys)),
    }
