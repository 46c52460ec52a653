"""Which pooling a model comes with: in a SentenceTransformer, or in the files that it writes beside a checkpoint."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel
from transformers.utils.hub import cached_file

from attnscope.models.architecture import task_of
from attnscope.models.targets.pooling import Pooling

# What pooling is called in these files, under its old names too.
_KINDS = {"mean": "mean", "cls": "cls", "max": "max", "lasttoken": "last"}
_OLD = "pooling_mode_"
_OLD_KINDS = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max", "lasttoken": "last"}


def pooling_within(given: object) -> Pooling | None:
    """The pooling of a SentenceTransformer; None for anything else, and where its text goes another way."""
    if not any(cls.__name__ == "SentenceTransformer" for cls in type(given).__mro__):
        return None
    model: Any = given
    text = (getattr(model[0], "modality_config", None) or {}).get("text", {"method": "forward"})
    named = text.get("method_output_name", "last_hidden_state")
    if text["method"] != "forward" or named not in ("last_hidden_state", ["last_hidden_state"], ("last_hidden_state",)):
        return None
    compared = getattr(model, "_similarity_fn_name", None) or "cosine"
    return Pooling(
        modules=tuple(list(model)[1:]),
        similarity=str(getattr(compared, "value", compared)),
        max_tokens=getattr(model, "max_seq_length", None),
        dims=getattr(model, "truncate_dim", None),
    )


def pooling_beside(net: PreTrainedModel) -> Pooling | None:
    """The pooling that the files beside a checkpoint name; None where they name none, or more than pooling and a norm.

    A model with a head is none of these.
    """
    return None if task_of(net) else _pooling_in(partial(_json, net.name_or_path or ""))


def _pooling_in(read: Callable[[str], Any]) -> Pooling | None:
    steps = read("modules.json")
    if not isinstance(steps, list):
        return None
    kinds = [str(step.get("type", "")).split(".")[-1] for step in steps]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]) or steps[0].get("path"):
        return None
    settings = read(f"{steps[1].get('path')}/config.json") or {}
    stated = settings.get("pooling_mode")
    chosen = [stated] if isinstance(stated, str) else list(stated or ())
    found = [_KINDS.get(kind) for kind in chosen] or [
        _OLD_KINDS.get(name.removeprefix(_OLD)) for name, value in settings.items() if name.startswith(_OLD) and value
    ]
    whole = read("config_sentence_transformers.json") or {}
    compared = whole.get("similarity_fn_name") or "cosine"
    if len(found) != 1 or found[0] is None or (whole.get("prompts") or {}).get(whole.get("default_prompt_name")):
        return None
    # A norm after the pooling changes no cosine, and makes one of a product.
    similarity = "cosine" if compared == "dot" and kinds[2:] else compared
    if similarity not in ("cosine", "dot") and kinds[2:]:
        return None
    longest = (read("sentence_bert_config.json") or {}).get("max_seq_length")
    return Pooling(found[0], similarity=similarity, max_tokens=longest)


def _json(source: str, file: str) -> Any:
    """A file of a folder, or of the hub where it can be had."""
    try:
        path = Path(source) / file if Path(source).is_dir() else cached_file(source, file)
        return json.loads(Path(path or "").read_text("utf-8"))
    except (OSError, ValueError):
        return None
