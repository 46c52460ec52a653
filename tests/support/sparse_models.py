"""Tiny random models with sparse attention, which mask what their indexer leaves out by the name of their attention."""

import torch
import transformers as hf
from snapshot import watch

_SIZE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "moe_intermediate_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "n_routed_experts": 4,
    "num_local_experts": 4,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
}
_LATENT = {
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
    "first_k_dense_replace": 1,
}
_INDEXER = {"index_n_heads": 2, "index_head_dim": 16, "index_topk": 12}
SPARSE: dict[str, tuple[str, str, dict[str, object]]] = {
    "deepseek_v32": ("DeepseekV32ForCausalLM", "DeepseekV32Config", _SIZE | _LATENT | _INDEXER),
    "glm_moe_dsa": ("GlmMoeDsaForCausalLM", "GlmMoeDsaConfig", _SIZE | _LATENT | _INDEXER),
    "minimax_m3": (
        "MiniMaxM3VLForCausalLM",
        "MiniMaxM3VLTextConfig",
        _SIZE
        | {"head_dim": 8, "num_key_value_heads": 2, "index_head_dim": 16, "index_n_heads": 2, "index_block_size": 4}
        | {"index_topk_blocks": 2, "index_local_blocks": 1}
        | {"layer_types": ["full_attention", "minimax_m3_sparse", "minimax_m3_sparse"]},
    ),
    "hy_v4": ("HYV4ForCausalLM", "HYV4Config", _SIZE | _LATENT | _INDEXER | {"head_dim": 8}),
}


def sparse(name: str, implementation: str = "sdpa") -> hf.PreTrainedModel:
    """A random model of the family, with attention far from uniform."""
    model_class, config_class, settings = SPARSE[name]
    torch.manual_seed(0)
    net: hf.PreTrainedModel = getattr(hf, model_class)(getattr(hf, config_class)(**settings)).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.25)
    if name != "hy_v4":  # which comes as eager, and cannot be anything else
        net.set_attn_implementation(implementation)
    watch(net)
    return net
