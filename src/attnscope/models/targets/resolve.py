"""What is explained: one notion of a target for every method and every kind of model.

    nothing                           the loss of the text itself (`labels = input_ids`); a classifier: its prediction
                                      (of a chat that ends with a reply: that reply)
    target=" positive"                a continuation (causal), a target text (encoder–decoder)
    target=" positive", against=" negative"    their difference
    target="POSITIVE" or 1            a class; with position="have", that label of one token
    target="Tokyo" or (3, 8)          a part of the reply that a chat ends with: a text in it, or characters of it
    target="in 1607"                  an answer: a passage of the text (question answering)
    position="castle"                 a masked position: the word is masked, or is the text's own mask token
    similar_to="A kitten"             the similarity to another text (sentence-transformers, and encoders that pool)
    generate=20                       the model's own greedy continuation, as a whole or (per_token=True) token by token

A continuation is part of the model's input, in one teacher-forced pass; the words that are scored are the prompt's.
A per-token target scores the tokens of the continuation too, each by those before it.
"""

import inspect
from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from attnscope.errors import InputError, ModelError
from attnscope.models.architecture import accepted, check_chance, depends_on_length, reads_ahead, task_of
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.continuation import Continued, continued
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.generation import DecoderText, decoder_labels, decoder_text
from attnscope.models.inputs.reply import replied
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.model_facts import facts_of
from attnscope.models.targets.answers import answer
from attnscope.models.targets.labels import classifier, masked, token_classifier
from attnscope.models.targets.readout import Readout
from attnscope.models.targets.similar import similar
from attnscope.models.targets.target import Objective, Target, explained, quantity_of, reply_part, written_text


def resolve(model: Model, encoded: Encoded, target: Target | None = None) -> Objective:
    """The target on this text.

    Raises InputError, QueryError or ModelError where model, text and target do not fit; TextTooLongError where text and
    continuation are longer than the model's positions.
    """
    target = target or Target()
    if target.similar_to is not None:
        return similar(model, encoded, target)
    task = task_of(model.model)
    if not task:
        raise ModelError(
            f"{type(model.model).__name__} has no language-model head, so its input has no loss; load a causal or "
            "masked language model, an encoder–decoder or a classifier, compare the text with another (similar_to), or "
            "look at its attention instead"
        )
    check_chance(model.model)
    if task not in ("causal", "encoder-decoder") and (target.generate is not None or target.per_token):
        raise InputError(f"generate and per_token need a model that writes text: {type(model.model).__name__} does not")
    if task not in ("token classifier", "masked") and target.position is not None:
        raise InputError(f"position={target.position!r} is for token classifiers and masked models; leave it out")
    asked = target.target is not None or target.generate is not None or (task == "causal" and encoded.replies)
    if target.per_token and not asked:
        raise InputError("per_token=True takes the tokens of a target text, of a chat's reply or of generate=N")
    return _BY_TASK[task](model, encoded, target)


def _causal(model: Model, encoded: Encoded, target: Target) -> Objective:
    net = model.model
    if ahead := reads_ahead(net):
        _check_ahead(net, target)
    if target.target is None and target.generate is None and not encoded.replies:
        ids = encoded.inputs["input_ids"]
        count = len(ids) - 1
        if count < 1:
            raise ModelError(
                "the text is one token long: a causal model predicts nothing from it; give two tokens or more"
            )
        quantity = quantity_of(target, "loss")
        readout = Readout(
            encoded.inputs, tuple(range(count)), tuple(ids[1:]), (1,) * count, quantity, ahead=1, of_text=True
        )
        return Objective(encoded, (readout,), explained("the text itself (labels = input ids)", quantity), quantity)
    quantity = quantity_of(target, "log_probability")
    joined = _written(model, encoded, target)
    first = joined[0]
    if ahead and any(len(both.ids) > 1 for both in joined):
        raise ModelError(
            f"{type(net).__name__} reads a text both ways, so that the first tokens of a target would be read off a "
            "text that already has the later ones: give a target of one token"
        )
    readouts = []
    for sign, both in zip((1, -1), joined, strict=False):
        count = len(both.ids)
        # Nothing asks what follows the last token of a continuation, so the model does not read it.
        inputs = {name: list(values[:-1]) for name, values in both.encoded.inputs.items()}
        positions = tuple(range(both.prompt - 1, both.prompt - 1 + count))
        readouts.append(
            Readout(inputs, positions, both.ids, (sign,) * count, quantity, per_token=target.per_token, ahead=1)
        )
    what = f"{first.text!r}" if target.generate is None else f"the generation {first.text!r}"
    if len(joined) == 2:
        what += f" minus that of {joined[1].text!r}"
    if target.per_token:
        tokens = first.encoded.tokens
        about = tuple((tokens[i].text, i) for i in range(first.prompt, len(tokens)))
        return Objective(first.encoded, tuple(readouts), explained(f"each token of {what}", quantity), quantity, about)
    answer = tuple(both.text for both in joined)
    return Objective(first.before, _merged(readouts), explained(what, quantity), quantity, answer=answer)


