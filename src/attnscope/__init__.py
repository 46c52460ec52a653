"""attnscope shows what a transformer attends to and which words it relies on.

    import attnscope as ats

    model = ats.load()                                   # or a hub id, a folder, a .gguf file
    row = ats.attention(model, "The castle on the hill", layer=-1, head=0, query="hill")
    words = ats.explain(model, "The castle on the hill", method="gradient")
    ats.save(words, "page.html")                         # html png svg pdf json txt
    ats.load_result("words.json")                        # any result that was saved

Names are imported when they are first used: `import attnscope` loads neither torch nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnscope.errors import AdviceWarning as AdviceWarning
    from attnscope.errors import AttnscopeError as AttnscopeError
    from attnscope.methods.attention.maps import attention_maps as attention_maps
    from attnscope.methods.explain import attention as attention
    from attnscope.methods.explain import explain as explain
    from attnscope.methods.gradient.similarity import similarity as similarity
    from attnscope.methods.plan import Plan as Plan
    from attnscope.methods.plan import plan as plan
    from attnscope.methods.table import METHODS as METHODS
    from attnscope.methods.table import Method as Method
    from attnscope.methods.task import Scores as Scores
    from attnscope.methods.task import Task as Task
    from attnscope.metrics.table import METRICS as METRICS
    from attnscope.models.loading.load import Model as Model
    from attnscope.models.loading.load import load as load
    from attnscope.render import notebook_html as notebook_html
    from attnscope.render import save as save
    from attnscope.render.figure import plot as plot
    from attnscope.results.agreement import Agreement as Agreement
    from attnscope.results.agreement import agreement as agreement
    from attnscope.results.attention_maps import AttentionMaps as AttentionMaps
    from attnscope.results.attribution import Attribution as Attribution
    from attnscope.results.attribution import Token as Token
    from attnscope.results.attribution import Word as Word
    from attnscope.results.base import load_result as load_result
    from attnscope.results.citation.citation import Citation as Citation
    from attnscope.results.citation.head_weights import HeadWeights as HeadWeights
    from attnscope.results.collection import Failed as Failed
    from attnscope.results.collection import Results as Results
    from attnscope.results.comparison import Comparison as Comparison
    from attnscope.results.comparison import Comparisons as Comparisons
    from attnscope.results.corpus.head_profiles import HeadProfiles as HeadProfiles
    from attnscope.results.corpus.survey import Survey as Survey
    from attnscope.results.effects.edge_effects import EdgeEffects as EdgeEffects
    from attnscope.results.effects.effect import Effect as Effect
    from attnscope.results.effects.head_effects import HeadEffects as HeadEffects
    from attnscope.results.evaluation import Evaluation as Evaluation
    from attnscope.results.per_token import PerToken as PerToken
    from attnscope.results.sample import Sample as Sample
    from attnscope.results.similarity import Similarity as Similarity
    from attnscope.serve.live import live as live
    from attnscope.studies.citation.cite import cite as cite
    from attnscope.studies.citation.cite import learn_heads as learn_heads
    from attnscope.studies.citation.judging import evaluate_citation as evaluate_citation
    from attnscope.studies.compare import compare as compare
    from attnscope.studies.effects.edge_effects import edge_effects as edge_effects
    from attnscope.studies.effects.head_effects import head_effects as head_effects
    from attnscope.studies.effects.knock_out import knock_out as knock_out
    from attnscope.studies.evaluate import evaluate as evaluate
    from attnscope.studies.heads.head_profiles import head_profiles as head_profiles
    from attnscope.studies.survey.survey import survey as survey

# Public name → the module that defines it.
_HOMES = {
    "AdviceWarning": "attnscope.errors",
    "AttentionMaps": "attnscope.results.attention_maps",
    "Agreement": "attnscope.results.agreement",
    "Attribution": "attnscope.results.attribution",
    "AttnscopeError": "attnscope.errors",
    "Citation": "attnscope.results.citation.citation",
    "Comparison": "attnscope.results.comparison",
    "Comparisons": "attnscope.results.comparison",
    "EdgeEffects": "attnscope.results.effects.edge_effects",
    "Effect": "attnscope.results.effects.effect",
    "HeadEffects": "attnscope.results.effects.head_effects",
    "Evaluation": "attnscope.results.evaluation",
    "Failed": "attnscope.results.collection",
    "HeadWeights": "attnscope.results.citation.head_weights",
    "METHODS": "attnscope.methods.table",
    "Method": "attnscope.methods.table",
    "METRICS": "attnscope.metrics.table",
    "Model": "attnscope.models.loading.load",
    "HeadProfiles": "attnscope.results.corpus.head_profiles",
    "PerToken": "attnscope.results.per_token",
    "Results": "attnscope.results.collection",
    "Sample": "attnscope.results.sample",
    "Survey": "attnscope.results.corpus.survey",
    "Similarity": "attnscope.results.similarity",
    "Scores": "attnscope.methods.task",
    "Task": "attnscope.methods.task",
    "Token": "attnscope.results.attribution",
    "Word": "attnscope.results.attribution",
    "agreement": "attnscope.results.agreement",
    "attention": "attnscope.methods.explain",
    "Plan": "attnscope.methods.plan",
    "plan": "attnscope.methods.plan",
    "attention_maps": "attnscope.methods.attention.maps",
    "cite": "attnscope.studies.citation.cite",
    "compare": "attnscope.studies.compare",
    "edge_effects": "attnscope.studies.effects.edge_effects",
    "head_effects": "attnscope.studies.effects.head_effects",
    "evaluate": "attnscope.studies.evaluate",
    "evaluate_citation": "attnscope.studies.citation.judging",
    "explain": "attnscope.methods.explain",
    "knock_out": "attnscope.studies.effects.knock_out",
    "head_profiles": "attnscope.studies.heads.head_profiles",
    "live": "attnscope.serve.live",
    "learn_heads": "attnscope.studies.citation.cite",
    "load": "attnscope.models.loading.load",
    "load_result": "attnscope.results.base",
    "notebook_html": "attnscope.render",
    "plot": "attnscope.render.figure.plot",
    "save": "attnscope.render",
    "survey": "attnscope.studies.survey.survey",
    "similarity": "attnscope.methods.gradient.similarity",
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
    return sorted({"__version__", *__all__, *(name for name in globals() if name.startswith("__"))})
