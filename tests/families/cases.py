"""Which models are tried: every entry of transformers' mappings that reads text, and a fixed fifth of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from transformers.models.auto import modeling_auto as auto

from families.sizes import name_set

# Model families whose architectures are tried, by what the head does; "bare" has none.
_MAPPINGS = {
    "causal": auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    "masked": auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    "seq2seq": auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    "multimodal": auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
    "bare": auto.MODEL_MAPPING_NAMES,
    "seqcls": auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    "tokcls": auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
    "qa": auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES,
}
KINDS = tuple(_MAPPINGS)
# Of bodies without a head: those that are used alone, and a few of those that the other kinds have tried already.
_BARE = name_set(
    """
    albert bert bert-generation big_bird camembert canine convbert data2vec-text deberta
    deberta-v2 distilbert dpr electra embedding_gemma2 embedding_gemma2_text ernie esm esmc
    eurobert flaubert fnet funnel gemma3_text gpt2 gte ibert jina_embeddings_v3
    kimi_linear layoutlm layoutlmv3 led lilt llama longformer longt5 luke
    mamba markuplm megatron-bert mistral4 mistral_large4_text mobilebert modernbert mpnet mra
    mt5 neomme nomic_bert nystromformer openai_privacy_filter perceiver qwen2 qwen3 rembert
    roberta roberta-prelayernorm roc_bert roformer sam3_lite_text_text_model splinter squeezebert switch_transformers t5
    t5gemma t5gemma2 t5gemma2_encoder tapas tipsv2_text_model ultrabert umt5 visual_bert xlm
    xlm-roberta xlm-roberta-xl xlnet xmod yoso clip_text_model siglip_text_model clvp vits
    """
)
# What cannot be tried, and why.
NOT_TRIED: dict[str, str] = {
    **dict.fromkeys(
        name_set(
            "blip blip-2 idefics instructblip instructblipvideo kosmos-2 lxmert pix2struct pp_formulanet pi0 "
            "vision-encoder-decoder"
        ),
        "reads no text without a picture",
    ),
    **dict.fromkeys(
        ("clvp", "voxtral_realtime", "vibevoice_asr", "kyutai_speech_to_text"), "reads no text without sound"
    ),
    **dict.fromkeys(
        ("fun_asr_nano", "nemo_speechlm", "nemotron_h_omni"), "its text side is another family, tried as such"
    ),
    **dict.fromkeys(("qwen2_5_omni", "qwen3_omni_moe"), "has no pass of its own; the part that thinks is tried"),
    **dict.fromkeys(("musicgen", "musicgen_melody"), "writes sound"),
    **dict.fromkeys(("bros", "udop"), "reads no text without the place of each word on its page"),
    **dict.fromkeys(("gemma4_assistant", "gemma4_unified_assistant"), "reads another model's keys and values"),
    **dict.fromkeys(("gemma3n", "perception_lm", "fast_vlm"), "needs timm (the text side of Gemma 3n is tried)"),
    **dict.fromkeys(("causal:xlm", "causal:flaubert"), "reads both ways: tried as a masked model"),
    "rwkv": "scales its own weights as it runs",
    "layoutlmv2": "needs detectron2",
    "bare:perceiver": "reads vectors that a preprocessor makes",
    "multimodal:emu3": "too large for a test, with its pictures' code book; its text side is tried",
    "bare:t5gemma2_encoder": "cannot be made from its default configuration; the whole model is tried",
}
# Always in the sample: what they do with attention is rare, or everyone has them.
SPECIAL = name_set(
    """
    deepseek_v32 glm_moe_dsa minimax_m3_vl_text qwen3_next lfm2 jamba bamba recurrent_gemma kimi_linear
    gemma2 gemma3_text gemma4_text llama4_text modernbert gpt_oss bloom mpt falcon
    deepseek_v3 longcat_flash t5 bart pegasus_x mbart deberta-v2 xlnet big_bird
    longformer mamba gpt2 llama bert
    """
)


@dataclass(frozen=True)
class Case:
    """One model: the kind of its head, its family (transformers' `model_type`) and its class."""

    kind: str
    family: str
    architecture: str

    @property
    def name(self) -> str:
        """Such as "causal:gpt2"."""
        return f"{self.kind}:{self.family}"


def every_case() -> list[Case]:
    """All that are tried, kind by kind."""
    writers = {_first(named) for kind in ("causal", "seq2seq") for named in _MAPPINGS[kind].values()}
    cases = []
    for kind, mapping in _MAPPINGS.items():
        for family, named in mapping.items():
            case = Case(kind, family, _first(named))
            repeated = kind == "multimodal" and case.architecture in writers
            if not repeated and (kind != "bare" or family in _BARE) and why_not(case) is None:
                cases.append(case)
    return cases


def why_not(case: Case) -> str | None:
    """Why a case cannot be tried; None where it can."""
    return NOT_TRIED.get(case.name) or NOT_TRIED.get(case.family)


def sample(cases: Iterable[Case]) -> list[Case]:
    """A fifth, always the same: the special families, each in its first kind, and of each kind every sixth other."""
    chosen: list[Case] = []
    seen: set[str] = set()
    others = dict.fromkeys(KINDS, 0)
    for case in cases:
        special = case.family in SPECIAL - seen
        seen.add(case.family)
        others[case.kind] += not special
        if special or others[case.kind] % 6 == 1:
            chosen.append(case)
    return chosen


def named(cases: Iterable[Case], names: Iterable[str]) -> list[Case]:
    """Those of these families, kinds or both ("masked:bert"); all, where nothing is named."""
    wanted = set(names)
    return [case for case in cases if not wanted or wanted & {case.kind, case.family, case.name}]


def _first(named: str | tuple[str, ...] | list[str]) -> str:
    return named if isinstance(named, str) else named[0]
