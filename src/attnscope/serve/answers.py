"""What the playground answers: one function per kind of question, run by the model's thread.

importance   what a prediction relied on, and the likeliest next tokens
maps         what the explorer needs of a text: its manifest; then `outlines`, and `map` for each layer and head
compare      of two results, the words that differ most
rows         what a word attends to in every layer and head
without      the answer with and without some of the text, some heads or some edges
generate     tokens as they are written, each with what it relied on
file         any of these as today's files; code: the Python and the command line that make it
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from attnscope.errors import InputError
from attnscope.methods.explain import explain
from attnscope.methods.live.next_word import NextWord, in_one_pass, likeliest, next_word, written_text
from attnscope.methods.live.without import Without, attends_ahead, keep_answer
from attnscope.methods.plan import Plan, plan
from attnscope.methods.table import METHODS, Method, method_of
from attnscope.models.loading.load import Model
from attnscope.render import render
from attnscope.render.html.live.described import described
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.serve.attention import kept_attention, maps, one_map, outlines, rows
from attnscope.serve.comparing import compared, comparison
from attnscope.serve.jobs import Job
from attnscope.serve.questions import Question
from attnscope.serve.recipes import recipe, taken_target, token_edges, token_words
from attnscope.serve.session import Session
from attnscope.studies.effects.knock_out import knock_out
from attnscope.translation import say, speaking, spoken, told, translated

# What takes longer than so many seconds is asked about before it begins.
LONG = 5.0


@dataclass(frozen=True)
class Answer:
    """One row of ANSWERS.

    priority: of the job; the lowest comes first, which is what is being looked at. planned: what it takes; None where
    it is kept, or takes next to nothing.
    """

    give: Callable[[Session, Model, Question, Job], Any]
    priority: int = 0
    planned: Callable[[Session, Model, Question], Plan | None] = lambda *_: None


def importance(session: Session, model: Model, question: Question, job: Job) -> Any:
    """The likeliest next tokens (as an event of its own, where nothing waits for them), and the scores."""
    segments = [
        (told(name), start, end) for name, start, end in question.segments(question.encoded(model, session.max_tokens))
    ]
    method = method_of(question.method)
    key = _importance_key(question)
    if question.target is None and in_one_pass(model, method):
        found = _own_next_word(session, model, question, method)
        job.tell("next", [asdict(token) for token in found.tokens])
        shown = _shown(found.result, found.explained.text, found.explained == found.tokens[0])
        return {**shown, "segments": segments}
    result = session.kept.get(key, lambda: _explained(model, question, job), lambda _: _bytes(question))
    own = (result.asked.target or "").startswith("log-probability of the generation")
    shown = _shown(result, (*result.measured.answer, question.target)[0], question.target is not None or own)
    return {**shown, "segments": segments}


def _own_next_word(session: Session, model: Model, question: Question, method: Method) -> NextWord:
    """What the model would write after the text, kept: the importance that is seen is that of the first token too."""
    key = _importance_key(replace(question, method=method.name, target=None))
    return session.kept.get(key, lambda: next_word(model, question.given, method), lambda _: _bytes(question))


def _shown(result: Attribution, about: str | None, as_asked: bool) -> dict[str, Any]:
    """The result. of: what it is about; target: the same where it is not what the model would write next."""
    answer = {**described(result), "of": about, "target": None if as_asked else about}
    if not as_asked and about:
        answer["shown"]["notes"].insert(0, say(_PART))
    return answer


_PART = (
    "What the model finds likelier is a part of a character or the end of the text, which is no target: the likeliest "
    "token that is a text is explained."
)


def _explained(model: Model, question: Question, job: Job) -> Attribution:
    target: dict[str, Any] = {} if question.target is None else {"target": question.target}
    if question.target is None and (tokens := likeliest(model, question.given)):
        job.tell("next", [asdict(token) for token in tokens])
        whole = next((token for token in tokens if token.whole), tokens[0])
        target = {"generate": 1} if whole == tokens[0] else {"target": whole.text}
    result = explain(model, question.given, question.method, **target)
    assert isinstance(result, Attribution)
    return result


def _importance_key(question: Question) -> tuple[Any, ...]:
    return ("importance", *question.key, question.method, question.target)


def _plan_of_method(session: Session, model: Model, question: Question) -> Plan | None:
    if _importance_key(question) in session.kept:
        return None
    return plan(model, question.given, question.method)


def _plan_of_maps(session: Session, model: Model, question: Question) -> Plan | None:
    if ("attention", *question.key) in session.kept:
        return None
    return plan(model, question.given, maps=False)


def _plan_of_writing(_session: Session, model: Model, question: Question) -> Plan:
    """A token and its scores are one forward and one backward pass; at the end all are explained once more."""
    one = plan(model, question.given, "gradient")
    return replace(one, method=f"generate {question.count}", seconds=one.seconds * 2 * question.count)


def _plan_of_pass(session: Session, model: Model, question: Question) -> Plan | None:
    """Of a pass over the text: at most what the maps' pass takes."""
    if ("without", *question.key) in session.kept:
        return None
    return replace(plan(model, question.given, maps=False), method="with and without")


