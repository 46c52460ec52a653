"""What all results share: what was asked, what was measured, their files, their tables, and how a notebook shows them.

    load_result("castle.json")      any result: its file says its type
    result.save("castle.json")      JSON (docs/schema.md); attention maps as safetensors, evaluations as JSON lines
    result.to_pandas()              a table; also `pandas.DataFrame(result.columns())`, `polars.DataFrame(result)`

Problems solved here, so that no result has to solve them:
- every file has its type and schema number, and files of schema 1 still load;
- the error for a damaged file names the file and what is wrong with it;
- half a surrogate pair, which UTF-8 cannot encode, survives saving;
- when a write fails, the old file is left whole;
- a notebook draws a result, although results know nothing about renderers.
"""

import importlib
import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, NamedTuple, Self

from attnscope.errors import InputError, NonFiniteError
from attnscope.results.files.reading import (
    NUMBER,
    Kinds,
    checked,
    checked_tuple,
    damage,
    encoded,
    first_value,
    parsed,
    text_of,
)
from attnscope.results.files.references import References
from attnscope.results.files.schema1 import upgraded
from attnscope.results.files.writing import write_atomically
from attnscope.results.tables import Columns, arrow_stream, data_frame

SCHEMA = 2

# The type in a file -> where its class is. The class is imported when such a file is loaded.
TYPES: dict[str, str] = {
    "attribution": "attnscope.results.attribution:Attribution",
    "per_token": "attnscope.results.per_token:PerToken",
    "attention_maps": "attnscope.results.attention_maps:AttentionMaps",
    "agreement": "attnscope.results.agreement:Agreement",
    "comparison": "attnscope.results.comparison:Comparison",
    "comparisons": "attnscope.results.comparison:Comparisons",
    "similarity": "attnscope.results.similarity:Similarity",
    "evaluation": "attnscope.results.evaluation:Evaluation",
    "citation": "attnscope.results.citation.citation:Citation",
    "effect": "attnscope.results.effects.effect:Effect",
    "head_profiles": "attnscope.results.corpus.head_profiles:HeadProfiles",
    "survey_summary": "attnscope.results.corpus.summary:SurveySummary",
    "head_effects": "attnscope.results.effects.head_effects:HeadEffects",
    "edge_effects": "attnscope.results.effects.edge_effects:EdgeEffects",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the caller chose.

    options:      the method's own options, by the names of its signature, with the values that were used.
    target:       what is explained, in words; quantity: such as "log_probability".
    unit:         what is scored: "word", "token", "character", "sentence" or "segment".
    segments:     the names of the scored segments, with their characters (start, end).
    within:       the characters that the units were chosen from; None: the whole text.
    query:        for attention: a token's index or a word; None: the mean over all tokens that are not special.
    stack:        which attention: "self"; in an encoder–decoder "encoder", "decoder" or "cross".
    chat:         whether the text was put through the model's chat template.
    messages:     of a chat, its messages; tools: the JSON schemas of its tools.
    chat_template_kwargs: further variables that the chat template got.
    text_pair:    of two texts that were read together, the second.
    truncate:     whether a text longer than the model's positions was to be cut.
    window:       at most how many tokens each of the windows has in which a long text was read.
    target_token: the target token that a row of a PerToken explains.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    target: str | None = None
    quantity: str | None = None
    unit: str = "word"
    segments: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    within: tuple[int, int] | None = None
    query: int | str | None = None
    stack: str = "self"
    chat: bool = False
    messages: tuple[Mapping[str, Any], ...] = ()
    tools: tuple[Any, ...] = ()
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    text_pair: str | None = None
    truncate: bool = False
    window: int | None = None
    target_token: str | None = None

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read it from a saved result. Raises ValueError, saying what is wrong."""
        asked = checked(data, _ASKED, "asked")
        segments = {name: _span(span, f"segment {name!r}") for name, span in asked["segments"].items()}
        asked |= {"within": None if asked["within"] is None else _span(asked["within"], "within")}
        asked |= {name: tuple(asked[name] or ()) for name in ("messages", "tools")}
        return cls(**{**asked, "segments": segments, "chat_template_kwargs": asked["chat_template_kwargs"] or {}})


class Interaction(NamedTuple):
    """What two words do together beyond what each does alone.

    first, second: the characters (start, end) of the words. value: target(both) − target(one) − target(other) +
    target(neither), in the target's unit. low, high: its interval.
    """

    first: tuple[int, int]
    second: tuple[int, int]
    value: float
    low: float
    high: float

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read it from a saved result. Raises ValueError, saying what is wrong."""
        if not isinstance(data, list | tuple) or len(data) != len(cls._fields):
            raise ValueError(f"an interaction is {data!r}, not two words and three numbers")
        first, second = (_span(span, "a word of an interaction") for span in data[:2])
        return cls(first, second, *checked_tuple(list(data[2:]), NUMBER, "an interaction"))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured beside the scores; None where it was not measured or has no meaning.

    value:              the target's value on the text.
    excluded_mass:      the attention that went to special tokens, which the picture leaves out, 0 to 1.
    completeness_error: how far the scores miss the change that they should add up to, in the target's unit.
    baseline_value:     the target's value at the baseline.
    standard_error:     the standard error of each word's score, (word,).
    r_squared:          the share of the target's variance that a surrogate explains.
    steps:              how many steps a tolerance ended with.
    to_target:          the attention that went to the target's own tokens.
    query_tokens:       the indices of the query's tokens.
    query_text:         for cross-attention: the text that the query is in.
    continued_at:       how many characters of the text were given; the rest was generated or is the target.
    fixed:              the indices of the tokens that the target is read from, which cannot be removed.
    shared_words:       runs of words, (first, last + 1), that one token covers or that tokens connect: nothing tells
                        them apart, so their score is spread over their characters.
    windows:            the characters (start, end) of the windows in which a long text was read.
    coverage:           through how many of the layers that mix tokens attention was followed, and how many these are.
    answer:             the target as a text, and what it is compared with.
    turns:              of a chat, where each turn stands in the text: {"1 user": (start, end), …}.
    template:           what the chat template wrote before, between and after the pieces of the chat, which is read
                        and not drawn.
    mechanism:          of linear attention: what the layer computes, such as "gated delta rule".
    rebuilt:            of linear attention: how far its matrix times the values misses the layer's output, as a share.
    by_head:            what each head of each layer has in the scores, summed: {"0": (head, …), …}.
    interactions:       the pairs of words that do more or less together than each alone, as far as intervals tell.
    """

    value: float | None = None
    excluded_mass: float | None = None
    completeness_error: float | None = None
    baseline_value: float | None = None
    standard_error: tuple[float, ...] | None = None
    r_squared: float | None = None
    steps: int | None = None
    to_target: float | None = None
    query_tokens: tuple[int, ...] | None = None
    query_text: str | None = None
    continued_at: int | None = None
    fixed: tuple[int, ...] = ()
    shared_words: tuple[tuple[int, int], ...] = ()
    windows: tuple[tuple[int, int], ...] = ()
    coverage: tuple[int, int] | None = None
    answer: tuple[str, ...] = ()
    turns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    template: tuple[str, ...] = ()
    mechanism: str | None = None
    rebuilt: float | None = None
    by_head: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read it from a saved result. Raises ValueError, saying what is wrong."""
        impossible = isinstance(data, dict) and data.get("value") == NEVER
        measured = checked({**data, "value": None} if impossible else data, _MEASURED, "measured")
        if impossible:
            measured["value"] = -math.inf
        for name, kinds in (("standard_error", NUMBER), ("query_tokens", (int,)), ("fixed", (int,))):
            if measured[name] is not None:
                measured[name] = checked_tuple(measured[name], kinds, name)
        for name in ("shared_words", "windows"):
            measured[name] = tuple(_span(span, name) for span in measured[name] or ())
        if measured["coverage"] is not None:
            measured["coverage"] = checked_tuple(measured["coverage"], (int,), "coverage", 2)
        measured["turns"] = {name: _span(span, f"turn {name!r}") for name, span in (measured["turns"] or {}).items()}
        by_head = measured["by_head"] or {}
        measured["by_head"] = {layer: checked_tuple(by_head[layer], NUMBER, f"layer {layer}") for layer in by_head}
        measured["interactions"] = tuple(Interaction.read(one) for one in measured["interactions"] or ())
        for name in ("template", "answer"):
            measured[name] = checked_tuple(measured[name] or (), (str,), name)
        return cls(**measured)


_FLAG: Kinds = (bool,)
_NUMBER_OR_NOT: Kinds = (*NUMBER, NoneType)
_COUNT_OR_NOT: Kinds = (int, NoneType)
_TEXT_OR_NOT: Kinds = (str, NoneType)
_LIST_OR_NOT: Kinds = (list, NoneType)
_ITEMS_OR_NOT: Kinds = (list, tuple, NoneType)
_OBJECT_OR_NOT: Kinds = (dict, NoneType)
_ASKED: dict[str, Kinds] = {
    "options": (dict,), "target": _TEXT_OR_NOT, "quantity": _TEXT_OR_NOT, "unit": (str,), "segments": (dict,),
    "within": _LIST_OR_NOT, "query": (int, str, NoneType), "stack": (str,), "chat": _FLAG, "truncate": _FLAG,
    "window": _COUNT_OR_NOT,
    "text_pair": _TEXT_OR_NOT, "target_token": _TEXT_OR_NOT, "messages": _ITEMS_OR_NOT, "tools": _ITEMS_OR_NOT,
    "chat_template_kwargs": _OBJECT_OR_NOT,
}  # fmt: skip
# How a file says minus infinity, the log-probability of what the model rules out: JSON has no such number.
NEVER = "-inf"
_MEASURED: dict[str, Kinds] = {
    "value": _NUMBER_OR_NOT, "excluded_mass": _NUMBER_OR_NOT, "completeness_error": _NUMBER_OR_NOT,
    "baseline_value": _NUMBER_OR_NOT, "standard_error": _LIST_OR_NOT, "r_squared": _NUMBER_OR_NOT,
    "steps": _COUNT_OR_NOT, "to_target": _NUMBER_OR_NOT, "query_tokens": _LIST_OR_NOT, "query_text": _TEXT_OR_NOT,
    "continued_at": _COUNT_OR_NOT, "fixed": (list,), "shared_words": _LIST_OR_NOT, "windows": _LIST_OR_NOT,
    "coverage": _LIST_OR_NOT, "turns": _OBJECT_OR_NOT, "template": _ITEMS_OR_NOT, "answer": _ITEMS_OR_NOT,
    "mechanism": _TEXT_OR_NOT, "rebuilt": _NUMBER_OR_NOT, "by_head": _OBJECT_OR_NOT,
    "interactions": _ITEMS_OR_NOT,
}  # fmt: skip


def _span(data: Any, what: str) -> tuple[int, int]:
    start, end = checked_tuple(data, (int,), what, 2)
    return start, end


class Result(ABC):
    """A result: frozen data whose files name its type. Subclasses are final dataclasses, each with a row of TYPES."""

    type: ClassVar[str]
    # The names of its tables; the first is the default.
    tables: ClassVar[tuple[str, ...]]

    @abstractmethod
    def _body(self) -> dict[str, Any]:
        """The JSON object, without schema and type."""

    @classmethod
    @abstractmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        """The result from what `_body` returned. A wrong value raises ValueError, TypeError or KeyError."""

    @abstractmethod
    def _columns(self, of: str) -> Columns:
        """The columns of one of `tables`."""

    @abstractmethod
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to `path`, whole or not at all."""

    @classmethod
    @abstractmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, or DamagedFileError saying what is wrong with the file."""

    def columns(self, of: str | None = None) -> Columns:
        """A table of the result: name -> array (row,), with NaN or None where there is no value.

        of: one of `tables`; by default the first. Raises InputError for another name.

        `pandas.DataFrame(result.columns())` and `polars.DataFrame(result.columns())` accept it as it is.
        """
        if of is not None and of not in self.tables:
            raise InputError(f"there is no table {of!r} here; choose from {', '.join(self.tables)}")
        return self._columns(of or self.tables[0])

    def to_pandas(self, of: str | None = None) -> Any:
        """`columns(of)` as a pandas.DataFrame. Raises MissingExtraError where pandas is not installed."""
        return data_frame(self.columns(of))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The first table by the Arrow PyCapsule interface: `polars.DataFrame(result)`, `pyarrow.table(result)`."""
        return arrow_stream(self.columns(), requested_schema)

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON (docs/schema.md) as a mapping."""
        return {"schema": SCHEMA, "type": self.type, **self._body()}

    def to_json(self) -> str:
        """The documented JSON (docs/schema.md), one line. Floats are written so that they load bit for bit.

        Raises NonFiniteError for NaN and infinity, which JSON does not have.
        """
        data = self.to_dict()
        try:
            return json.dumps(data, ensure_ascii=False, allow_nan=False)
        except ValueError as error:
            raise NonFiniteError(f"the {self.type} holds a number that JSON does not have ({error})") from error

    @classmethod
    def read(cls, data: Any) -> Self:
        """The result in a mapping of this schema or an older one. Raises ValueError, TypeError or KeyError."""
        data = upgraded(data)
        if (given := type_of(data)) != cls.type:
            raise ValueError(f"its type is {given!r}, not {cls.type!r}: load it with attnscope.load_result")
        return cls._read(data)

    @classmethod
    def from_dict(cls, data: Any, source: str = "the document") -> Self:
        """The result in a mapping of this schema or an older one. Raises DamagedFileError, naming `source`."""
        with damage(source):
            return cls.read(data)

    @classmethod
    def from_json(cls, document: str, source: str = "the document") -> Self:
        """What `to_json` wrote. Raises DamagedFileError, naming `source`, for anything else."""
        return cls.from_dict(parsed(document, source), source)

    def cite(self) -> References:
        """What to write of it in a paper: a sentence for the methods section, and the BibTeX of what that cites."""
        # Who found what stands beside the methods, above this room, without torch. Imported when it is asked for.
        found: References = importlib.import_module("attnscope.methods.papers.sentences").references(self)
        return found

    def _repr_html_(self) -> str:
        # The only place where a result calls its renderers: a notebook calls this method. Imported when it does.
        notebook_html = importlib.import_module("attnscope.render").notebook_html
        html: str = notebook_html(self)
        return html


class Document(Result):
    """A result whose file is its JSON."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON to `path`, whole or not at all."""
        write_atomically(path, encoded(self.to_json()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, or DamagedFileError saying what is wrong with the file."""
        return cls.from_json(text_of(path), str(path))


def type_of(data: Any) -> str:
    """The type that a document names. Raises ValueError where it names none, or has an unknown schema."""
    if not isinstance(data, dict) or "schema" not in data:
        raise ValueError("it has no schema number, so it was not saved by attnscope")
    if data["schema"] != SCHEMA:
        raise ValueError(
            f"its schema is {data['schema']!r} and this attnscope reads 1 and {SCHEMA}: install the one that wrote it"
        )
    given = data.get("type")
    if not isinstance(given, str) or given not in TYPES:
        raise ValueError(f"its type is {given!r}, expected one of {', '.join(TYPES)}")
    return given


def load_result(path: str | os.PathLike[str]) -> Any:
    """Load any saved result; its file says its type: JSON, JSON lines (an evaluation) or safetensors (maps).

    A folder, or the address of one, is a survey's.

    Raises FileNotFoundError, or DamagedFileError saying what is wrong with the file.

    >>> ats.explain(model, "The film is great. I am", method="gradient", target=" happy").save("words.json")
    >>> ats.load_result("words.json").words[0].text
    'The'
    """
    if "://" in os.fspath(path) or Path(path).is_dir():
        return importlib.import_module("attnscope.results.corpus.survey").Survey.load(path)
    if Path(path).suffix.lower() == ".safetensors":
        maps: Result = class_of("attention_maps").load(path)
        return maps
    document = text_of(path)
    # The first of JSON lines says what they are.
    data, rest = first_value(document, str(path))
    with damage(str(path)):
        data = upgraded(data)
        saved = class_of(type_of(data))
        if not rest.strip():
            result: Result = saved.read(data)
        elif saved.type == "evaluation":
            result = saved.from_lines(document, str(path))
        else:
            raise ValueError(f"something follows its JSON: {rest.strip()[:40]!r}")
    return result


def class_of(tag: str) -> Any:
    """The class of a type in TYPES."""
    module, name = TYPES[tag].split(":")
    return getattr(importlib.import_module(module), name)
