"""A tiny configuration of any family: its default one with every size made small, by the setting's name."""

import re
from typing import Any

from transformers.configuration_utils import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from families.overrides import DEFAULT, OVERRIDES
from families.sizes import HEADS, KEY_HEAD_NAMES, KEY_HEADS, LAYERS, SIZES, VOCABULARY, name_set

_LEFT_ALONE = name_set(
    "_name_or_path transformers_version architectures model_type dtype id2label label2id num_labels rope_parameters"
)
# A list with one entry a layer: each kind of layer stays, in turn.
_OF_LAYERS = ("layer_types", "mlp_layer_types", "layers_block_type")
_HEAD_COUNTS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_TEXT_ENDS = ("pad_token_id", "bos_token_id", "eos_token_id")


def tiny_config(family: str) -> PreTrainedConfig:
    """The family's configuration, small enough for a model of a few hundred thousand weights."""
    return _shrunk(CONFIG_MAPPING[family], OVERRIDES.get(family, {}))


def _shrunk(made: type[PreTrainedConfig], overrides: dict[str, Any]) -> PreTrainedConfig:
    defaults = {name: value for name, value in vars(made()).items() if not name.startswith("_")}
    heads = next((defaults[name] for name in _HEAD_COUNTS if isinstance(defaults.get(name), int)), None)
    settings: dict[str, Any] = {}
    unused_id = VOCABULARY - 1  # of pictures, sounds and the like: each its own, and none of the text's
    for name, value in defaults.items():
        if name in _LEFT_ALONE or isinstance(value, bool):
            continue
        if isinstance(value, PreTrainedConfig):
            settings[name] = _shrunk(type(value), OVERRIDES.get(value.model_type, {})).to_dict()
        elif name in SIZES and _is_size(name, value):
            settings[name] = SIZES[name]
        elif name in KEY_HEAD_NAMES and isinstance(value, int):
            settings[name] = HEADS if value == heads else min(value, KEY_HEADS)
        elif re.search(r"(token_id|token_index)$", name) and isinstance(value, int):
            unused_id -= 1
            settings[name] = unused_id
        elif name in _OF_LAYERS and isinstance(value, list):
            kinds = list(dict.fromkeys(value))
            count = max(LAYERS, len(kinds)) if name == "layer_types" else LAYERS
            settings[name] = [kinds[i % len(kinds)] for i in range(count)]
            if count > LAYERS:
                settings["num_hidden_layers"] = count
    if "qk_rope_head_dim" in defaults:  # latent attention makes its heads' width of parts
        settings.pop("head_dim", None)
        settings.pop("qk_head_dim", None)
    settings |= overrides
    return made(**{name: value for name, value in settings.items() if value is not DEFAULT})


def _is_size(name: str, value: object) -> bool:
    if name == "decoder_start_token_id" and value is None:
        return False
    return (
        isinstance(value, int)
        or (value is None and name in _TEXT_ENDS)
        or (isinstance(value, list) and name.endswith("token_id"))
    )