def _plan_of_file(session: Session, model: Model, question: Question) -> Plan | None:
    if question.of == "compare":
        return None
    if question.of == "maps":
        return plan(model, question.given)
    if question.of == "generate":
        return _plan_of_writing(session, model, question)
    return _plan_of_method(session, model, question)


def given(session: Session, model: Model, question: Question, row: Answer, job: Job) -> Any:
    """The answer; of what takes long and was not agreed to, the plan, and what is known without it."""
    question = question.ready(model)
    if not question.go:
        question.encoded(model, session.max_tokens)
        planned = row.planned(session, model, question)
        if planned is not None and planned.seconds > LONG:
            if question.ask == "importance":
                job.tell("next", [asdict(token) for token in likeliest(model, question.given)])
            return {"plan": told(str(planned)), "seconds": planned.seconds}
    return row.give(session, model, question, job)


def without(session: Session, model: Model, question: Question, job: Job) -> Any:
    """The answer of the whole text, and of what is left of it."""
    del job
    encoded = question.encoded(model, session.max_tokens)
    kept: Without = session.kept.get(
        ("without", *question.key), lambda: keep_answer(model, encoded), lambda made: made.bytes
    )
    whole = session.kept.get(
        ("said", *question.key, question.target), lambda: kept.answer((), question.target), lambda _: 4_000
    )
    if not (question.removed or question.heads or question.edges):
        return {"with": asdict(whole), "without": None}
    edges = [((a, b), (c, d)) for a, b, c, d in question.edges]
    removed, heads = ([(a, b) for a, b in pairs] for pairs in (question.removed, question.heads))
    return {"with": asdict(whole), "without": asdict(kept.answer(removed, question.target, heads, edges))}


def generate(session: Session, model: Model, question: Question, job: Job) -> Any:
    """Tokens as they come, each with its scores, by the method where one pass gives both, else by the gradient."""
    encoded = question.encoded(model, session.max_tokens)
    asked = method_of(question.method)
    method = asked if in_one_pass(model, asked) else METHODS["gradient"]
    if not in_one_pass(model, method):
        raise InputError(f"{type(model.model).__name__} does not write a text: load a causal language model")
    ids: list[int] = []
    written = ""
    for _ in range(question.count):
        job.check()
        step = (
            next_word(model, encoded, method, written=ids) if ids else _own_next_word(session, model, question, method)
        )
        if not ids:
            job.tell("prompt", step.result.text)
        if step.tokens[0].id in step.ends:
            break
        ids.append(step.tokens[0].id)
        written = written_text(model, encoded, ids)
        words = [[word.start, word.end, float(f"{word.score:.6g}")] for word in step.result.words]
        job.tell("token", {"text": written, "probability": step.tokens[0].probability, "words": words,
                           "signed": step.result.signed})  # fmt: skip
    if not written:
        raise InputError("the model ends the text here, so there is nothing to generate: go on with the text yourself")
    result = explain(model, question.given, method, target=written, per_token=True)
    return {**described(result), "written": written, "method": method.name}


