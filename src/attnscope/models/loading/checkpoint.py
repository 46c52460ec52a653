"""A checkpoint → a model and its tokenizer, with the class that the checkpoint was made for."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from attnscope.errors import MissingExtraError, ModelError
from attnscope.models.loading import bundled
from attnscope.models.loading.adapters import adapted, adapter_config_of, base_of, brought_whole

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
# Ways to spread a model over devices.
_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
# Parts that no method reads: neither attention nor a language-model loss depends on them.
UNREAD = ("pooler.", "position_ids", "seq_relationship")


@dataclass(frozen=True)
class Checkpoint:
    """What was loaded. net may be a PEFT model; shown is the name to write into results."""

    net: Any
    tokenizer: PreTrainedTokenizerBase
    shown: str
    revision: str | None


def opened(name: str | Path | None, *, adapter: bool = True, **options: Any) -> Checkpoint:
    """Load a hub id, a folder, a `.gguf` file, an adapter's folder or the bundled model.

    adapter: whether an adapter's folder gives its base model with the adapter. options: device_map, dtype, revision,
    trust_remote_code. Raises ModelError.
    """
    source, shown, gguf = _found(name)
    if name is None or shown == bundled.NAME:
        options["revision"] = None
    if (config := adapter_config_of(source)) is not None:
        return _with_adapter(config, shown, adapter, options)
    try:
        return _opened(source, shown, gguf, **options)
    except ModelError:
        config = None if isinstance(source, Path) else adapter_config_of(source, options["revision"], on_hub=True)
        if config is None:
            raise
        return _with_adapter(config, shown, adapter, options)


def _with_adapter(config: Path, shown: str, adapter: bool, options: dict[str, Any]) -> Checkpoint:
    base, auto, settings = base_of(config)
    missing: list[str] = []
    try:
        source, base_shown, gguf = _found(base)
        # The revision is the adapter's.
        loaded = _opened(
            source, base_shown, gguf, auto=auto, settings=settings, missing=missing, **options | {"revision": None}
        )
    except ModelError as error:
        raise ModelError(f"{shown} is an adapter of the model {base!r}, which cannot be loaded: {error}") from error
    net = loaded.net
    if adapter:
        net = adapted(net, config.parent, shown)
        missing = [key for key in missing if not key.startswith(brought_whole(net))]
    _check_trained(missing, base_shown, loaded.net)
    own = any((config.parent / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json"))
    tokenizer = AutoTokenizer.from_pretrained(config.parent) if own else loaded.tokenizer
    return Checkpoint(net, tokenizer, base_shown, loaded.revision)


def _found(name: str | Path | None) -> tuple[str | Path, str, str | None]:
    """Where to load from, the name to show, and the `.gguf` file in that folder, if it is one."""
    if name is None or str(name) == bundled.NAME:
        return bundled.folder(), bundled.NAME, None
    if not isinstance(name, str | Path):
        raise ModelError(f"a model's name is a hub id, a folder or a .gguf file, not {type(name).__name__}")
    path, shown = Path(name).expanduser(), str(name)
    if not path.exists():
        if isinstance(name, Path) or _looks_like_a_path(shown):
            raise ModelError(f"no such model folder or file: {shown}; check the path, or give a hub id like 'gpt2'")
        return shown, shown, None
    if not path.is_file():
        return path, shown, None
    if path.suffix != ".gguf":
        raise ModelError(f"{path} is a file but not a .gguf file; give a hub id, a checkpoint folder or a .gguf file")
    _needs_gguf()
    return path.parent, shown, path.name


def _opened(
    source: str | Path,
    shown: str,
    gguf: str | None,
    *,
    auto: str | None = None,
    settings: dict[str, Any] | None = None,
    missing: list[str] | None = None,
    device_map: Any = None,
    dtype: Any = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Checkpoint:
    """auto: the class, where the checkpoint's own name for it does not say. settings: of the configuration.

    missing: gets the weights that the checkpoint does not have; without it, they are an error.
    """
    passed: dict[str, Any] = {"revision": revision, "trust_remote_code": trust_remote_code}
    if gguf is not None:
        passed["gguf_file"] = gguf
    # A map of devices needs accelerate; one device does not.
    moved = device_map not in _MAPS and isinstance(device_map, str | torch.device) and not find_spec("accelerate")
    # Weights made under the caller's inference_mode could pass no gradient.
    with torch.inference_mode(False):
        try:
            config = AutoConfig.from_pretrained(source, **passed, **(settings or {}))
            loader = _loader(config, auto or ("AutoModelForCausalLM" if gguf else _auto_class(config)))
            tokenizer = AutoTokenizer.from_pretrained(source, **passed)
            net, info = loader.from_pretrained(
                source,
                **passed,
                **({"config": config} if settings else {}),
                dtype=dtype or "auto",
                device_map=None if moved else device_map,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelError(_unloadable(shown, error)) from error
    absent = sorted(key for key in info["missing_keys"] if not any(part in key for part in UNREAD))
    if missing is None:
        _check_trained(absent, shown, net)
    else:
        missing += absent
    if moved:
        net.to(device_map)
    return Checkpoint(net.eval(), tokenizer, shown, revision or getattr(config, "_commit_hash", None))


def _check_trained(missing: list[str], shown: str, net: PreTrainedModel) -> None:
    if missing:
        raise ModelError(
            f"{shown} has no trained weights for {', '.join(missing[:3])}{' and more' * (len(missing) > 3)}: they "
            f"would be random, and so would be every explanation; load a checkpoint saved as {type(net).__name__}"
        )


def _auto_class(config: Any) -> str:
    architecture = (getattr(config, "architectures", None) or [""])[0]
    name = next((auto for end, auto in CLASSES.items() if architecture.endswith(end)), "AutoModel")
    if name == "AutoModelForSeq2SeqLM" and not getattr(config, "is_encoder_decoder", False):
        # Models of text and pictures call themselves "ForConditionalGeneration" too.
        causal = type(config) in AutoModelForCausalLM._model_mapping
        return "AutoModelForCausalLM" if causal else "AutoModelForMultimodalLM"
    if architecture == "ElectraForPreTraining":
        return "AutoModel"  # a discriminator: it detects replaced tokens, it predicts none
    return name


def _loader(config: Any, auto: str) -> Any:
    """The Auto class, or where it does not know the configuration, the class that the checkpoint names."""
    loader = getattr(transformers, auto)
    if type(config) in loader._model_mapping or getattr(config, "auto_map", None):
        return loader
    return getattr(transformers, (getattr(config, "architectures", None) or [""])[0], loader)


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
            f"({reason.rstrip('.')}); check the spelling, or run without a model name for the bundled {bundled.NAME}"
        )
    return f"{name!r} cannot be loaded as a transformers model: {reason}"
