"""What is refused on purpose, and why: one entry a reason. Anything else that is refused fails the run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from families.cases import every_case
from families.sizes import name_set

EVERY = frozenset[str]()


@dataclass(frozen=True)
class Expected:
    """A refusal, or an answer that nothing can be held against.

    status:   "refused" or "unverified". message: a piece of what attnscope, or the check, says.
    checks:   of these checks. families: of these; EVERY: of any.
    reason:   for the table of docs/models.md.
    """

    status: str
    checks: frozenset[str]
    message: str
    reason: str
    families: frozenset[str] = EVERY

    def covers(self, record: Mapping[str, Any], check: str, outcome: Mapping[str, Any]) -> bool:
        """Whether this is the outcome that is expected."""
        return (
            outcome["status"] == self.status
            and check in self.checks
            and (not self.families or record["family"] in self.families)
            and self.message in outcome.get("message", "")
        )


# Names of checks.
ATTENTION = name_set("attention maps rollout attention_gradient mask_gradient value_norm value_zeroing gim")
VALUES = name_set("value_norm value_zeroing")
TARGETS = name_set(
    "gradient gradient_x_input integrated_gradients attention_gradient mask_gradient gim deletion generation"
) | {
    "stop tokens",
    "bfloat16",
    "float16",
}
STACKS = frozenset({"decoder and cross-attention"})


EXPECTED: tuple[Expected, ...] = (
    Expected(
        "refused",
        name_set("attention_gradient"),
        "follows one stack of layers to a prediction",
        "an encoder–decoder has two stacks of layers, and the method follows one",
    ),
    Expected(
        "refused",
        ATTENTION | STACKS,
        "has no attention weights to show",
        "no layer has attention weights",
        name_set("mamba mamba2 falcon_mamba fnet mra xlstm"),
    ),
    Expected(
        "refused",
        ATTENTION | STACKS,
        "has no attention weights to show from token to token",
        "it attends in blocks, and has no weight for every pair of tokens",
        name_set("pegasus_x"),
    ),
    Expected(
        "refused",
        ATTENTION | STACKS,
        "it does not attend from every token to every token",
        "it attends in windows, pools, chunks or hash buckets, and has no weight for every pair of tokens",
        name_set("funnel led longformer longt5 reformer yoso"),
    ),
    Expected(
        "refused",
        STACKS | {"gim", "mask_gradient"},
        "attention from every token to every token",
        "its decoder or its cross-attention is not from every token to every token",
        name_set("prophetnet t5gemma2"),
    ),
    Expected(
        "refused",
        ATTENTION,
        "neither uses transformers' attention interface nor returns its attention weights",
        "its attention goes through no function that can be seen",
        name_set("cpmant"),
    ),
    Expected(
        "refused",
        ATTENTION,
        "eager attention is another model than came here",
        "without a picture its eager attention reads one way and its SDPA both ways; loaded with eager, it is read",
        name_set("paligemma"),
    ),
    Expected(
        "refused",
        name_set("value_norm"),
        "no projection takes the output of the attention",
        "a norm or a reshaping stands between its attention and the projection behind it",
        name_set("bitnet convbert deepseek_v4 jetmoe muse_spark neomme squeezebert xlnet"),
    ),
    Expected(
        "refused",
        VALUES,
        "multiplies its values in its own way",
        "its weights meet its values in a way that cannot be seen",
        name_set("diffllama lilt"),
    ),
    Expected(
        "refused",
        name_set("attention_gradient mask_gradient"),
        "multiplies several attentions of a layer with its values",
        "a layer has several attentions, and the gradient at one of them is not the layer's",
        name_set("diffllama lilt"),
    ),
    Expected(
        "refused",
        name_set("mask_gradient"),
        "not every layer's attention can be seen where it meets its values",
        "it attends in blocks or windows in its encoder, to patches, or in rounds that pass no gradient",
        name_set("bigbird_pegasus blt hrm_text led longt5 pegasus_x"),
    ),
    Expected(
        "refused",
        name_set("mask_gradient"),
        "reads the text twice, in its encoder and in its decoder",
        "as a classifier an encoder–decoder reads the text twice, and a token is seen in two places",
    ),
    Expected(
        "refused",
        name_set("value_zeroing"),
        "keeps several vectors of each token between its layers",
        "it keeps several vectors of each token between its layers, so how far one has moved is not defined",
        name_set("deepseek_v4 gemma3n_text glm5_next hy_v4"),
    ),
    Expected(
        "refused",
        name_set("value_zeroing"),
        "so they cannot be run again for several texts",
        "its layers do not put out (text, token, hidden)",
        name_set("fsmt prophetnet xlnet"),
    ),
    Expected(
        "refused",
        name_set("value_zeroing"),
        "does not run each of its layers as one module",
        "its layers are no modules that can be run one by one",
        name_set("longcat_flash squeezebert"),
    ),
    Expected(
        "refused",
        name_set("gim"),
        "multiplies its values in a way that attnscope does not know",
        "its attention is made in a way through which the modified backward pass cannot go",
        name_set("convbert deepseek_v4 lilt prophetnet"),
    ),
    Expected(
        "refused",
        name_set("gim"),
        "makes biases or sinks of its hidden states",
        "it makes biases or sinks of attention from its hidden states",
        name_set("doge inkling_text inkling2 inkling2_text inkling_mm_model"),
    ),
    Expected(
        "refused",
        name_set("gim"),
        "so its statistics cannot be held constant",
        "a norm of its is of groups, of several tensors, or of another axis",
        name_set("chameleon hy_v4 qwen4_exp qwen4_exp_text squeezebert muse_spark zaya"),
    ),
    Expected(
        "refused",
        name_set("attention maps bfloat16 float16"),
        "the layers chosen have different numbers of heads",
        "its layers have different numbers of heads: maps of one layer at a time",
        name_set("dots3_note dots3_note_text inkling_text inkling2 inkling2_text inkling_mm_model"),
    ),
    Expected(
        "refused",
        TARGETS,
        "predicts words in an order of their own",
        "what it gives at a token is no prediction of the next",
        name_set("xlnet"),
    ),
    Expected(
        "refused",
        TARGETS,
        "the encoder and the decoder have embeddings of their own",
        "as a classifier it reads a text twice, with two tables of embeddings",
        name_set("t5gemma"),
    ),
    Expected(
        "refused",
        TARGETS,
        "use `model.train()`",
        "it takes no gradient in evaluation mode",
        name_set("reformer"),
    ),
    Expected(
        "refused",
        ATTENTION | TARGETS,
        "has no layer of token embeddings that attnscope can find",
        "it reads characters or vectors, and has no embeddings of tokens",
        name_set("canine perceiver"),
    ),
    Expected(
        "refused",
        TARGETS,
        "PerceiverForMaskedLM has no language-model head",
        "it reads bytes into latent vectors, and its head makes bytes of queries of its own",
        name_set("perceiver"),
    ),
    Expected(
        "refused",
        ATTENTION | TARGETS,
        "gives other numbers for the same text each time",
        "it starts from noise or adds it, so that no two passes are alike",
        name_set("diffusion_gemma vits"),
    ),
    Expected(
        "refused",
        name_set("generation") | {"stop tokens"},
        "does not run on this text alone",
        "its own generation fails",
        name_set("blt"),
    ),
    Expected(
        "refused",
        TARGETS,
        "exactly three separator tokens",
        "it tells the question from the passage by three separators, so that a text alone has no answer",
        name_set("longformer"),
    ),
    Expected(
        "refused",
        TARGETS,
        "allows no answer there",
        "what stands before the first separator is the question to it, so that a text alone has no answer",
        name_set("big_bird"),
    ),
    Expected(
        "unverified",
        name_set("bfloat16 float16"),
        "a matter of rounding",
        "an indexer chooses the tokens that a layer attends to: with any rounding, others",
        name_set("deepseek_v4"),
    ),
    Expected(
        "unverified",
        VALUES | name_set("attention_gradient gim"),
        "",
        "nothing to compare with: it attends to patches of bytes as well as to bytes",
        name_set("blt"),
    ),
    Expected(
        "refused",
        name_set("value_norm"),
        "is not a linear map that attnscope can read",
        "its projections are quantised in a way of their own",
        name_set("ibert"),
    ),
    Expected(
        "refused",
        TARGETS,
        "reads tokens of its own before the text",
        "it puts tokens of its own before the text, so that embeddings cannot be told apart",
        name_set("cpmant"),
    ),
    Expected(
        "refused",
        TARGETS,
        "reads a text both ways",
        "it sees what it is to predict, so that only targets of one token can be asked",
        name_set("cpmant paligemma prophetnet"),
    ),
    Expected(
        "refused",
        name_set("generation") | {"stop tokens"},
        "predicts otherwise where its decoder reads more tokens",
        "its decoder predicts otherwise where more tokens follow, so that one pass says nothing of how it wrote",
        name_set("prophetnet"),
    ),
    Expected(
        "refused",
        TARGETS,
        "has no plain embeddings",
        "its embeddings are integers with a scale",
        name_set("ibert"),
    ),
    Expected(
        "unverified",
        ATTENTION,
        "sinks",
        "nothing to compare with: what it returns are its weights before their sinks took their share",
        name_set("granite_swa granitemoe_swa"),
    ),
)


def unexpected(record: Mapping[str, Any]) -> list[str]:
    """What went wrong in a case, a line each: wrong, crashed, or neither answered nor expected to be refused."""
    name = f"{record['kind']}:{record['family']}"
    if failed := record.get("failed"):
        return [f"{name} could not be tried: {failed}"]
    lines = []
    for check, outcome in record["checks"].items():
        if outcome["status"] in ("pass", "noise", "na"):
            continue
        if not any(expected.covers(record, check, outcome) for expected in EXPECTED):
            at = f" at {outcome['at']}" if outcome.get("at") else ""
            lines.append(f"{name} {check}: {outcome['status']}: {outcome.get('message', '')}{at}")
    return lines


def outlived(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Expectations that no longer hold, a line each: of families all of whose cases are among the records."""
    records = list(records)
    done = {(record["kind"], record["family"]) for record in records}
    partly = {case.family for case in every_case() if (case.kind, case.family) not in done}
    lines = []
    for expected in EXPECTED:
        held = {
            record["family"]
            for record in records
            for check, outcome in record.get("checks", {}).items()
            if expected.covers(record, check, outcome)
        }
        missing = sorted(expected.families - held - partly)
        if missing:
            lines.append(f"no longer {expected.status} ({expected.message!r}): {', '.join(missing)}")
        if not expected.families and not held and not partly:
            lines.append(f"no longer {expected.status} ({expected.message!r}) by any family")
    return lines
