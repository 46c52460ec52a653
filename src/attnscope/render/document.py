"""The result as its documented JSON (docs/schema.md)."""

from attnscope.attribution import Attribution


def render_json(result: Attribution) -> bytes:
    """What `Attribution.save` writes."""
    return result.to_json().encode("utf-8", "backslashreplace")