def _written(model: Model, encoded: Encoded, target: Target) -> list[Continued]:
    """What is explained, and what it is compared with: given, generated, or the reply that a chat ends with."""
    if target.generate is not None:
        return [continued(model, encoded, generate=target.generate)]
    against = None if target.against is None else written_text(target.against)
    if encoded.replies:
        return replied(model, encoded, reply_part(target.target), against)
    texts = [written_text(target.target), against]
    return [continued(model, encoded, text) for text in texts if text is not None]


def _check_ahead(net: PreTrainedModel, target: Target) -> None:
    """Raises ModelError for what a model that reads a text both ways (PaliGemma, CPM-Ant, XLNet) cannot be asked."""
    if "target_mapping" in inspect.signature(net.forward).parameters:
        raise ModelError(
            f"{type(net).__name__} predicts words in an order of their own, and what it gives at a token is no "
            "prediction of the next: look at its attention instead"
        )
    if target.target is None and target.generate is None:
        raise ModelError(
            f"{type(net).__name__} reads a text both ways, so that it sees what it is to predict, and the loss of the "
            "text says nothing: give a target of one token"
        )


def _merged(readouts: Sequence[Readout]) -> tuple[Readout, ...]:
    """Two readouts of the same input are one pass."""
    if len(readouts) == 2 and readouts[0].inputs == readouts[1].inputs and readouts[0].decoder == readouts[1].decoder:
        return (readouts[0].joined(readouts[1]),)
    return tuple(readouts)


def _encoder_decoder(model: Model, encoded: Encoded, target: Target) -> Objective:
    of_itself = target.target is None and target.generate is None
    if of_itself:
        texts = [decoder_labels(model, list(encoded.inputs["input_ids"]), encoded.text)]
    elif target.generate is not None:
        texts = [decoder_text(model, encoded, generate=target.generate)]
        _check_written(model, encoded, texts[0])
    else:
        given = [written_text(t) for t in (target.target, target.against) if t is not None]
        texts = [decoder_text(model, encoded, text) for text in given]
    quantity = quantity_of(target, "loss" if of_itself else "log_probability")
    readouts = [
        Readout(
            encoded.inputs,
            tuple(range(len(text.written))),
            text.written,
            (sign,) * len(text.written),
            quantity,
            per_token=target.per_token,
            decoder=text.read,
        )
        for sign, text in zip((1, -1), texts, strict=False)
    ]
    if of_itself:
        what = "the text itself (labels = input ids)"
    else:
        what = " minus that of ".join(repr(text.text) for text in texts)
        what = f"the generation {what}" if target.generate is not None else what
    tokenizer = model.tokenizer
    about = tuple((str(tokenizer.decode([i])), None) for i in readouts[0].ids) if target.per_token else ()
    what = f"each token of {what}" if target.per_token else what
    answer = () if of_itself else tuple(text.text for text in texts)
    return Objective(encoded, _merged(readouts), explained(what, quantity), quantity, about, answer=answer)


def _check_written(model: Model, encoded: Encoded, text: DecoderText) -> None:
    """Raises ModelError where one pass over what was written gives other numbers than the passes that wrote it."""
    facts, net = facts_of(model.model), model.model
    if len(text.read) < 2:
        return
    if facts.decoder_by_length is None:
        with unchanged(net), torch.no_grad():
            whole, short = (
                net(**accepted(net, tensors(net, {**encoded.inputs, "decoder_input_ids": read}))).logits[0]
                for read in (text.read, text.read[:-1])
            )
        facts.decoder_by_length = depends_on_length(whole, short)
    if facts.decoder_by_length:
        raise ModelError(
            f"{type(net).__name__} predicts otherwise where its decoder reads more tokens, so that one pass over what "
            "it wrote says nothing of how it wrote it: give generate=1, or a target"
        )


_BY_TASK = {
    "causal": _causal,
    "masked": masked,
    "encoder-decoder": _encoder_decoder,
    "classifier": classifier,
    "token classifier": token_classifier,
    "answer": answer,
}
