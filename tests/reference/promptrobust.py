"""PromptRobust's two scores (arXiv:2306.04528) from their definition, one plain pass at a time.

Both explain the loss of a label's text after the prompt, the mean over the label's tokens, and end min–max scaled.
Words are what white space separates. Left out are defects of the authors' own program: here words that come twice have
scores of their own, a constant list is not divided by zero, and no token is counted twice or left out.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def label_loss(net: PreTrainedModel, vectors: Tensor, label: list[int]) -> Tensor:
    """Mean cross-entropy of the label's tokens after the prompt's vectors (token, hidden)."""
    behind = net.get_input_embeddings()(torch.tensor(label))
    logits = net(inputs_embeds=torch.cat([vectors, behind])[None]).logits[0]
    asked = logits[len(vectors) - 1 : len(vectors) - 1 + len(label)]
    return torch.nn.functional.cross_entropy(asked, torch.tensor(label))


def by_gradient(net: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, label: str) -> list[float]:
    """One score a word: the norm of the sum of its tokens' gradients."""
    words = prompt.split()
    ids = [tokenizer(" " * (i > 0) + word, add_special_tokens=False)["input_ids"] for i, word in enumerate(words)]
    assert [i for word in ids for i in word] == tokenizer(prompt)["input_ids"], "a case where words part the tokens"
    vectors = net.get_input_embeddings()(torch.tensor([i for word in ids for i in word])).detach().requires_grad_()
    loss = label_loss(net, vectors, tokenizer(label, add_special_tokens=False)["input_ids"])
    (gradient,) = torch.autograd.grad(loss, vectors)
    norms, start = [], 0
    for word in ids:
        norms.append(float(gradient[start : start + len(word)].sum(0).norm()))
        start += len(word)
    return scaled(norms)


def by_deletion(net: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, label: str) -> list[float]:
    """One score a word: how far the loss is from that of the prompt without the word."""

    def loss(text: str) -> float:
        with torch.no_grad():
            vectors = net.get_input_embeddings()(torch.tensor(tokenizer(text)["input_ids"]))
            return float(label_loss(net, vectors, tokenizer(label, add_special_tokens=False)["input_ids"]))

    words = prompt.split()
    whole = loss(prompt)
    return scaled([abs(loss(" ".join(words[:i] + words[i + 1 :])) - whole) for i in range(len(words))])


def scaled(scores: list[float]) -> list[float]:
    low, high = min(scores), max(scores)
    return [0.5 if low == high else (score - low) / (high - low) for score in scores]
