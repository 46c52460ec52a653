"""A small byte-level tokenizer for models of any vocabulary, trained on a few sentences in a moment."""

from functools import cache

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from families.sizes import VOCABULARY

_CORPUS = (
    "The old castle stands on the hill above the town, and the river runs below it.",
    "Don't stop: New York and Kumamoto are cities. The castle isn't in New York!",
    "A model reads the words of a sentence and pays attention to the other words.",
    "Is it true? Yes, it is; the price was 3.14 dollars in 1999, on the market.",
    "It was good. It was bad. the good castle, the bad town",
)
_SPECIAL = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_ENCODERS = {"mask_token": "<mask>", "cls_token": "<s>", "sep_token": "</s>"}
# How a text begins and ends for each sort of model.
_TEMPLATES = {"causal": "<s> $A", "encoder": "<s> $A </s>", "encoder-decoder": "$A </s>"}


@cache
def tokenizer(style: str) -> PreTrainedTokenizerFast:
    """The tokenizer of a "causal" model, an "encoder" or an "encoder-decoder"; the same words for each."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [*_SPECIAL.values(), "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=360, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(_CORPUS * 4, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single=_TEMPLATES[style], special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    named = _SPECIAL if style == "causal" else _SPECIAL | _ENCODERS
    made = PreTrainedTokenizerFast(tokenizer_object=backend, **named)
    made.model_input_names = ["input_ids", "attention_mask"]
    made.add_tokens([f"<x{i}>" for i in range(VOCABULARY - len(made))])
    return made
