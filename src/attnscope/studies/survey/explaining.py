"""The tables of one part of a corpus: what the model predicts of each text, and the words' scores by each method."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from attnscope.errors import AttnscopeError, InputError, TextError
from attnscope.methods.calls.advice import without_advice
from attnscope.methods.explain import explain
from attnscope.methods.table import Method
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.loading.load import Model
from attnscope.models.targets.label_probabilities import Choices, choices, probabilities
from attnscope.models.targets.labels import label_name
from attnscope.results.attribution import Attribution
from attnscope.results.collection import Failed
from attnscope.studies.heads.statistics import Explained
from attnscope.studies.label_request import label_request
from attnscope.studies.survey.columns import TEXTS, WORDS, kept_column, table_of
from attnscope.studies.survey.heads import SUMS, sums_table
from attnscope.studies.survey.parts import Part
from attnscope.studies.survey.request import Ask
from attnscope.studies.survey.rows import Row
from attnscope.text.inputs import Reading
from attnscope.text.segments import paragraphs

# Texts of two lengths, on which everything is learnt about a model that depends on its first texts.
_FIRST = (
    "The old castle on the hill was closed for the winter, and nobody came up the road to see it.",
    "The castle was closed.",
)
# What `Reading` takes of the parameters of all methods.
_READ = ("chat", "truncate", "tools", "chat_template_kwargs")


class Explainer:
    """Makes the tables of one part after another. kept: the arrow types of carried columns."""

    def __init__(self, model: Model, ask: Ask, kept: dict[str, Any]) -> None:
        self.model, self.ask, self.kept = model, ask, kept
        self._read = {name: value for name, value in ask.methods[0][1].items() if name in _READ}
        self._explained = Explained(*(ask.methods[0][1].get(name) for name in ("target", "against")))
        self._before = len(ask.template.split("{text}")[0]) if ask.template else 0

        self._settle()

    def _settle(self) -> None:
        """Whether a model's padding leaks, or what comes before a removed word can be used again, is learnt from the
        first text that can tell. So that a run that goes on ends with the same bits, this is never a text of a part."""
        rows = tuple(Row(number, text) for number, text in enumerate(_FIRST))
        with without_advice():
            inputs, errors = self._inputs(rows)
            predicted = self._predicted(inputs, errors)
            for method, given in self.ask.methods:
                self._results(method, given, rows, inputs, predicted)

    def tables(self, part: Part) -> dict[str, Any]:
        """The tables "words" and "texts" of a part, and "head_sums" where heads were asked for."""
        begun = time.perf_counter()
        with without_advice():
            inputs, errors = self._inputs(part.rows)
            predicted = self._predicted(inputs, errors)
            results = [self._results(method, given, part.rows, inputs, predicted) for method, given in self.ask.methods]
            segments = {place: self._segments(part.rows[place], given) for place, given in inputs.items()}
            heads = sums_table(self.model, part, inputs, self._read, self._explained) if self.ask.heads else None
        words = self._words(part.rows, results, segments)
        texts = self._texts(part.rows, errors, predicted, results)
        shares = [tokens or 0 for tokens in texts["tokens"]]
        spent = (time.perf_counter() - begun) / max(1, sum(shares))
        texts["seconds"] = [round(share * spent, 6) for share in shares]
        tables = {"words": table_of(words, WORDS), "texts": self._with_kept(part.rows, texts)}
        return {SUMS: heads, **tables} if self.ask.heads else tables

    def _inputs(self, rows: Sequence[Row]) -> tuple[dict[int, Any], dict[int, str]]:
        """What the model reads of each row, and of the others what is wrong with them, by their place."""
        inputs: dict[int, Any] = {}
        errors: dict[int, str] = {}
        for place, row in enumerate(rows):
            if row.error is not None:
                errors[place] = row.error
                continue
            try:
                inputs[place] = self._input(row)
            except InputError as error:
                errors[place] = f"{type(error).__name__}: {error}"
        return inputs, errors

    def _input(self, row: Row) -> Any:
        template = self.ask.template
        if template is not None:
            if not isinstance(row.text, str) or row.pair is not None:
                raise InputError("the template goes around a plain text, and this is a chat or a pair")
            if not row.text.strip():
                raise TextError("the text is empty: give at least one word")
            return template.replace("{text}", row.text)
        return row.text if row.pair is None else Reading(text_pair=row.pair).one(row.text)

    def _predicted(self, inputs: dict[int, Any], errors: dict[int, str]) -> dict[int, tuple[int, float]]:
        """Of each text the label that is likeliest, and its probability; a text that cannot be read goes to errors."""
        if not self.ask.labels or not inputs:
            return {}
        reading = Reading(**self._read)
        asked: dict[int, Choices] = {}
        with default_settings():
            for place, given in list(inputs.items()):
                try:
                    (encoded,) = encoded_texts(self.model, [given], reading)
                    asked[place] = choices(self.model, encoded, self.ask.labels)
                except AttnscopeError as error:
                    errors[place] = f"{type(error).__name__}: {error}"
                    del inputs[place]
            found = probabilities(list(asked.values())) if asked else ()
        likeliest = [int(of_text.argmax()) for of_text in found]
        return {
            place: (label, float(of_text[label])) for place, label, of_text in zip(asked, likeliest, found, strict=True)
        }

    def _results(
        self,
        method: Method,
        given: dict[str, Any],
        rows: Sequence[Row],
        inputs: dict[int, Any],
        predicted: dict[int, tuple[int, float]],
    ) -> dict[int, Attribution | Failed]:
        """What a method says of each text that can be read, by its place."""
        if not inputs:
            return {}
        each: dict[str, list[Any]] = {"target": [], "against": []}
        for place in inputs:
            asked = self._asked(method, given, rows[place], predicted.get(place))
            for name, values in each.items():
                values.append(asked.get(name))
        own: dict[str, Any] = {name: values for name, values in each.items() if any(v is not None for v in values)}
        if self.ask.template is not None:
            own["within"] = [(self._before, self._before + len(rows[place].text)) for place in inputs]
        found = explain(self.model, list(inputs.values()), method, on_error="keep", **{**given, **own})
        return dict(zip(inputs, found, strict=True))

    def _asked(
        self, method: Method, given: dict[str, Any], row: Row, predicted: tuple[int, float] | None
    ) -> dict[str, Any]:
        """Target and contrast of one text: those of its row, else those of the call, else the likeliest label."""
        if row.target is not None:
            return {"target": row.target, "against": given.get("against")}
        if any(given.get(name) is not None for name in ("target", "generate", "position", "quantity")):
            return {"target": given.get("target"), "against": given.get("against")}
        if predicted is None:
            return {}
        return label_request(self.model, method, self.ask.labels, predicted[0], given)

    def _segments(self, row: Row, given: Any) -> Mapping[str, tuple[int, int]]:
        """The turns of a chat, the texts of a pair, or the paragraphs of a text that has several, by their names."""
        if self.ask.template is not None:
            return _paragraphs(row.text)
        if isinstance(given, str) and not self._read.get("chat") and "\n" not in given:
            return {}
        with suppress(AttnscopeError):  # what cannot be read has no words
            (encoded,) = encoded_texts(self.model, [given], Reading(**self._read))
            return encoded.turns or _paragraphs(encoded.text)
        return {}

    def _words(
        self,
        rows: Sequence[Row],
        results: Sequence[dict[int, Attribution | Failed]],
        segments: Mapping[int, Mapping[str, tuple[int, int]]],
    ) -> dict[str, list[Any]]:
        table: dict[str, list[Any]] = {name: [] for name in WORDS}
        for of_method in results:
            for place, result in of_method.items():
                if isinstance(result, Failed):
                    continue
                row, count = rows[place], len(result.words)
                table["id"] += [row.id] * count
                table["number"] += [row.number] * count
                table["word"] += [word.text for word in result.words]
                table["start"] += [word.start - self._before for word in result.words]
                table["end"] += [word.end - self._before for word in result.words]
                table["score"] += [word.score for word in result.words]
                table["method"] += [result.method] * count
                table["target"] += [result.asked.target] * count
                table["segment"] += [
                    next((name for name, (a, b) in segments[place].items() if a <= word.start - self._before < b), None)
                    for word in result.words
                ]
                table["rationale"] += [
                    None
                    if row.rationale is None
                    else any(
                        start < word.end - self._before and word.start - self._before < end
                        for start, end in row.rationale
                    )
                    for word in result.words
                ]
        return table

    def _texts(
        self,
        rows: Sequence[Row],
        errors: dict[int, str],
        predicted: dict[int, tuple[int, float]],
        results: Sequence[dict[int, Attribution | Failed]],
    ) -> dict[str, list[Any]]:
        names = [method.name for method, _ in self.ask.methods]
        table: dict[str, list[Any]] = {name: [] for name in TEXTS}
        for place, row in enumerate(rows):
            of_text = [of_method[place] for of_method in results if place in of_method]
            done = [result for result in of_text if not isinstance(result, Failed)]
            failed = {name: str(one) for name, one in zip(names, of_text, strict=False) if isinstance(one, Failed)}
            messages = list(dict.fromkeys(failed.values()))
            if len(messages) == 1 and not done:
                error = messages[0]
            else:
                error = "; ".join(f"{name}: {message}" for name, message in failed.items())
            label, probability = predicted.get(place, (None, None))
            values = [one.measured.value for one in done if one.measured.value is not None]
            targets = [one.asked.target for one in done if one.asked.target is not None]
            gold, wrong = self._gold(row.gold)
            cells = {
                "id": row.id,
                "number": row.number,
                "text": done[0].text if done and self.ask.template is None else row.shown,
                "gold": gold,
                "prediction": None if label is None else self._name(self.ask.labels[label]),
                "probability": probability,
                "target": targets[0] if targets else None,
                "value": values[0] if values else None,
                "tokens": len(done[0].tokens) if done else None,
                "seconds": None,
                "error": errors.get(place) or error or wrong,
            }
            for name, value in cells.items():
                table[name].append(value)
        return table

    def _gold(self, given: str | None) -> tuple[str | None, str | None]:
        """The right label by the name that predictions have, or why it is none: "positive" is meant by " positive"."""
        if given is None or not self.ask.labels:
            return given, None
        names = [self._name(label) for label in self.ask.labels]
        name = self._name(given)
        alike = [name] if name in names else [one for one in names if one.strip() == name.strip()]
        if len(alike) == 1:
            return alike[0], None
        return None, f"the gold label {given!r} is none of {', '.join(map(repr, names))}"

    def _name(self, label: str | int) -> str:
        return label_name(self.model, label)

    def _with_kept(self, rows: Sequence[Row], texts: dict[str, list[Any]]) -> Any:
        columns = {}
        for name, kind in self.kept.items():
            columns[name], wrong = kept_column([row.kept.get(name) for row in rows], kind)
            for place, message in wrong.items():
                texts["error"][place] = texts["error"][place] or f"{name}: {message}"
        table = table_of(texts, TEXTS)
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table


def _paragraphs(text: str) -> dict[str, tuple[int, int]]:
    several = paragraphs(text)
    return {f"paragraph {number}": span for number, span in enumerate(several, 1)} if several[1:] else {}
