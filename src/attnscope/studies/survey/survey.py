"""`ats.survey`: explain a whole corpus into a folder of tables."""

import os
from collections.abc import Sequence
from typing import Any, Literal

from attnscope.errors import InputError
from attnscope.methods.gradient.gradient import gradient
from attnscope.models.loading.load import Model, load
from attnscope.results.corpus.survey import Survey
from attnscope.results.files.folder import Folder, arrow
from attnscope.studies.survey.parts import TEXTS, Shard
from attnscope.studies.survey.request import Chosen, ask_of
from attnscope.studies.survey.rows import Columns
from attnscope.studies.survey.running import run_here


def survey(
    model: Model,
    data: Any,
    method: Chosen | Sequence[Chosen] = gradient.__name__,
    *,
    to: str | os.PathLike[str],
    labels: Sequence[str | int] = (),
    template: str | None = None,
    text_column: str | None = None,
    messages_column: str | None = None,
    pair_column: str | None = None,
    target_column: str | None = None,
    gold_column: str | None = None,
    id_column: str | None = None,
    rationale_column: str | None = None,
    keep: Sequence[str] = (),
    heads: bool = False,
    shard: str | tuple[int, int] | None = None,
    part_texts: int = TEXTS,
    engine: Literal["here", "ray"] = "here",
    concurrency: int = 2,
    num_cpus: float = 1,
    num_gpus: float = 0,
    batch_size: int | None = None,
    address: str | None = None,
    **parameters: Any,
) -> Survey:
    """Explain every text of a corpus, and write the words' scores into a folder of Parquet tables.

    data:      a .csv, .tsv, .jsonl, .parquet or .txt file, a pattern, a folder or an address of such files (whatever
               pyarrow's file systems read); a datasets.Dataset or IterableDataset; a pandas, polars or pyarrow table;
               or any iterable of texts, chats or mappings with columns.
    method:    a name of METHODS, a method of your own, or a list of these; with parameters of its own a method is a
               pair, ("integrated_gradients", {"steps": 40}).
    to:        the folder, or the address of one. A run that was stopped, at whatever moment, goes on when it is called
               again: parts that are there are not done again, and the tables are the same, to the last bit, as those of
               a run that was not stopped. A folder that other settings, another model or other data filled is refused.
    labels:    the answers to predict among, as the model would write them (" positive"); a classifier has its own. The
               likeliest one is explained, of two against the other, unless a target is given.
    template:  a text to put each text into, such as "Review: {text}\\nSentiment:"; only the words of {text} are scored.
    text_column, messages_column, pair_column, target_column, gold_column, id_column: see
               `attnscope.studies.survey.rows.Columns`; by default columns named text (or messages), text_pair, target,
               gold and id are taken.
    rationale_column: pieces that people find important, [[start, end], …] in characters.
    keep:      further columns that go into the table of texts.
    heads:     profile the attention heads too, as `head_profiles` does, on the same texts; their effect on
               `target` as well, where one is given for all texts.
    shard:     "3/16" for the third of sixteen runs that share the work, with the same folder.
    part_texts: how many texts make a part at most: what runs at once, and what is lost when a run is killed.
    engine:    "ray" for actors on this machine or a cluster (docs/clusters.md): `concurrency` copies of the model, each
               with `num_cpus` and `num_gpus`, on the cluster at `address`; `batch_size` is another name of part_texts.
    parameters: of the methods, as `explain` takes them.

    The result reads the tables: `.words()`, `.texts()`, `.heads()` (`attnscope.results.corpus.survey`). A text that
    cannot be explained has a row with its error. Memory does not grow with the number of texts.

    Raises InputError, OutputError, MissingExtraError without pyarrow.

    >>> rows = [{"text": "A warm film. It is", "gold": " good"}, {"text": "A dull film. It is", "gold": " bad"}]
    >>> done = ats.survey(model, rows, method="gradient", labels=[" good", " bad"], to="reviews")
    >>> done.texts(["text", "gold", "prediction"]).to_pylist()[1]
    {'text': 'A dull film. It is', 'gold': ' bad', 'prediction': ' good'}
    """
    arrow()
    model = load(model)
    columns = Columns(
        text_column,
        messages_column,
        pair_column,
        target_column,
        gold_column,
        id_column,
        rationale_column,
        (keep,) if isinstance(keep, str) else tuple(keep),
    )
    ask = ask_of(
        model,
        method,
        parameters,
        labels=labels,
        template=template,
        columns=columns,
        part_texts=part_texts if batch_size is None else batch_size,
        heads=heads,
    )
    if engine == "ray":
        from attnscope.studies.survey.on_ray import Workers, run_on_ray

        workers = Workers(concurrency, num_cpus, num_gpus, address)
        return run_on_ray(model, data, ask, Folder(to), Shard.read(shard), workers)
    if engine != "here":
        raise InputError(f"engine={engine!r}: choose 'here' or 'ray'")
    return run_here(model, data, ask, Folder(to), Shard.read(shard))
