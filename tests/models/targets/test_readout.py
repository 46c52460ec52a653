"""The value of a readout from its entries, and entries in batches against one pass each."""

import pytest
import torch
from tiny_models import classifier, tiny

from attnscope.models.targets.readout import Readout, batch_budget, batch_inputs, entries_in, entries_of, values

ENTRIES = torch.tensor([-1.0, -2.0, -0.5])


def readout(length: int = 5, quantity: str = "log_probability", **settings: object) -> Readout:
    ids = list(range(3, 3 + length))
    return Readout({"input_ids": ids}, (0, length - 1), (5, 9), (1, 1), quantity, **settings)


@pytest.mark.parametrize(
    ("quantity", "whole", "each"),
    [
        ("log_probability", -3.5, [-1.0, -2.0, -0.5]),
        ("logit", -3.5, [-1.0, -2.0, -0.5]),
        ("loss", 3.5 / 3, [1.0, 2.0, 0.5]),
        ("probability", 2.718281828**-3.5, [2.718281828**-1, 2.718281828**-2, 2.718281828**-0.5]),
    ],
)
def test_quantities(quantity: str, whole: float, each: list[float]) -> None:
    asked = Readout({"input_ids": [1]}, (0, 0, 0), (1, 2, 3), (1, 1, 1), quantity)
    assert asked.value(ENTRIES).tolist() == pytest.approx([whole])
    single = Readout({"input_ids": [1]}, (0, 0, 0), (1, 2, 3), (1, 1, 1), quantity, per_token=True)
    assert single.value(ENTRIES).tolist() == pytest.approx(each)


def test_a_contrast_and_the_highest() -> None:
    contrast = Readout({"input_ids": [1]}, (0, 0, 0), (1, 2, 3), (1, -1, 1), "log_probability")
    assert contrast.value(ENTRIES).tolist() == pytest.approx([-1.0 - 0.5 + 2.0])
    highest = Readout({"input_ids": [1]}, (0, 0, 0), (1, 1, 1), (1, 1, 1), "logit", highest=True)
    assert highest.value(ENTRIES).tolist() == [-0.5]


def test_two_readouts_of_one_pass_join() -> None:
    first, second = readout(), Readout({"input_ids": [3, 4, 5, 6, 7]}, (2,), (8,), (-1,), "log_probability")
    both = first.joined(second)
    assert (both.positions, both.ids, both.signs) == ((0, 4, 2), (5, 9, 8), (1, 1, -1))
    assert Readout({"input_ids": [1, 2]}, (), (), (), "loss", decoder=(0, 1, 2)).length == 5


@pytest.mark.parametrize("family", ["llama", "bert", "deberta_v2", "t5"])
@pytest.mark.parametrize("budget", [1, 4096])
def test_batches_equal_single_passes(family: str, budget: int) -> None:
    net = tiny(family, sharp=2.0)
    more = {"decoder": (0, 7, 8, 9, 10)} if family == "t5" else {}
    readouts = [readout(length, **more) for length in (3, 5, 4)]
    found = entries_of(net, readouts, budget=budget)
    for asked, entries in zip(readouts, found, strict=True):
        inputs = {"input_ids": torch.tensor([asked.inputs["input_ids"]])}
        if family == "t5":
            inputs["decoder_input_ids"] = torch.tensor([asked.decoder])
        with torch.no_grad():
            logs = net(**inputs).logits[0].log_softmax(-1)
        expected = logs[list(asked.positions), list(asked.ids)]
        torch.testing.assert_close(entries, expected, atol=1e-4, rtol=1e-4)
    assert [v.item() for v in values(net, readouts)] == pytest.approx([float(e.sum()) for e in found], rel=1e-4)


def test_a_change_of_embeddings_knows_which_readouts_it_is_given() -> None:
    net = tiny("llama", sharp=2.0)
    readouts = [readout(3), readout(5)]

    def change(embeddings: torch.Tensor, members: object) -> torch.Tensor:
        return torch.stack([e if member == 0 else e * 0 for e, member in zip(embeddings, members, strict=True)])

    plain, changed = entries_of(net, readouts), entries_of(net, readouts, change=change)
    torch.testing.assert_close(changed[0], plain[0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(changed[1], plain[1])


def test_where_entries_stand_in_a_batch() -> None:
    entries = entries_in([readout(3), readout(5)], torch.device("cpu"))
    assert entries.rows.tolist() == [0, 0, 1, 1]
    assert entries.positions.tolist() == [0, 2, 0, 4]
    assert [part.tolist() for part in entries.by_readout(torch.arange(4))] == [[0, 1], [2, 3]]
    assert batch_inputs(tiny("llama"), [readout(3), readout(5)])["input_ids"].shape == (2, 5)


def test_a_classifier_without_a_padding_id_takes_one_text_at_a_time() -> None:
    net = classifier("Sequence").model
    assert batch_budget(net, [], 9) == 9
    net.config.pad_token_id = None
    assert batch_budget(net, [], 9) == 1
    net.config.pad_token_id = 0
