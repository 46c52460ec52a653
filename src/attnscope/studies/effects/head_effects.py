"""`ats.head_effects`: the effect of every head on a target, estimated and exact."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError, ModelError, NonFiniteError
from attnscope.methods.build import provenance
from attnscope.models.default_settings import default_settings
from attnscope.models.intervention.head_gradients import gradients_at_heads
from attnscope.models.intervention.knock_out import KnockOut
from attnscope.models.intervention.passes import Passes
from attnscope.models.loading.load import Model, load
from attnscope.models.progress import bar
from attnscope.models.targets.target import Target
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.results.plain import plain_lists, plain_numbers
from attnscope.studies.effects.experiment import (
    HOW,
    Experiment,
    StandIns,
    check_references,
    experiment,
    own_pool,
    reference_pool,
    stand_ins,
)
from attnscope.text.inputs import Messages, Reading, Tools, is_one

_EXACT = 32


def head_effects(
    model: Model,
    text: str | Messages | Sequence[str | Messages],
    target: Any = None,
    *,
    against: Any = None,
    generate: int | None = None,
    position: int | str | None = None,
    quantity: Literal["log_probability", "loss", "logit", "probability"] | None = None,
    similar_to: str | None = None,
    exact: int | Literal["all"] = _EXACT,
    how: Literal["zero", "mean", "resample"] = "zero",
    references: Sequence[Any] = (),
    samples: int = 8,
    seed: int = 0,
    stack: Literal["encoder", "decoder", "cross"] | None = None,
    chat: bool = False,
    truncate: bool = False,
    tools: Tools | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
) -> HeadEffects:
    """The effect of each head on a target: layers × heads, in the target's unit.

    The effect is the target's value less its value without the head, what stands in its place as in `knock_out`.

    estimate: for all heads from one forward and one backward pass: Σ ∇z · (z - z′), the gradient at what the head puts
              out, z, times what is taken away (attribution patching, Nanda 2023; Syed et al. 2023, arXiv:2310.10348).
              It is the effect to first order, and misleads where the model saturates.
    exact:    of how many heads, those with the strongest estimates, the effect is taken by a pass without the head; or
              "all". These passes begin at the head's layer, many side by side: what lies below is computed once, where
              the model allows it. Estimate and exact effect stand side by side, with their rank correlation.

    text:     one text, or a list of them, with a target each or one for all: the effects are means over the texts with
              bootstrap intervals, and the heads with exact effects are those with the strongest mean estimates.
    target, against, generate, position, quantity, similar_to: as in `explain`.
    how, references, samples, seed, stack: as in `knock_out`.

    Memory is that of the batches: a layer's hidden states, and never a matrix of attention. Raises what `knock_out`
    raises, and ModelError where no gradient passes.

    >>> heads = ats.head_effects(model, "Tokyo is the capital of", " Japan", exact=3)
    >>> [(heads.layers[row], head, round(float(heads.best[row, head]), 1)) for row, head in heads.ranked()[:2]]
    [(10, 8, -2.2), (1, 4, 1.7)]
    """
    model, text = load(model), plain_numbers(text)
    if how not in HOW:
        raise InputError(f"how={how!r}: choose what stands in a head's place from {', '.join(HOW)}")
    exact, samples, seed = plain_numbers(exact), plain_numbers(samples), plain_numbers(seed)
    if exact != "all" and (type(exact) is not int or exact < 0):
        raise InputError(f'exact={exact!r}: give how many heads, such as {_EXACT}, or "all"')
    if type(samples) is not int or samples < 1:
        raise InputError(f"samples={samples!r}: give a whole number above 0")
    check_references(references, how)
    texts, targets = listed_targets(text, target, against)
    reading = Reading(chat, truncate, tools, chat_template_kwargs)
    with default_settings(), bar("heads", len(texts)) as done:
        made: list[_Heads] = []
        for one, (its_target, its_contrast) in zip(texts, targets, strict=True):
            asked = Target(
                its_target, its_contrast, plain_numbers(generate), False, plain_numbers(position), quantity, similar_to,
                truncate,
            )  # fmt: skip
            of = experiment(model, one, asked, reading, stack, attention=True, layers=False)
            of = known_layers(of)
            made.append(_Heads.of(of, how, references, samples, seed, reading))
            done(0)
        estimates = np.stack([heads.estimates for heads in made])
        chosen = _chosen(estimates.mean(0), made[0], exact)
        measured = []
        for heads in made:
            measured.append(heads.exact(chosen))
            done(1)
    first = made[0].experiment
    return HeadEffects(
        texts=tuple(heads.experiment.objective.encoded.text for heads in made),
        targets=tuple(heads.experiment.objective.explained for heads in made),
        quantity=first.objective.quantity,
        values=tuple(heads.value for heads in made),
        layers=tuple(first.heads),
        heads=tuple(first.heads.values()),
        estimates=estimates,
        exact=np.stack(measured),
        how=how,
        stack=first.stack,
        references=len(references),
        samples=samples if how == "resample" else 1,
        notes=(),
        provenance=provenance(model),
    )


def listed_targets(text: Any, target: Any, against: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The texts, and of each its target and what that is compared with. Raises InputError where they do not match."""
    if is_one(text):
        return [text], [(plain_numbers(target), plain_numbers(against))]
    texts = list(text)
    if not texts:
        raise InputError("the list of texts is empty: give at least one")
    sides = []
    for name, given in (("target", plain_lists(target)), ("against", plain_lists(against))):
        each = list(given) if isinstance(given, list | tuple) else [given] * len(texts)
        if len(each) != len(texts):
            raise InputError(f"{len(each)} values of {name} were given for {len(texts)} texts: give one for each")
        sides.append(each)
    return texts, list(zip(*sides, strict=True))


