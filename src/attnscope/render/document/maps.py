"""Attention maps as data: JSON, and the safetensors file that they are mapped into memory from."""

import tempfile
from pathlib import Path

from attnscope.results.attention_maps import AttentionMaps


def render_json(maps: AttentionMaps) -> bytes:
    """The JSON document of docs/schema.md."""
    return maps.to_json().encode()


def render_safetensors(maps: AttentionMaps) -> bytes:
    """What `AttentionMaps.save` writes; `attnscope.save` writes it without holding these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.safetensors"
        maps.save(path)
        return path.read_bytes()
