"""Everything attnscope raises on purpose.

    AttnscopeError
    ├── InputError                what was given cannot be used as it is (the command line exits with 2)
    │   ├── TextError             empty, not text, or nothing but special tokens
    │   ├── TextTooLongError      longer than the model's positions
    │   ├── TooLargeError         more memory than the machine has
    │   ├── QueryError            the query token or word is not in the text
    │   ├── RangeError            a layer or head that the model does not have
    │   ├── ModelError            no such model, or one that cannot answer the question
    │   └── OutputError           the output's folder or suffix cannot be used
    ├── DamagedFileError          a saved result that does not keep to its schema (exits with 2)
    └── FailureError              the input was fine, the work failed (the command line exits with 1)
        ├── MissingExtraError     an optional dependency is not installed
        ├── NonFiniteError        NaN or infinity among the scores
        └── DownloadError         the bundled model could not be fetched or converted

Each message is one sentence or two that say what was given, what was expected and how to mend it.
"""


class AttnscopeError(Exception):
    """The root of the tree above."""


class InputError(AttnscopeError, ValueError):
    """What was given cannot be used as it is."""


class TextError(InputError):
    """The text is empty, not text, or nothing but special tokens."""


class TextTooLongError(InputError):
    """The text has more tokens than the model has positions."""


class TooLargeError(InputError):
    """The request takes more memory than the machine has."""


class QueryError(InputError):
    """The query token or word is not in the text."""


class RangeError(InputError):
    """The model has no such layer or head."""


class ModelError(InputError):
    """There is no such model, or it cannot answer the question faithfully."""


class OutputError(InputError):
    """The output's folder or suffix cannot be used."""


class DamagedFileError(AttnscopeError):
    """A saved result does not keep to its schema."""


class FailureError(AttnscopeError, RuntimeError):
    """The input was fine, the work failed."""


class MissingExtraError(FailureError):
    """An optional dependency is not installed."""


class NonFiniteError(FailureError):
    """NaN or infinity among the scores."""


class DownloadError(FailureError):
    """The bundled model could not be fetched or converted."""
