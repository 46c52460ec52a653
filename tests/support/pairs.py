"""A small BERT for two texts, and a pair for it."""

import copy
from typing import Any

import torch
import transformers as hf
from tiny_models import SIZE
from tokenizers_zoo import tokenizer

import attnscope as ats

QUESTION, PASSAGE = "Is the castle old?", "The old castle stands on the hill above the town."


def bert(kind: str, **settings: Any) -> ats.Model:
    torch.manual_seed(0)
    wordpiece = copy.deepcopy(tokenizer("wordpiece"))
    wordpiece.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]  # as BERT's own has
    config = hf.BertConfig(**SIZE | {"vocab_size": len(wordpiece), "initializer_range": 0.5} | settings)
    return ats.Model(getattr(hf, f"BertFor{kind}")(config).eval(), wordpiece)


def plain(model: ats.Model, first: str = QUESTION, second: str = PASSAGE) -> Any:
    """What the model gives for the pair as the tokenizer joins it."""
    options = {"truncation": False, "padding": False, "return_tensors": "pt"}
    return model.model, model.tokenizer(first, second, **options)
