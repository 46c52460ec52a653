"""A name → a model and its tokenizer, with the class that its checkpoint was made for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import logging as hub_logging
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from attnscope.errors import MissingExtraError, ModelError
from attnscope.models.loading import bundled
from attnscope.models.loading.hardware import use_huge_pages

# The end of an architecture's name → the Auto class that loads it. Anything else is loaded without a head.
CLASSES = {
    "ForCausalLM": "AutoModelForCausalLM",
    "LMHeadModel": "AutoModelForCausalLM",
    "ForMaskedLM": "AutoModelForMaskedLM",
    "ForPreTraining": "AutoModelForMaskedLM",
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForConditionalGeneration": "AutoModelForSeq2SeqLM",
}
# Parts that no method reads: neither attention nor a language-model loss depends on them.
UNREAD = ("pooler.", "position_ids", "seq_relationship")


@dataclass(frozen=True)
class Model:
    """A transformers model and its tokenizer, as every call of attnscope takes them.

    name and revision are written into results; `attnscope.load` fills them in.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str = ""
    revision: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, PreTrainedModel):
            raise ModelError(
                f"attnscope.Model takes a transformers model, not {type(self.model).__name__}; to load one by its name "
                "call attnscope.load(name)"
            )
        if not callable(self.tokenizer):
            raise ModelError(f"attnscope.Model takes a transformers tokenizer, not {type(self.tokenizer).__name__}")
        if not self.name:
            object.__setattr__(self, "name", self.model.name_or_path or type(self.model).__name__)

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
        # T5 states 512 positions but has none: its distances are relative.
        return None if config.model_type in {"t5", "mt5", "umt5"} else getattr(config, "max_position_embeddings", None)


def load(
    name: str | Path | Model | None = None,
    *,
    device_map: Any = None,
    dtype: Any = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Model:
    """Load a model and its tokenizer.

    name: a hub id ("gpt2"), a folder, a `.gguf` file, a Model (returned as it is), or None for the bundled
        SmolLM2-135M-Instruct, which is fetched once into the cache folder (`ATTNSCOPE_CACHE` moves it).
    device_map, dtype, revision, trust_remote_code: passed on to transformers; remote code is off by default.

    Sets `THP_MEM_ALLOC_ENABLE=1` for this process and what it starts, unless it is set: torch then asks Linux for huge
    pages, and long texts are faster.

    The class follows the checkpoint's own architecture: causal or masked language model, sequence or token classifier,
    encoder–decoder, bare encoder. Raises ModelError where there is no such model, or where its head has no trained
    weights: an explanation of a randomly initialised head would be a false result.
    """
    if isinstance(name, Model):
        return name
    if isinstance(name, PreTrainedModel):
        raise ModelError("attnscope needs the tokenizer too: pass attnscope.Model(model, tokenizer)")
    use_huge_pages()
    passed = {"revision": revision, "trust_remote_code": trust_remote_code}
    if name is None or str(name) == bundled.NAME:
        folder: str | Path = bundled.folder()
        shown = bundled.NAME
        passed["revision"] = None
    else:
        folder, shown = Path(name).expanduser() if Path(name).expanduser().exists() else str(name), str(name)
    extra: dict[str, Any] = {}
    if isinstance(folder, Path) and folder.is_file():
        if folder.suffix != ".gguf":
            raise ModelError(
                f"{folder} is a file but not a .gguf file; give a hub id, a checkpoint folder or a .gguf file"
            )
        extra["gguf_file"], folder = folder.name, folder.parent
        _needs_gguf()
    elif not isinstance(folder, Path) and _looks_like_a_path(folder):
        raise ModelError(f"no such model folder or file: {folder}; check the path, or give a hub id like 'gpt2'")
    # Weights made under the caller's inference_mode could pass no gradient.
    with _quiet(bar=bool(extra)), torch.inference_mode(False):
        try:
            config = AutoConfig.from_pretrained(folder, **passed, **extra)
            auto = getattr(transformers, _auto_class(config, gguf=bool(extra)))
            tokenizer = AutoTokenizer.from_pretrained(folder, **passed, **extra)
            net, info = auto.from_pretrained(
                folder, **passed, **extra, dtype=dtype or "auto", device_map=device_map, output_loading_info=True
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelError(_unloadable(shown, error)) from error
    missing = sorted(key for key in info["missing_keys"] if not any(part in key for part in UNREAD))
    if missing:
        raise ModelError(
            f"{shown} has no trained weights for {', '.join(missing[:3])}{' and more' * (len(missing) > 3)}: they "
            f"would be random, and so would be every explanation; load a checkpoint saved as {type(net).__name__}"
        )
    return Model(net.eval(), tokenizer, shown, revision or getattr(config, "_commit_hash", None))


def _auto_class(config: Any, gguf: bool) -> str:
    if gguf:
        return "AutoModelForCausalLM"
    architecture = (getattr(config, "architectures", None) or [""])[0]
    name = next((auto for end, auto in CLASSES.items() if architecture.endswith(end)), "AutoModel")
    if name == "AutoModelForSeq2SeqLM" and not getattr(config, "is_encoder_decoder", False):
        return "AutoModelForCausalLM"  # models of text and images call themselves "ForConditionalGeneration" too
    if architecture == "ElectraForPreTraining":
        return "AutoModel"  # a discriminator: it detects replaced tokens, it predicts none
    return name


def _looks_like_a_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name or name.endswith(".gguf")


def _needs_gguf() -> None:
    try:
        import accelerate  # type: ignore[import-untyped]  # noqa: F401
        import gguf  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"reading a .gguf file needs {error.name}: run pip install 'attnscope[bundled]'"
        ) from error


def _unloadable(name: str, error: Exception) -> str:
    reason = " ".join(str(error).split())
    if isinstance(error, OSError):
        return (
            f"no model {name!r}: it is no folder or .gguf file here, and the model hub did not give it "
            f"({reason[:200]}); check the spelling, or run without a model name for the bundled {bundled.NAME}"
        )
    return f"{name!r} cannot be loaded as a transformers model: {reason[:300]}"


@contextmanager
def _quiet(bar: bool) -> Iterator[None]:
    """Loading says what matters through errors; transformers' report, retries and bars would repeat it.

    bar: keep the progress bar, for loads that take a while.
    """
    level, hub_level = transformers_logging.get_verbosity(), hub_logging.get_verbosity()
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    if not bar:
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        hub_logging.set_verbosity(hub_level)
        if shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