def known_layers(of: Experiment) -> Experiment:
    """The experiment with its layers known, so that passes can begin at one; as it is where they cannot be told."""
    try:
        return of.with_layers()
    except ModelError:
        return of


def _chosen(estimate: NDArray[np.float64], heads: "_Heads", exact: int | str) -> list[tuple[int, int]]:
    """Pairs (row of layers, head), the strongest estimate first."""
    places = [(i, head) for i, count in enumerate(heads.experiment.heads.values()) for head in range(count)]
    places.sort(key=lambda place: -abs(float(estimate[place])))
    return places if exact == "all" else places[: int(exact)]


class _Heads:
    """The heads of one text: their estimates, and their exact effects when asked.

    value: the target's. estimates: (layer, head).
    """

    def __init__(self, of: Experiment, instead: list[StandIns], value: float, estimates: NDArray[np.float64]) -> None:
        self.experiment, self.instead, self.value, self.estimates = of, instead, value, estimates

    @classmethod
    def of(
        cls, of: Experiment, how: str, references: Sequence[Any], samples: int, seed: int, reading: Reading
    ) -> "_Heads":
        """One forward and one backward pass for each readout of the target, after the plain one."""
        layers = list(of.heads)
        estimates = np.full((len(layers), max(of.heads.values())), np.nan)
        for row, count in enumerate(of.heads.values()):
            estimates[row, :count] = 0
        pool = reference_pool(of, layers, references, reading) if references and how != "zero" else None
        value, instead = 0.0, []
        for passes in of.passes:
            value += passes.record(outputs=bool(passes.site.layers)).values[0, 0].item()
            gradients = gradients_at_heads(passes, layers)
            own = own_pool(of, passes) if pool is None else pool
            made = stand_ins(how, own, len(passes.pools[layers[0]]), samples, seed)
            for row, layer in enumerate(layers):
                taken = sum(passes.pools[layer] - made.of_layer(layer, i) for i in range(made.samples)) / made.samples
                each = (gradients[layer] * taken).sum((0, 2)).double().cpu().numpy()
                estimates[row, : len(each)] += each
            instead.append(made)
        return cls(of, instead, value, estimates)

    def exact(self, chosen: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
        """(layer, head): the effects of these heads, by passes without each; NaN for the others."""
        effects = np.full_like(self.estimates, np.nan)
        layers = list(self.experiment.heads)
        for row in sorted({row for row, _ in chosen}):
            heads = [head for its_row, head in chosen if its_row == row]
            without = sum(
                self._without(passes, instead, layers[row], heads)
                for passes, instead in zip(self.experiment.passes, self.instead, strict=True)
            )
            effects[row, heads] = self.value - without
            if not np.isfinite(effects[row, heads]).all():
                raise NonFiniteError(
                    f"without a head of layer {layers[row]} the target's value is not finite: the model rules the "
                    'target out there, or its numbers overflowed; choose quantity="probability", or try '
                    'dtype="float32"'
                )
        return effects

    def _without(self, passes: Passes, instead: StandIns, layer: int, heads: Sequence[int]) -> NDArray[np.float64]:
        """(head,): the value without each, the mean over the samples."""
        texts = [
            KnockOut(heads={(layer, head): instead.of(layer, head, i)})
            for head in heads
            for i in range(instead.samples)
        ]
        values = passes.without(texts, begins=layer).values[:, 0].numpy()
        means: NDArray[np.float64] = values.reshape(len(heads), instead.samples).mean(1)
        return means
