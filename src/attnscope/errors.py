"""Everything attnscope raises on purpose.

    AttnscopeError
    ├── InputError                the input cannot be used as it is (the command line exits with 2)
    │   ├── TextError             empty, not text, or only special tokens
    │   ├── TextTooLongError      more tokens than the model has positions
    │   ├── TooLargeError         needs more memory than the machine has
    │   ├── QueryError            the query token or word is not in the text
    │   ├── RangeError            the model has no such layer or head
    │   ├── ModelError            there is no such model, or it cannot answer the question faithfully
    │   │   └── NoAttentionError  no layer of the model has attention weights
    │   └── OutputError           the output's folder or suffix cannot be used
    ├── DamagedFileError          a saved result that does not match its schema (exits with 2)
    └── FailureError              the input was fine, but the work failed (exits with 1)
        ├── MissingExtraError     an optional dependency is not installed
        ├── NonFiniteError        NaN or infinity among the scores
        └── DownloadError         the bundled model could not be fetched or converted

Each message says in one or two sentences what was given, what was expected and how to fix it. An AdviceWarning is no
error: `warnings.simplefilter("ignore", attnscope.AdviceWarning)` silences it.
"""

import importlib


class SpokenWarning(UserWarning):
    """A warning in the language of whom Python shows it to; `args` has it in English."""

    def __str__(self) -> str:
        return str(importlib.import_module("attnscope.translation").in_locale(super().__str__()))


class AdviceWarning(SpokenWarning):
    """What was asked is allowed, but hardly what was meant; one line says what would be.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", ats.AdviceWarning)
    ...     words = ats.explain(model, "Tokyo is in", method="gradient", target="Japan")  # no space before it
    """


class AttnscopeError(Exception):
    """Every error that attnscope raises on purpose.

    >>> ats.attention(model, "The castle on the hill", query="moat")
    Traceback (most recent call last):
        ...
    attnscope.errors.QueryError: the query 'moat' is not a word or phrase of the text: ...
    """

    def _render_traceback_(self) -> list[str]:
        # A notebook asks for it: one line, in the reader's language, instead of our own frames. The others are still
        # there for `%debug`, and the error's own text stays as it is.
        said = importlib.import_module("attnscope.translation").in_locale(str(self))
        return [f"\x1b[31m{type(self).__name__}\x1b[0m: {said}"]


class InputError(AttnscopeError, ValueError):
    """The input cannot be used as it is."""


class TextError(InputError):
    """The text is empty, is not text, or has only special tokens."""


class TextTooLongError(InputError):
    """The text has more tokens than the model has positions."""


class TooLargeError(InputError):
    """The request needs more memory than the machine has."""


class QueryError(InputError):
    """The query token or word is not in the text."""


class RangeError(InputError):
    """The model has no such layer or head."""


class ModelError(InputError):
    """There is no such model, or it cannot answer the question faithfully."""


class NoAttentionError(ModelError):
    """No layer of the model has attention weights."""


class OutputError(InputError):
    """The output's folder or suffix cannot be used."""


class DamagedFileError(AttnscopeError):
    """A saved result does not match its schema."""


class FailureError(AttnscopeError, RuntimeError):
    """The input was fine, but the work failed."""


class MissingExtraError(FailureError):
    """An optional dependency is not installed."""


class NonFiniteError(FailureError):
    """The scores contain NaN or infinity."""


class DownloadError(FailureError):
    """The bundled model could not be fetched or converted."""
