"""What single families need beside small sizes: settings that must fit each other, and layers of every kind."""

from typing import Any, Final

from families.sizes import HEAD, HIDDEN, LAYERS, VOCABULARY, WINDOW

# Stands for: as the family has it, whatever the rules say.
DEFAULT: Final = object()

_LINEAR_AND_FULL = ["linear_attention", "full_attention"] * 2
_FULL_AND_SLIDING = ["full_attention", "sliding_attention"] * 2
_CONVOLUTION_AND_FULL = ["conv", "full_attention"] * 2
_ROPE = {"rope_type": "default", "rope_theta": 10000.0}
# Positions in time, height and width; of text all three are the same.
_ROPE_OF_PICTURES = _ROPE | {"mrope_section": [2, 3, 3], "type": "default"}
_WHOLE_ROPE_OF_PICTURES = _ROPE_OF_PICTURES | {"partial_rotary_factor": 1.0}
_SHARED_ATTENTION = {
    "attention_head_dim": 32,
    "attention_hidden_size": 128,
    "num_key_value_heads": 4,
    "layers_block_type": ["linear_attention", "hybrid"] * 2,
    "layer_types": ["linear_attention", "hybrid"] * 2,
}

OVERRIDES: dict[str, dict[str, Any]] = {
    # Layers of several kinds.
    "bamba": {"attn_layer_indices": [1, 3], "layer_types": DEFAULT},
    "bailing_hybrid": {
        "layer_types": _LINEAR_AND_FULL,
        "linear_head_dim": DEFAULT,
        "head_dim": DEFAULT,
        "linear_num_heads": DEFAULT,
        "num_expert_group": 2,
        "topk_group": 1,
    },
    "granitemoehybrid": {"layer_types": _LINEAR_AND_FULL, "layers_block_type": DEFAULT},
    "jamba": {
        "attn_layer_offset": 1,
        "attn_layer_period": 2,
        "expert_layer_offset": 1,
        "expert_layer_period": 2,
        "layer_types": DEFAULT,
        "layers_block_type": DEFAULT,
    },
    "lfm2": {"layer_types": _CONVOLUTION_AND_FULL},
    "lfm2_moe": {"layer_types": _CONVOLUTION_AND_FULL, "num_dense_layers": 1, "num_experts": 4},
    "zamba": {"attn_layer_offset": 1, "attn_layer_period": 2} | _SHARED_ATTENTION,
    "zamba2": {"num_mem_blocks": 1, "n_mamba_heads": 8, "mamba_headdim": 16, "mamba_ngroups": 1} | _SHARED_ATTENTION,
    "mamba2": {"num_heads": 8, "head_dim": 16, "n_groups": 1, "state_size": 16, "expand": 2},
    # Windows and blocks shorter than the text.
    "cohere_compass_text": {
        "rope_parameters": {"full_attention": _ROPE, "sliding_attention": _ROPE},
        "layer_types": _FULL_AND_SLIDING,
        "num_key_value_heads": 2,
    },
    "dots1": {
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_shared_experts": 1,
        "layer_types": _FULL_AND_SLIDING,
    },
    "gpt_neo": {"attention_types": [[["global", "local"], 2]], "attention_layers": DEFAULT, "window_size": WINDOW},
    "led": {"attention_window": 8},
    "longformer": {"attention_window": 8},
    "longt5": {"local_radius": 8, "global_block_size": 4},
    "minimax_m3_vl_text": {
        "index_block_size": 4,
        "index_topk_blocks": 2,
        "index_local_blocks": 1,
        "index_head_dim": 16,
        "index_n_heads": 2,
        "layer_types": ["full_attention", "minimax_m3_sparse"] * 2,
    },
    "mistral": {"sliding_window": WINDOW},
    "mixtral": {"sliding_window": WINDOW},
    "modernbert": {"local_attention": 16, "global_attn_every_n_layers": 2, "layer_types": DEFAULT},
    "modernbert-decoder": {"local_attention": 16, "global_attn_every_n_layers": 2, "layer_types": DEFAULT},
    "pegasus_x": {"block_size": 8, "num_global_tokens": 4},
    "phi3": {"sliding_window": WINDOW},
    "qwen2": {"use_sliding_window": True, "max_window_layers": 2, "layer_types": DEFAULT, "sliding_window": WINDOW},
    "starcoder2": {"sliding_window": WINDOW},
    "step3p5": {"sliding_window": WINDOW, "num_sliding_attention_heads": 4},
    "step3p7_text": {"sliding_window": WINDOW},
    # Full attention: block-sparse needs texts of hundreds of tokens.
    "big_bird": {"attention_type": "original_full"},
    "bigbird_pegasus": {"attention_type": "original_full"},
    # Sizes that must fit each other.
    "albert": {"embedding_size": 32},
    "codegen": {"rotary_dim": 8},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8, "rope_theta": 10000.0},
        "ffn_config": {"ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 2},
    },
    "deepseek_v2": {"num_experts_per_tok": 2},
    "electra": {"embedding_size": 32},
    "esm": {"vocab_size": VOCABULARY},
    "fsmt": {"decoder_start_token_id": 2},  # what its decoder begins with is no padding, which it would mask
    "funnel": {
        "block_sizes": [2, 2, 2],
        "block_repeats": [1, 1, 1],
        "num_decoder_layers": 2,
        "d_model": HIDDEN,
        "n_head": 4,
        "d_head": HEAD,
        "d_inner": 96,
    },
    "gptj": {"rotary_dim": 8},
    "hunyuan_v1_dense": {"head_dim": HEAD},
    "hunyuan_v1_moe": {"head_dim": HEAD, "num_experts": 4, "moe_topk": 2},
    "hunyuan_vl_text": {"head_dim": HEAD, "rope_parameters": _ROPE_OF_PICTURES},
    "layoutlmv3": {
        "coordinate_size": 12,
        "shape_size": 8,
        "hidden_size": HIDDEN,
        "input_size": 28,
        "visual_embed": False,
    },
    "lilt": {"channel_shrink_ratio": 4, "hidden_size": 96, "intermediate_size": 96},
    "longcat_flash": {"head_dim": 8, "num_layers": 2, "num_hidden_layers": LAYERS},
    "ministral": {"head_dim": HEAD},
    "mobilebert": {
        "hidden_size": HIDDEN,
        "embedding_size": 32,
        "true_hidden_size": HIDDEN,
        "intra_bottleneck_size": HIDDEN,
    },
    "nemotron": {"head_dim": HEAD, "num_key_value_heads": 2},
    "nystromformer": {"num_landmarks": 4, "segment_means_seq_len": 4},
    "reformer": {
        "hash_seed": 0,  # else it hashes by chance
        "axial_pos_embds": True,
        "axial_pos_embds_dim": (32, 32),
        "axial_pos_shape": (8, 64),
        "attn_layers": ["local", "lsh", "local", "lsh"],
        "local_attn_chunk_length": 8,
        "lsh_attn_chunk_length": 8,
        "attention_head_size": HEAD,
        "hidden_size": HIDDEN,
        "feed_forward_size": 96,
        "num_buckets": 4,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": 512,
    },
    "squeezebert": {"embedding_size": HIDDEN},
    "t5": {"num_layers": 3, "num_decoder_layers": 3},
    "t5gemma": {"decoder_start_token_id": 1},
    "t5gemma2": {"decoder_start_token_id": 1},
    "xlnet": {"d_model": HIDDEN, "n_layer": 3, "n_head": 4, "d_inner": 96, "d_head": HEAD},
    "xlstm": {"qk_dim_factor": 1.0},  # its cache does not know that widths are rounded up
    "xmod": {"default_language": "en_XX", "languages": ["en_XX"]},
    "zaya": {"num_experts_per_tok": 1},
    "blt": {"encoder_hash_byte_group_vocab": 64},
    "chameleon": {"vocabulary_map": {"<image>": 390}},
    "cosmos3_edge_text": {"rope_parameters": _ROPE_OF_PICTURES},
    "deepseek_ocr2_text": {"mlp_layer_types": ["dense", "sparse"] * 2, "num_experts_per_tok": 2, "topk_group": 1},
    "diffusion_gemma_text": {"num_experts": 4, "top_k_experts": 2, "moe_intermediate_size": 32},
    "dots3_note_text": {"shared_experts_intermediate_size": 32},
    "dots3_note_vision_encoder": {"adapter_in_dim": HIDDEN, "adapter_out_dim": HIDDEN},
    "dots3_note_audio_encoder": {"adapter_input_size": HIDDEN, "adapter_out_dim": HIDDEN},
    "emu3": {"vocabulary_map": {"<image>": 390}},
    "ernie4_5_vl_moe_text": {
        "moe_intermediate_size": [32, 16],
        "rope_parameters": _ROPE | {"mrope_section": [3, 3, 2]},
    },
    "glm5_next_text": {"qk_rope_head_dim": 0},
    "granite4_vision": {"deepstack_layer_map": [], "downsample_rate": "1/2"},
    "inkling2_vision": {"text_hidden_size": HIDDEN, "projection_hidden_dim": HIDDEN},
    "molmo2_adapter": {"vision_feature_layer": [1, 2], "text_hidden_size": HIDDEN},
    "qwen4_exp_text": {
        "ngram_vocab_size_base": 64,
        "indexer_n_heads": 2,
        "indexer_kv_heads": 1,
        "indexer_head_dim": HEAD,
        "indexer_budget": WINDOW,
        "indexer_compress_ratio": 4,
    },
    # Positions of pictures, and the tokens that stand for them.
    "glm46v_text": {"rope_parameters": _WHOLE_ROPE_OF_PICTURES},
    "glm4v_moe_text": {"rope_parameters": _WHOLE_ROPE_OF_PICTURES},
    "glm4v_text": {"rope_parameters": _WHOLE_ROPE_OF_PICTURES},
    "glm_ocr_text": {"rope_parameters": _WHOLE_ROPE_OF_PICTURES},
    "paddleocr_vl_text": {"rope_parameters": _ROPE_OF_PICTURES},
    "qwen2_5_omni_text": {"rope_parameters": _ROPE_OF_PICTURES},
    "qwen2_5_omni_thinker": {"vision_start_token_id": 390, "audio_start_token_id": 391},
    "qwen2_5_vl_text": {"rope_parameters": _ROPE_OF_PICTURES},
    "qwen2_vl_text": {"rope_parameters": _ROPE_OF_PICTURES},
    "qwen3_omni_moe_thinker": {"vision_start_token_id": 390, "audio_start_token_id": 391},
}
