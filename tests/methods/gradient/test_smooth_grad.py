"""SmoothGrad: against gradients of noisy copies, one at a time."""

import torch
from comparisons import close, ids

import attnscope as ats
from reference import importance as textbook

TEXT = "a b c d e f"


def test_smooth_grad_without_noise_is_the_gradient(llama: ats.Model) -> None:
    smooth = ats.explain(llama, TEXT, method="smooth_grad", target=" g", noise=0.0, samples=3)
    assert close(smooth.scores, ats.explain(llama, TEXT, "gradient", target=" g").scores)


def test_smooth_grad_is_the_mean_over_noisy_texts(llama: ats.Model) -> None:
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    here = llama.model.get_input_embeddings()(torch.tensor(prompt)).detach()
    generator = torch.Generator().manual_seed(5)
    noise_samples = (
        torch.randn(4, *here.shape, generator=generator, dtype=torch.float64) * 0.2 * (here.max() - here.min())
    )
    mean = sum(textbook.gradient(llama.model, prompt, target, here + c.float()) for c in noise_samples) / 4
    result = ats.explain(llama, TEXT, method="smooth_grad", target=" g", noise=0.2, samples=4, seed=5)
    assert close(result.token_scores, mean.norm(dim=-1).numpy())


def test_noise_is_on_the_chosen_units_alone(llama: ats.Model) -> None:
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    here = llama.model.get_input_embeddings()(torch.tensor(prompt)).detach()
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(4, *here.shape, generator=generator, dtype=torch.float64) * 0.2 * (here.max() - here.min())
    noise[:, [0, 1, 4, 5]] = 0
    mean = sum(textbook.gradient(llama.model, prompt, target, here + c.float()) for c in noise) / 4
    result = ats.explain(llama, TEXT, method="smooth_grad", target=" g", noise=0.2, samples=4, seed=5, within=(4, 8))
    assert close(result.scores, mean.norm(dim=-1).numpy()[2:4])
