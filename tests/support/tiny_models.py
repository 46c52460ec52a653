"""Tiny random models of many families: they cover architectures, not meaning."""

import copy
from typing import Any

import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tokenizers_zoo import tokenizer

import attnscope as ats

SIZE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = SIZE | {"num_key_value_heads": 2}

# name: (class, config class, settings)
CAUSAL: dict[str, tuple[str, str, dict[str, object]]] = {
    "gpt2": (
        "GPT2LMHeadModel",
        "GPT2Config",
        {"vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 96},
    ),
    "opt": ("OPTForCausalLM", "OPTConfig", SIZE | {"ffn_dim": 48, "word_embed_proj_dim": 16}),
    "llama": ("LlamaForCausalLM", "LlamaConfig", GROUPED),
    "mistral": ("MistralForCausalLM", "MistralConfig", GROUPED | {"sliding_window": 5}),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", GROUPED),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", GROUPED | {"head_dim": 8}),
    "gemma2": (
        "Gemma2ForCausalLM",
        "Gemma2Config",
        GROUPED | {"head_dim": 8, "sliding_window": 5, "attn_logit_softcapping": 0.05, "final_logit_softcapping": 0.5},
    ),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig", GROUPED | {"head_dim": 8, "sliding_window": 5}),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", GROUPED),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", SIZE),
    "gpt_oss": (
        "GptOssForCausalLM",
        "GptOssConfig",
        GROUPED | {"head_dim": 8, "sliding_window": 5, "num_local_experts": 4, "num_experts_per_tok": 2},
    ),
    "bloom": ("BloomForCausalLM", "BloomConfig", {"vocab_size": 64, "hidden_size": 32, "n_layer": 3, "n_head": 4}),
    "falcon": ("FalconForCausalLM", "FalconConfig", SIZE | {"num_kv_heads": 2, "new_decoder_architecture": True}),
    # Eager and SDPA compute something else in it: eager adds the biases twice.
    "falcon_alibi": (
        "FalconForCausalLM",
        "FalconConfig",
        SIZE | {"alibi": True, "multi_query": False, "attn_implementation": "eager"},
    ),
    "gptj": (
        "GPTJForCausalLM",
        "GPTJConfig",
        {"vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 96, "rotary_dim": 4},
    ),
}
MASKED: dict[str, tuple[str, str, dict[str, object]]] = {
    "bert": ("BertForMaskedLM", "BertConfig", SIZE),
    "roberta": ("RobertaForMaskedLM", "RobertaConfig", SIZE | {"pad_token_id": 1, "bos_token_id": 0}),
    "distilbert": (
        "DistilBertForMaskedLM",
        "DistilBertConfig",
        {"vocab_size": 64, "dim": 32, "hidden_dim": 48, "n_layers": 3, "n_heads": 4, "max_position_embeddings": 96},
    ),
    "electra": ("ElectraForMaskedLM", "ElectraConfig", SIZE | {"embedding_size": 16}),
    "albert": ("AlbertForMaskedLM", "AlbertConfig", SIZE | {"embedding_size": 16}),
    "modernbert": (
        "ModernBertForMaskedLM",
        "ModernBertConfig",
        SIZE | {"local_attention": 8, "global_attn_every_n_layers": 2, "cls_token_id": 1, "sep_token_id": 2},
    ),
    "deberta_v2": (
        "DebertaV2ForMaskedLM",
        "DebertaV2Config",
        SIZE
        | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "type_vocab_size": 0},
    ),
}
ENCODER_DECODER: dict[str, tuple[str, str, dict[str, object]]] = {
    "t5": (
        "T5ForConditionalGeneration",
        "T5Config",
        {
            "vocab_size": 64,
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 48,
            "num_layers": 3,
            "num_heads": 4,
            "decoder_start_token_id": 0,
        },
    ),
    "bart": (
        "BartForConditionalGeneration",
        "BartConfig",
        {"vocab_size": 64, "d_model": 32, "encoder_layers": 3, "decoder_layers": 3, "encoder_attention_heads": 4}
        | {"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 96},
    ),
}
FAMILIES = CAUSAL | MASKED | ENCODER_DECODER


def tiny(name: str, sharp: float = 6.0) -> hf.PreTrainedModel:
    """A random model of the family; `sharp` times larger weights make its attention far from uniform."""
    model_class, config_class, settings = FAMILIES[name]
    torch.manual_seed(0)
    model: hf.PreTrainedModel = getattr(hf, model_class)(getattr(hf, config_class)(**settings))
    _sharpen(model, sharp)
    model.eval()
    watch(model)
    return model


def small(name: str, sharp: float = 3.0) -> ats.Model:
    """The same with a tokenizer of one token a letter."""
    return ats.Model(tiny(name, sharp), copy_tokenizer())


def _sharpen(model: hf.PreTrainedModel, scale: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(scale)
            elif parameter.dim() == 1 and not parameter.any():
                parameter.normal_(std=0.3)


def classifier(kind: str, **settings: object) -> ats.Model:
    torch.manual_seed(0)
    labels = {0: "NEGATIVE", 1: "NEUTRAL", 2: "POSITIVE"}
    config = hf.BertConfig(**SIZE, id2label=labels, label2id={v: k for k, v in labels.items()}, **settings)
    net = getattr(hf, f"BertFor{kind}Classification")(config).eval()
    watch(net)
    return ats.Model(net, copy_tokenizer())


def causal_classifier() -> ats.Model:
    """One that reads its label off the last token."""
    torch.manual_seed(0)
    settings = {"vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 96, "pad_token_id": 0}
    net = hf.GPT2ForSequenceClassification(hf.GPT2Config(**settings, num_labels=3)).eval()
    watch(net)
    return ats.Model(net, copy_tokenizer())


_STATE_SPACE = {"mamba_d_state": 8, "mamba_expand": 2}
# Models that mix attention with other layers, and end with one of the others: their layers with attention weights.
HYBRID: dict[str, tuple[str, str, dict[str, object], list[int]]] = {
    "lfm2": (
        "Lfm2ForCausalLM",
        "Lfm2Config",
        GROUPED
        | {"num_hidden_layers": 5, "layer_types": ["conv", "full_attention", "conv", "full_attention", "conv"]}
        | {"block_ff_dim": 48, "block_multiple_of": 8},
        [1, 3],
    ),
    "jamba": (
        "JambaForCausalLM",
        "JambaConfig",
        GROUPED
        | _STATE_SPACE
        | {"num_hidden_layers": 4, "attn_layer_offset": 1, "attn_layer_period": 4, "expert_layer_offset": 1}
        | {"expert_layer_period": 2, "num_experts": 2, "mamba_dt_rank": 4, "use_mamba_kernels": False},
        [1],
    ),
    "bamba": (
        "BambaForCausalLM",
        "BambaConfig",
        GROUPED
        | _STATE_SPACE
        | {"num_hidden_layers": 4, "attn_layer_indices": [1], "mamba_n_heads": 8, "mamba_d_head": 8}
        | {"mamba_chunk_size": 8},
        [1],
    ),
    "qwen3_next": (
        "Qwen3NextForCausalLM",
        "Qwen3NextConfig",
        GROUPED
        | {"num_hidden_layers": 8, "head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4}
        | {"linear_key_head_dim": 8, "linear_value_head_dim": 8, "moe_intermediate_size": 16}
        | {"shared_expert_intermediate_size": 16, "num_experts": 4, "num_experts_per_tok": 2},
        [3, 7],
    ),
}


def hybrid(name: str, sharp: float = 6.0) -> hf.PreTrainedModel:
    """As `tiny`, of a model in which only some layers attend."""
    model_class, config_class, settings, _ = HYBRID[name]
    torch.manual_seed(0)
    model: hf.PreTrainedModel = getattr(hf, model_class)(getattr(hf, config_class)(**settings))
    _sharpen(model, sharp)
    model.eval()
    watch(model)
    return model


_FOUR = GROUPED | {"num_hidden_layers": 4, "head_dim": 8, "rms_norm_eps": 1e-6}
_DELTA = {"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
_LATENT = {"kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8, "n_group": 1}
_EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 1, "topk_group": 1, "moe_intermediate_size": 16}
_STATE = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 6, "mamba_n_groups": 2, "mamba_chunk_size": 8}
_MIXED = {"layer_types": ["linear_attention", "full_attention", "linear_attention", "linear_attention"]}

# name: (class, config class, settings, layers of linear attention, their heads)
LINEAR: dict[str, tuple[str, str, dict[str, object], list[int], int]] = {
    "qwen3_next": (*HYBRID["qwen3_next"][:3], [0, 1, 2, 4, 5, 6], 4),
    "qwen3_5": ("Qwen3_5ForCausalLM", "Qwen3_5TextConfig", _FOUR | _DELTA, [0, 1, 2], 4),
    "olmo_hybrid": (
        "OlmoHybridForCausalLM", "OlmoHybridConfig",
        _FOUR | _DELTA | _MIXED | {"linear_num_key_heads": 4, "linear_value_head_dim": 16}, [0, 2, 3], 4,
    ),
    "kimi_linear": (
        "KimiLinearForCausalLM", "KimiLinearConfig",
        SIZE | _LATENT | _EXPERTS | _MIXED | {"num_hidden_layers": 4, "linear_head_dim": 8, "linear_num_heads": 4}
        | {"num_key_value_heads": 4, "mlp_layer_types": ["dense", "sparse", "dense", "dense"]},
        [0, 2, 3], 4,
    ),
    "bailing_hybrid": (
        "BailingHybridForCausalLM", "BailingHybridConfig",
        SIZE | _LATENT | _EXPERTS | {"num_hidden_layers": 4, "head_dim": 8, "num_key_value_heads": 4}
        | {"layer_group_size": 2, "first_k_dense_replace": 2, "num_mtp_layers": 0},
        [0, 2], 4,
    ),
    "mamba2": (
        "Mamba2ForCausalLM", "Mamba2Config",
        {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 3, "num_heads": 8, "head_dim": 8, "state_size": 6}
        | {"n_groups": 2, "chunk_size": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2},
        [0, 1, 2], 8,
    ),
    "bamba": (*HYBRID["bamba"][:3], [0, 2, 3], 8),
    "granitemoehybrid": (
        "GraniteMoeHybridForCausalLM", "GraniteMoeHybridConfig",
        {k: v for k, v in _FOUR.items() if k != "head_dim"} | _STATE | _MIXED
        | {"num_local_experts": 2, "num_experts_per_tok": 1, "shared_intermediate_size": 16},
        [0, 2, 3], 8,
    ),
    "nemotron_h": (
        "NemotronHForCausalLM", "NemotronHConfig",
        {k: v for k, v in GROUPED.items() if k != "num_hidden_layers"}
        | {"layers_block_type": ["mamba", "attention", "mlp", "mamba"], "head_dim": 8, "mamba_num_heads": 8}
        | {"mamba_head_dim": 8, "ssm_state_size": 6, "n_groups": 2, "chunk_size": 8},
        [0, 3], 8,
    ),
    "zamba2": (
        "Zamba2ForCausalLM", "Zamba2Config",
        GROUPED | {"num_hidden_layers": 3, "num_key_value_heads": 4, "layers_block_type": ["mamba", "hybrid", "mamba"]}
        | {"mamba_d_state": 6, "n_mamba_heads": 8, "mamba_ngroups": 2, "chunk_size": 8},
        [0, 1, 2], 8,
    ),
    "falcon_h1": ("FalconH1ForCausalLM", "FalconH1Config", GROUPED | _STATE | {"mamba_d_ssm": 64}, [0, 1, 2], 8),
    "minimax": (
        "MiniMaxForCausalLM", "MiniMaxConfig",
        _FOUR | {"num_local_experts": 2, "num_experts_per_tok": 1, "block_size": 8}, [1, 3], 4,
    ),
}  # fmt: skip


def linear(name: str, sharp: float = 4.0, dtype: torch.dtype = torch.float32) -> hf.PreTrainedModel:
    """A random model of the family, with decays of all strengths."""
    model_class, config_class, settings, *_ = LINEAR[name]
    torch.manual_seed(0)
    model: hf.PreTrainedModel = getattr(hf, model_class)(getattr(hf, config_class)(**settings))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "conv1d.weight" in name:
                parameter.normal_(std=0.7)
            elif name.endswith(("A_log", "dt_bias", ".D")):
                parameter.normal_(mean=-1.0)
            elif parameter.dim() > 1:
                parameter.mul_(sharp)
    model.eval().to(dtype)
    watch(model)
    return model


def small_linear(name: str, sharp: float = 4.0) -> ats.Model:
    """The same with a tokenizer of one token a letter."""
    return ats.Model(linear(name, sharp), copy_tokenizer())


# Two texts that are read together.
QUESTION, PASSAGE = "Is the castle old?", "The old castle stands on the hill above the town."


def pair_reader(kind: str, **settings: Any) -> ats.Model:
    """A BERT of this kind, with a tokenizer that joins two texts."""
    torch.manual_seed(0)
    wordpiece = copy.deepcopy(tokenizer("wordpiece"))
    wordpiece.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]  # as BERT's own has
    config = hf.BertConfig(**SIZE | {"vocab_size": len(wordpiece), "initializer_range": 0.5} | settings)
    return ats.Model(getattr(hf, f"BertFor{kind}")(config).eval(), wordpiece)


def joined_pair(model: ats.Model, first: str = QUESTION, second: str = PASSAGE) -> Any:
    """What the model gives for the pair as the tokenizer joins it."""
    options = {"truncation": False, "padding": False, "return_tensors": "pt"}
    return model.model, model.tokenizer(first, second, **options)
