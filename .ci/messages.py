"""The catalogues of what attnscope says: which messages there are, and `locale/` brought up to date.

    python .ci/messages.py          brings each .po up to date and compiles it; what it lacks stays empty in it
    python .ci/messages.py --check  fails where a message has no translation, or a .mo is not its .po's

Messages stand in Python (`say`), in the viewer (`t`, `phrase`, `later`; texts and labels of its elements), in the help
of the command line, and in errors (`error_sentences.py`): these are recognised by their sentence, with its values in
braces.
"""

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

sys.path.insert(0, str(Path(__file__).parent))
from error_sentences import name_of, sentences_in, trees_of
from quoted_clauses import clauses_in

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "attnscope"
VIEWER = PACKAGE / "render" / "viewer"
LANGUAGES = ("ja",)
_SAYS = frozenset({"say", "told", "tell"})
_IN_SCRIPT = re.compile(r'\b(?:t|phrase|later)\(\s*("(?:[^"\\]|\\.)*")')


@cache
def messages() -> dict[str, str]:
    """Every message that has to be translated, and the kind of place where it stands."""
    found: dict[str, str] = {}
    for kind, some in (
        ("python", _in_python()),
        ("viewer", _in_viewer()),
        ("help", _in_help()),
        ("table", _in_tables()),
        ("error", sentences_in(PACKAGE)),
        ("error", _quoted()),
    ):
        for message in some:
            found.setdefault(message, kind)
    return found


def _in_python() -> Iterator[str]:
    trees = trees_of(PACKAGE)
    constants: dict[str, str] = {}
    for tree in trees.values():
        for node in tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                constants[name_of(node.targets[0])] = node.value.value
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SAYS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value
                elif isinstance(first, ast.Name) and first.id in constants:
                    yield constants[first.id]


def _in_viewer() -> Iterator[str]:
    from attnscope.render.html.bundle import messages_of

    for path in sorted(VIEWER.rglob("*")):
        if path.suffix == ".js":
            yield from (json.loads(one) for one in _IN_SCRIPT.findall(path.read_text("utf-8")))
        elif path.suffix == ".html" and path.name != "frame.html":
            yield from messages_of(path.read_text("utf-8"))


def _in_help() -> Iterator[str]:
    import typer

    from attnscope.cli import app
    from attnscope.cli.spoken import sentences

    yield from sentences(typer.main.get_command(app))
    yield "Write {formats} or {last}. Default: print in the terminal."
    yield from ("Arguments", "Options", "Commands", "Show this message and exit.")


def _in_tables() -> Iterator[str]:
    """What tables say of methods, metrics, statistics and extras, and names that pages look up."""
    from attnscope.cli.machine.doctor import EXTRAS, PARTS
    from attnscope.methods.table import METHODS
    from attnscope.metrics.table import METRICS
    from attnscope.results.attention_maps import STATISTICS
    from attnscope.results.corpus.head_profiles import PROFILE

    for method in METHODS.values():
        yield method.unit
    for name, (_, meaning) in STATISTICS.items():
        yield name.replace("_", " ")
        yield meaning
    for name, metric in METRICS.items():
        yield name.replace("_", " ")
        yield metric.value
    for name, (meaning, _) in PROFILE.items():
        yield name.replace("_", " ")
        yield meaning
    yield from EXTRAS.values()
    yield from PARTS
    yield from NAMES


def _quoted() -> Iterator[str]:
    """What errors quote from elsewhere: clauses, advice of tables, and what others say of a program or a file."""
    from attnscope.methods.plan import PLANNED

    yield from dict.fromkeys(clause for _, clause in clauses_in(PACKAGE))
    yield from dict.fromkeys(work.smaller for work in PLANNED.values())
    yield from QUOTED


# Of the system, of the library of the command line, and pieces that one module hands to another.
QUOTED = """
No such file or directory
Permission denied
Is a directory
Not a directory
No space left on device
Read-only file system
File name too long
Address already in use
Cannot assign requested address
Name or service not known
the other text
the whole text
layer
head
query
key
a table
line {number} of {what}
passage {number}
paragraph {number}
"mean" or "max"
the text has {length} tokens and at most {max_tokens} are allowed
the document
the view
the page
No such option: {option}
No such option: {option} (Possible options: {others})
No such command {name}.
No such command {name}. Did you mean {others}?
Missing command.
Missing argument {name}.
Missing option {name}.
Got unexpected extra argument(s) ({arguments})
Option {option} requires an argument.
Option {option} does not take a value.
Invalid value for {option}: {reason}
Value error, {reason}
Input should be greater than or equal to {least}
Input should be less than or equal to {most}
Input should be a valid integer, unable to parse string as an integer
Input should be a valid number, unable to parse string as a number
{value} is not one of {others}.
{value} is not a valid integer.
{value} is not a valid float.
""".strip().splitlines()

