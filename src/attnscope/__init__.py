"""attnscope shows what a transformer attends to and which words it relies on.

    import attnscope as ats

    model = ats.load()                                   # or a hub id, a folder, a .gguf file
    row = ats.attention(model, "The castle on the hill", layer=-1, head=0, query="hill")
    words = ats.explain(model, "The castle on the hill", method="gradient")
    ats.save(words, "page.html")                         # html png svg pdf json txt

Names are imported when they are first used: `import attnscope` loads neither torch nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnscope.agreements import Agreement as Agreement
    from attnscope.agreements import agreement as agreement
    from attnscope.attribution import Attribution as Attribution
    from attnscope.attribution import Token as Token
    from attnscope.attribution import Word as Word
    from attnscope.comparison import Comparison as Comparison
    from attnscope.comparison import Comparisons as Comparisons
    from attnscope.errors import AttnscopeError as AttnscopeError
    from attnscope.evaluation import Evaluation as Evaluation
    from attnscope.evaluation import Sample as Sample
    from attnscope.maps import AttentionMaps as AttentionMaps
    from attnscope.methods import METHODS as METHODS
    from attnscope.methods import explain as explain
    from attnscope.methods.attention import attention as attention
    from attnscope.methods.compare import compare as compare
    from attnscope.methods.maps import attention_maps as attention_maps
    from attnscope.methods.plan import Plan as Plan
    from attnscope.methods.plan import plan as plan
    from attnscope.metrics import METRICS as METRICS
    from attnscope.metrics.evaluate import evaluate as evaluate
    from attnscope.models.load import Model as Model
    from attnscope.models.load import load as load
    from attnscope.per_token import PerToken as PerToken
    from attnscope.render import notebook_html as notebook_html
    from attnscope.render import plot as plot
    from attnscope.render import save as save

# Public name → the module that defines it.
_HOMES = {
    "AttentionMaps": "attnscope.maps",
    "Agreement": "attnscope.agreements",
    "Attribution": "attnscope.attribution",
    "AttnscopeError": "attnscope.errors",
    "Comparison": "attnscope.comparison",
    "Comparisons": "attnscope.comparison",
    "Evaluation": "attnscope.evaluation",
    "METHODS": "attnscope.methods",
    "METRICS": "attnscope.metrics",
    "Model": "attnscope.models.load",
    "PerToken": "attnscope.per_token",
    "Sample": "attnscope.evaluation",
    "Token": "attnscope.attribution",
    "Word": "attnscope.attribution",
    "agreement": "attnscope.agreements",
    "attention": "attnscope.methods.attention",
    "Plan": "attnscope.methods.plan",
    "plan": "attnscope.methods.plan",
    "attention_maps": "attnscope.methods.maps",
    "compare": "attnscope.methods.compare",
    "evaluate": "attnscope.metrics.evaluate",
    "explain": "attnscope.methods",
    "load": "attnscope.models.load",
    "notebook_html": "attnscope.render",
    "plot": "attnscope.render.plot",
    "save": "attnscope.render",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("attnscope")
    if name not in _HOMES:
        raise AttributeError(f"module 'attnscope' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    # plot is a module itself.
    value = home if _HOMES[name].endswith(f".{name}") and not hasattr(home, name) else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
