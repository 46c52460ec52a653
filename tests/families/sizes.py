"""How small a setting is made, by its name in a configuration: one list for all families."""


def name_set(names: str) -> frozenset[str]:
    """Names with spaces between them, as a set."""
    return frozenset(names.split())


VOCABULARY = 400
HIDDEN, HEADS, KEY_HEADS, HEAD, INNER, LAYERS = 64, 4, 2, 16, 96, 4
# Windows, chunks and top-k: more than a short trial run, fewer than the tokens of a text.
WINDOW = 12

_NAMES: tuple[tuple[int, str], ...] = (
    (
        VOCABULARY,
        "vocab_size text_vocab_size vocab_size_per_layer_input src_vocab_size tgt_vocab_size decoder_vocab_size",
    ),
    (
        HIDDEN,
        "hidden_size d_model n_embd dim emb_dim embed_dim model_dim d_embed embedding_size embedding_dim "
        "word_embed_proj_dim decoder_hidden_size projection_dim text_dim lru_width true_hidden_size "
        "intra_bottleneck_size attention_hidden_size embedding_multiplier_dim d_latents out_hidden_size block_dim "
        "hidden_size_global",
    ),
    (
        INNER,
        "hidden_dim intermediate_size ffn_dim d_ff n_inner encoder_ffn_dim decoder_ffn_dim dff dim_ff ff_dim "
        "feed_forward_hidden_size ffn_hidden_size intermediate_size_mlp",
    ),
    (
        32,
        "moe_intermediate_size shared_expert_intermediate_size moe_shared_expert_intermediate_size "
        "shared_intermediate_size expert_ffn_hidden_size expert_ffn_size q_lora_rank kv_lora_rank entity_emb_size",
    ),
    (LAYERS, "num_hidden_layers n_layer n_layers num_layers num_blocks"),
    (3, "encoder_layers decoder_layers num_decoder_layers num_encoder_layers"),
    (
        HEADS,
        "num_attention_heads n_head n_heads num_heads encoder_attention_heads decoder_attention_heads "
        "num_encoder_attention_heads num_decoder_attention_heads n_attention_heads linear_num_value_heads "
        "linear_num_heads",
    ),
    (
        HEAD,
        "head_dim attention_head_dim d_kv d_head kv_channels global_head_dim attention_head_size swa_head_dim "
        "qk_nope_head_dim v_head_dim index_head_dim linear_key_head_dim linear_value_head_dim linear_head_dim",
    ),
    (8, "qk_rope_head_dim"),
    (24, "qk_head_dim"),
    # Mixtures of experts, and sparse attention's indexer.
    (4, "num_local_experts n_routed_experts num_experts moe_num_experts n_experts"),
    (
        2,
        "num_experts_per_tok moe_k moe_topk moe_top_k num_experts_per_token top_k_experts",
    ),
    # With few heads, a key that none of them sees scores 0 as others do, and which of them is chosen is chance.
    (16, "index_n_heads"),
    (1, "n_group topk_group first_k_dense_replace"),
    (
        WINDOW,
        "index_topk sliding_window window_size attention_chunk_size attention_window_size sliding_window_size "
        "swa_window_size attention_sliding_window",
    ),
    (4, "index_kpool"),
    # State-space, linear and recurrent layers.
    (128, "d_inner mamba_d_ssm"),
    (16, "mamba_d_head mamba_d_state mamba_head_dim state_size ssm_state_size"),
    (8, "mamba_n_heads mamba_chunk_size mamba_num_heads mamba_dt_rank time_step_rank chunk_size"),
    (2, "n_mamba_heads linear_num_key_heads depth"),
    (1, "mamba_n_groups mamba_ngroups n_groups"),
    # What single families have.
    (64, "num_hash_buckets hash_bucket"),
    (
        16,
        "o_lora_rank hidden_size_per_layer_input adapter_rank memory_rank_dim bottleneck_size num_latents "
        "entity_vocab_size",
    ),
    (8, "laurel_rank num_landmarks"),
    (1, "num_kv_shared_layers"),
    (28, "image_size"),
    (14, "patch_size"),
    (
        512,
        "max_position_embeddings n_positions max_sequence_length max_seq_len n_ctx max_seq_length seq_length "
        "segment_means_seq_len",
    ),
    # The tokenizer's special tokens.
    (0, "decoder_start_token_id pad_token_id pad_index"),
    (1, "bos_token_id cls_token_id forced_bos_token_id"),
    (2, "eos_token_id sep_token_id forced_eos_token_id"),
    (3, "unk_token_id"),
    (4, "mask_token_id mask_index"),
)
SIZES: dict[str, int] = {name: size for size, names in _NAMES for name in names.split()}
# As many as there are heads where the family shares no keys, else fewer.
KEY_HEAD_NAMES = name_set(
    "num_key_value_heads num_kv_heads attention_num_kv_heads n_kv_heads swa_num_key_value_heads "
    "num_global_key_value_heads"
)