def file(session: Session, model: Model, question: Question, job: Job) -> Any:
    """A file's bytes, in base64."""
    drawn: Result
    if question.of == "compare":
        drawn = comparison(question)
    elif question.of == "maps":
        drawn = kept_attention(session, model, question).maps(top=32)
    elif question.of == "without":
        drawn = taken_away(session, model, question)
    elif question.of == "generate":
        if not question.target:
            raise InputError("there is no generated text to save: generate one first")
        drawn = explain(model, question.given, question.method, target=question.target, per_token=True)
    else:
        drawn = _result(session, model, question, job)
    name = {"maps": "attention"}.get(question.of, question.method)
    # A page follows its reader's browser; a figure stays as it is drawn.
    spoken_in = {"lang": spoken()} if question.suffix in (".png", ".svg", ".pdf") else {}
    return {
        "name": f"{name}{question.suffix}",
        "base64": b64encode(render(drawn, question.suffix, **spoken_in)).decode(),
    }


def taken_away(session: Session, model: Model, question: Question) -> Result:
    """What all of it together does for the target; where nothing is taken away, what each word does, by `deletion`."""
    encoded = question.encoded(model, session.max_tokens)
    if not (question.heads or question.edges or question.removed):
        words = explain(model, question.given, "deletion", **taken_target(question))
        assert isinstance(words, Attribution)
        return words
    heads = [(layer, head) for layer, head in question.heads]
    edges = token_edges(encoded, question.edges, attends_ahead(model))
    left_out = token_words(encoded, question.removed)
    return knock_out(
        model, question.given, **taken_target(question), heads=heads, edges=edges, words=left_out,
        replacement="delete" if left_out else None,
    )  # fmt: skip


def _result(session: Session, model: Model, question: Question, job: Job) -> Attribution:
    question.encoded(model, session.max_tokens)
    method = method_of(question.method)
    key = _importance_key(question)
    if question.target is None and in_one_pass(model, method):
        return _own_next_word(session, model, question, method).result
    return session.kept.get(key, lambda: _explained(model, question, job), lambda _: _bytes(question))


def code(session: Session, model: Model, question: Question, job: Job) -> Any:
    """The Python and the command line that make what is seen."""
    del job
    encoded = question.encoded(model, session.max_tokens)
    edges = token_edges(encoded, question.edges, attends_ahead(model))
    return recipe(model.name, question, edges, token_words(encoded, question.removed))


def _bytes(question: Question) -> int:
    """About what a result takes: some objects for each token and word."""
    return 2_000 + 400 * len(question.text or repr(question.messages))


ANSWERS: Mapping[str, Answer] = {
    "importance": Answer(importance, 0, _plan_of_method),
    "map": Answer(one_map),
    "rows": Answer(rows, 1),
    "compare": Answer(compared),
    "without": Answer(without, 0, _plan_of_pass),
    "code": Answer(code),
    "outlines": Answer(outlines, 1),
    "file": Answer(file, 1, _plan_of_file),
    "generate": Answer(generate, 2, _plan_of_writing),
    "maps": Answer(maps, 3, _plan_of_maps),
}


def answered(session: Session, question: Question, tell: Callable[[str, Any], None]) -> Job:
    """Put the question to its model. Raises InputError for one that nobody answers, BusyError."""
    row = ANSWERS.get(question.ask)
    if row is None:
        raise InputError(f"nobody answers {question.ask!r}: ask one of {', '.join(ANSWERS)}")
    worker = session.worker(question.model)
    slot = (question.client, question.slot) if question.slot else None

    def work(job: Job) -> Any:
        with speaking(question.lang):
            return given(session, worker.model, question, row, job)

    def tell_reader(event: str, data: Any) -> None:
        tell(event, said(event, data, question.lang))

    return worker.submit(work, tell_reader, priority=row.priority, slot=slot)


def said(event: str, data: Any, lang: str) -> Any:
    """What a job tells in English, such as an error, in the language of whoever asked."""
    if event == "error":
        return translated(data, lang)
    return {**data, "what": translated(data["what"], lang)} if event == "progress" else data
