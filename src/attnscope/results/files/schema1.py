"""Upgrades documents of schema 1 to schema 2, so that results saved by earlier versions still load.

Schema 1 mixed what was asked with what was measured in `parameters`, and named the type in `kind`, except for a result
on one text, where `kind` told attention from importance. Only this module knows about it.
"""

from collections.abc import Mapping
from typing import Any

_FAMILIES = {
    **dict.fromkeys(("rollout", "attention_flow", "attention_gradient", "value_norm", "value_zeroing"), "flow"),
    **dict.fromkeys(
        ("gradient", "gradient_x_input", "integrated_gradients", "smooth_grad", "gradient_shap", "gim"), "gradient"
    ),
    **dict.fromkeys(("deletion", "occlusion", "shapley", "lime"), "perturbation"),
    "random": "baseline",
}
_ASKED = {
    "target": "target", "quantity": "quantity", "unit": "unit", "segments": "segments", "within": "within",
    "query": "query", "attention": "stack", "target_token": "target_token",
}  # fmt: skip
_MEASURED = (
    "value", "completeness_error", "baseline_value", "standard_error", "r_squared", "to_target", "query_tokens",
    "query_text", "continued_at", "fixed",
)  # fmt: skip


def upgraded(data: Any) -> Any:
    """The document in schema 2, whatever its type; anything that is not a document of schema 1 is returned as it is."""
    if not isinstance(data, Mapping) or data.get("schema") != 1:
        return data
    kind = data.get("kind")
    rest = {name: value for name, value in data.items() if name not in ("schema", "kind")}
    if kind in ("attention", "importance"):
        return _attribution(str(kind), rest)
    if kind == "per-token":
        return {"schema": 2, "type": "per_token", **rest, "first": upgraded(rest["first"])}
    if kind == "agreement":
        return {"schema": 2, "type": kind, **rest, "results": [upgraded(one) for one in rest["results"]]}
    if kind == "comparison":
        return _comparison(rest)
    if kind == "comparisons":
        return {"schema": 2, "type": kind, **rest, "pairs": [upgraded(one) for one in rest["pairs"]]}
    if kind == "attention_maps":
        return {"schema": 2, "type": kind, **rest, **_split({"unit": "token", **rest.pop("parameters")})}
    if kind == "evaluation":
        return {"schema": 2, "type": kind, **rest, "settings": _settings(rest["settings"])}
    return {"schema": 2, "type": kind, **rest}


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`way` said what a removed word leaves behind."""
    return {("replacement" if name == "way" else name): value for name, value in settings.items()}


def _attribution(kind: str, rest: dict[str, Any]) -> dict[str, Any]:
    told = _split(rest.pop("parameters"))
    told["measured"]["excluded_mass"] = rest.pop("excluded_mass", None)
    family = kind if kind == "attention" else _FAMILIES.get(rest.get("method", ""), "own")
    return {"schema": 2, "type": "attribution", **rest, "family": family, "signed": bool(rest.get("signed")), **told}


def _split(parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Splits `parameters` into what was asked and what was measured; an unknown name is an option of the method."""
    asked: dict[str, Any] = {
        "options": {}, "unit": "word", "segments": {}, "stack": "self", "chat": False, "truncate": False,
    }  # fmt: skip
    measured: dict[str, Any] = {"fixed": []}
    for name, value in parameters.items():
        if name in _ASKED:
            asked[_ASKED[name]] = value
        elif name in _MEASURED:
            measured[name] = value
        else:
            asked["options"][name] = value
    return {"asked": asked, "measured": measured}


def _comparison(rest: dict[str, Any]) -> dict[str, Any]:
    for side in ("left", "right"):
        rest[side] = {**rest[side], "result": upgraded(rest[side]["result"])}
    pairs = [{("edit" if name == "kind" else name): value for name, value in pair.items()} for pair in rest["pairs"]]
    return {"schema": 2, "type": "comparison", **rest, "pairs": pairs}


def merged_parameters(asked: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` as in schema 1: the options, and everything else that is not a default."""
    said: dict[str, Any] = {}
    for name, value in {**measured, **{before: asked[name] for before, name in _ASKED.items()}}.items():
        unsaid = value in (None, (), {}) or (name, value) in (("attention", "self"), ("unit", "word"))
        if not unsaid and name not in ("excluded_mass", "coverage"):
            said[name] = list(value) if isinstance(value, tuple) else value
    if asked["segments"]:
        said["segments"] = {name: list(span) for name, span in asked["segments"].items()}
    return {**asked["options"], **said}
