"""The reply of a chat, or a part of it, as a target: the model's own probability of its tokens where they stand."""

import pytest
import torch

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.inputs.encode import encode
from attnscope.models.inputs.reply import replied
from attnscope.text.inputs import Reading

CHAT = [
    {"role": "system", "content": "You know the world."},
    {"role": "user", "content": "What is the capital of Japan?"},
    {"role": "assistant", "content": "The capital of Japan is Tokyo, a city."},
]


def log_probability(model: ats.Model, ids: list[int], first: int, last: int) -> float:
    """Of the tokens first … last, each after those before it, by transformers alone."""
    with torch.no_grad():
        logits = model.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return sum(float(logits[i - 1, ids[i]]) for i in range(first, last + 1))


def rendered(model: ats.Model) -> tuple[list[int], str, list[tuple[int, int]]]:
    text = model.tokenizer.apply_chat_template(CHAT, tokenize=False)
    both = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return both["input_ids"], text, both["offset_mapping"]


@pytest.mark.parametrize("part", [None, "Tokyo", " Tokyo, a", (24, 29)])
def test_the_value_is_the_models_own(smollm2: ats.Model, part: str | tuple[int, int] | None) -> None:
    ids, text, offsets = rendered(smollm2)
    reply = text.index("The capital")
    said = CHAT[2]["content"]
    start, end = (
        (0, len(said))
        if part is None
        else part
        if isinstance(part, tuple)
        else (
            said.index(part),
            said.index(part) + len(part),
        )
    )
    inside = [i for i, (a, b) in enumerate(offsets) if a < reply + end and reply + start < b]
    result = ats.explain(smollm2, CHAT, "gradient", target=part)
    assert result.measured.value == pytest.approx(log_probability(smollm2, ids, inside[0], inside[-1]), abs=1e-4)
    scored = [token for token in result.tokens if not token.special]
    before = "You know the world.\n\nWhat is the capital of Japan?"
    assert result.text == (before if part is None else before + "\n\n" + text[reply : offsets[inside[0]][0]])
    assert all(result.text[t.start : t.end] == t.text for t in scored)


def test_per_token_and_whole_add_up(smollm2: ats.Model) -> None:
    each = ats.explain(smollm2, CHAT, "gradient", per_token=True)
    whole = ats.explain(smollm2, CHAT)
    assert sum(target.value for target in each.targets) == pytest.approx(whole.measured.value, abs=1e-4)
    assert "".join(target.text for target in each.targets) == CHAT[2]["content"]
    start, end = each.first.measured.turns["3 assistant"]
    assert each.first.text[start:end] == CHAT[2]["content"]


def test_a_contrast_stands_in_the_same_place(smollm2: ats.Model) -> None:
    kyoto = [*CHAT[:2], {"role": "assistant", "content": "The capital of Japan is Kyoto, a city."}]
    contrast = ats.explain(smollm2, CHAT, "gradient", target="Tokyo", against="Kyoto")
    one, other = (ats.explain(smollm2, c, "gradient", target=t) for c, t in ((CHAT, "Tokyo"), (kyoto, "Kyoto")))
    assert contrast.measured.value == pytest.approx(one.measured.value - other.measured.value, abs=1e-4)


def test_a_part_inside_a_token_takes_the_token(smollm2: ats.Model) -> None:
    (target,) = replied(smollm2, encode(smollm2.tokenizer, Reading().one(CHAT)), "okyo")
    assert target.text == " Tokyo"


def test_generating_goes_on_with_the_reply(smollm2: ats.Model) -> None:
    begun = [*CHAT[:2], {"role": "assistant", "content": "The capital of Japan is"}]
    prompt = smollm2.tokenizer.apply_chat_template(begun, continue_final_message=True, return_dict=False)
    ids = torch.tensor([prompt])
    theirs = smollm2.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=4)
    for chat_template_kwargs in (None, {"continue_final_message": True}):
        ours = ats.attention(smollm2, begun, generate=4, chat_template_kwargs=chat_template_kwargs)
        assert ours.text[ours.measured.continued_at :] == smollm2.tokenizer.decode(
            theirs[0, len(prompt) :], skip_special_tokens=True
        )
        assert ours.text.endswith("The capital of Japan is" + ours.text[ours.measured.continued_at :])


@pytest.mark.parametrize("part", ["Osaka", (3, 400), (5, 5), 7])
def test_a_part_that_is_not_there(smollm2: ats.Model, part: object) -> None:
    with pytest.raises(InputError, match="reply"):
        ats.explain(smollm2, CHAT, "gradient", target=part)