# Names of facts and of units, and sentences of results, as pages put them.
NAMES = """
in this layer
in {count} layers around this one
what a statement's log-probability loses without the source, as the heads' attention predicts it
the source's share of the statement's log-probability, by a gradient that sees through sharp attention
what the statement's log-probability loses, to first order, when nobody sees the source's tokens
how strongly the statement's log-probability reacts to the source's tokens, for it or against it
what a statement's log-probability loses without the source
the slope of the statement's log-odds on whether the source is there
how much of the heads' attention the source gets where the statement is predicted
how much the source supports the statement
each token
loss of the text itself (labels = input ids)
quantity
query
probability
value
steps
baseline_value
r_squared
query_text
continued_at
to_target
target_token
chat
tools
within
failed
sentences
segments
characters
character
task
square-root scale
fourth-root scale
Rank correlation of scores
Rank correlation of magnitudes
By task
By attack
all
Words of the left text
Words of the right text
changed
replaced
inserted
deleted
delete
mask
pad
neutral
zero
higher
lower
better
probability of the label
cosine similarity
cosine
log-probability of {what}
loss of {what}
logit of {what}
probability of {what}
the text
the target
the other tokens
each token of {what}
the label {label}
the predicted label {label}
the generation {text}
the prediction {word} at the mask
the text's own {word} at the mask
the targets of {count} texts
the reply
{count} texts are few: take {enough} or more before you compare methods
{count} texts are few: take {enough} or more before you compare methods (and on fewer than {least} nothing is tested)
exact effects of {count} heads: the estimates are not checked
rank correlation of estimate and exact effect over all {count} heads: {rank}
rank correlation of estimate and exact effect over the {count} of {all} heads with the strongest estimates: {rank}
each column: the edges cut in this layer
each column: the edges cut in {window} layers around this one
head {head} of layer {layer}
layer {layer}
the word “{word}”
the attention from {query} to {key}
every token
The heads put out zeros, which may be far from all that they ever put out.
The heads put out the mean of their outputs on {source}.
The heads put out what they do at other tokens of {source}, {samples} times drawn.
{count} other texts
the text before its target
Edges were cut in every head of {where}. {rest}
all layers with attention weights
layers {layers}
The rest of a query's weights grew to sum to one.
The rest of a query's weights stayed as it was.
The rest of the query's weights grew to sum to one.
The rest of the query's weights stayed as it was.
Tokens also mix in {count} layers without attention weights, where no edge is cut.
Words were overwritten ({replacement}) and kept their places.
""".strip().splitlines()


def path_of(language: str) -> Path:
    """The catalogue of a language, as it is written by hand."""
    return PACKAGE / "locale" / language / "LC_MESSAGES" / "attnscope.po"


def read(language: str) -> Catalog:
    """The catalogue of a language."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, domain="attnscope")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="attnscope")


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    held = io.BytesIO()
    write_mo(held, catalog)
    return held.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """The messages that have to be translated and are not."""
    said = {one.id for one in catalog if one.string}
    return [message for message in messages() if message not in said]


def is_stale(language: str) -> bool:
    """Whether the compiled catalogue says something else than the one that is written by hand."""
    with path_of(language).with_suffix(".mo").open("rb") as file:
        held = vars(GNUTranslations(file))["_catalog"]
    return {k: v for k, v in held.items() if k} != {
        one.id: one.string for one in read(language) if one.id and one.string
    }


def update(language: str) -> None:
    """Write the catalogue anew: every message that there is, with the translation that it had."""
    before = read(language)
    new = Catalog(locale=language, domain="attnscope", project="attnscope", header_comment="# What attnscope says.")
    new.revision_date = new.creation_date = datetime(2026, 11, 29, tzinfo=UTC)
    for message, kind in messages().items():
        known = before.get(message)
        new.add(message, known.string if known else "", auto_comments=[kind])
    with path_of(language).open("wb") as file:
        write_po(file, new, width=0)
    path_of(language).with_suffix(".mo").write_bytes(compiled(new))


if __name__ == "__main__":
    lacking = False
    for one in LANGUAGES:
        if "--check" in sys.argv:
            stale = is_stale(one)
            lacks = missing(read(one))
            lacking |= bool(lacks) or stale
            sys.stdout.writelines(f"{one}: no translation of {message!r}\n" for message in lacks)
            sys.stdout.write(f"{one}: the .mo is not its .po's: python .ci/messages.py\n" if stale else "")
        else:
            update(one)
    sys.exit(int(lacking))
