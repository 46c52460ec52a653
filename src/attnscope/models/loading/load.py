"""`ats.Model` and `ats.load`: whatever holds a transformers model → that model and its tokenizer, ready to run."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attnscope.errors import ModelError
from attnscope.models.loading.adapters import adapters_of, with_adapter
from attnscope.models.loading.checkpoint import opened
from attnscope.models.loading.hardware import use_huge_pages
from attnscope.models.loading.quiet import quiet
from attnscope.models.loading.text_vectors import pooling_beside, pooling_within
from attnscope.models.loading.wrappers import taken_off
from attnscope.models.targets.pooling import Pooling


@dataclass(frozen=True, init=False)
class Model:
    """A transformers model and its tokenizer, as every call of attnscope takes them.

    name and revision are written into results; `attnscope.load` fills them in. pooling: how the vectors of its tokens
    become one vector for the text, where that is known: what `similar_to` compares.

    >>> wrapped = ats.Model(model.model, model.tokenizer, name="mine")
    >>> ats.attention(wrapped, "The castle on the hill").provenance["model"]
    'mine'
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str = ""
    revision: str | None = None
    pooling: Pooling | None = None

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        name: str = "",
        revision: str | None = None,
        *,
        adapter: str | bool = True,
        pooling: str | Pooling | None = None,
    ) -> None:
        """model: a transformers model, or what is around one: a PeftModel, a compiled model, DataParallel, a pipeline,
            a SentenceTransformer or CrossEncoder, a pair of model and tokenizer.
        tokenizer: may be left out where `model` brings it.
        adapter: of a model with PEFT adapters: True as it is, False without them, or the name of the one to use. With
            another choice than True, `model` becomes a second set of modules around the same weights, so that the
            model with and without its adapter can be compared.
        pooling: "mean", "cls", "max" or "last": how an encoder's token vectors become one vector for the text. A
            SentenceTransformer brings its own.

        Raises ModelError for anything else, and for adapters that attnscope cannot see (virtual tokens).
        """
        if isinstance(model, PreTrainedTokenizerBase):
            raise ModelError("the model comes first: attnscope.Model(model, tokenizer)")
        if isinstance(model, str | Path):
            raise ModelError(
                f"attnscope.Model takes a transformers model, not {type(model).__name__}; to load one by its name call "
                "attnscope.load(name)"
            )
        pooled = Pooling(pooling) if isinstance(pooling, str) else pooling or pooling_within(model)
        net, tokenizer = taken_off(model, tokenizer)
        net = with_adapter(net, adapter)
        if not name:
            name = " + ".join([net.name_or_path or type(net).__name__, *adapters_of(net)])
        fields = {"model": net, "tokenizer": tokenizer, "name": name, "revision": revision, "pooling": pooled}
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        return f"Model({self.name!r}, {type(self.model).__name__}, {self.model.dtype})"

    @property
    def positions(self) -> int | None:
        """How many tokens the model takes; None where nothing limits it."""
        for name, module in self.model.named_modules():
            if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
                # RoBERTa counts its positions from after the padding index.
                return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
        config = self.model.config.get_text_config()
        # T5 states 512 positions but has none: its distances are relative. XLNet states -1.
        stated = (
            None if config.model_type in {"t5", "mt5", "umt5"} else getattr(config, "max_position_embeddings", None)
        )
        return stated if isinstance(stated, int) and stated > 0 else None


def load(
    name: Any = None,
    *,
    device_map: Any = None,
    dtype: Any = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
    adapter: str | bool = True,
    pooling: str | None = None,
) -> Model:
    """Load a model and its tokenizer.

    name: a hub id ("gpt2"), a folder, also one with a PEFT adapter (its base model is loaded too), a `.gguf` file, or
        None for the bundled SmolLM2-135M-Instruct, which is fetched once into the cache folder (`ATTNSCOPE_CACHE` moves
        it); a Model (returned as it is); or anything that `attnscope.Model` takes.
    device_map, dtype, revision, trust_remote_code: passed on to transformers; remote code is off by default. Without
        device_map, the model is on the CPU.
    adapter: with PEFT adapters: True with them, False without, or the name of the one to use.
    pooling: "mean", "cls", "max" or "last": how an encoder's token vectors become one vector for the text, which
        `similar_to` compares. By default as the folder says that sentence-transformers wrote.

    Sets `THP_MEM_ALLOC_ENABLE=1` for this process and what it starts, unless it is set: torch then asks Linux for huge
    pages, and long texts are faster.

    The class follows the checkpoint's own architecture: causal or masked language model, sequence or token classifier,
    encoder–decoder, bare encoder; a model of text and pictures is loaded whole, and reads text. Raises ModelError where
    there is no such model, or where its head has no trained weights: an explanation of a randomly initialised head
    would be a false result.

    >>> model = ats.load()
    >>> ats.attention(model, "The castle on the hill").provenance["model"]
    'SmolLM2-135M-Instruct'
    """
    if isinstance(name, Model):
        own = Pooling(pooling) if pooling else name.pooling
        if adapter is True:
            return name if own is name.pooling else replace(name, pooling=own)
        return Model(name.model, name.tokenizer, adapter=adapter, pooling=own)
    if name is not None and not isinstance(name, str | Path):
        return Model(name, adapter=adapter, pooling=pooling)
    use_huge_pages()
    with quiet():
        found = opened(
            name,
            adapter=adapter is not False,
            device_map=device_map,
            dtype=dtype,
            revision=revision,
            trust_remote_code=trust_remote_code,
        )
        named = Pooling(pooling) if pooling else pooling_beside(found.net)
    model = Model(found.net, found.tokenizer, found.shown, found.revision, adapter=adapter, pooling=named)
    adapters = adapters_of(model.model)
    return replace(model, name=" + ".join([found.shown, *adapters])) if adapters else model
