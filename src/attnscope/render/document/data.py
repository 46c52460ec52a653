"""Results as data: JSON, the rows of an evaluation, and the safetensors file of attention maps."""

import tempfile
from pathlib import Path

from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.base import Result
from attnscope.results.evaluation import Evaluation
from attnscope.results.files.reading import encoded


def render_json(result: Result) -> bytes:
    """The documented JSON (docs/schema.md)."""
    return encoded(result.to_json())


def render_lines(result: Evaluation) -> bytes:
    """The rows in the form that a run writes and can resume from."""
    return encoded(result.to_lines())


def render_safetensors(maps: AttentionMaps) -> bytes:
    """What `AttentionMaps.save` writes. `attnscope.save` writes it without holding all bytes in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.safetensors"
        maps.save(path)
        return path.read_bytes()
