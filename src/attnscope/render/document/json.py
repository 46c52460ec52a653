"""The result as its documented JSON (docs/schema.md)."""

from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken


def render_json(result: Attribution | PerToken) -> bytes:
    """What `Attribution.save` writes."""
    return result.to_json().encode("utf-8", "backslashreplace")
