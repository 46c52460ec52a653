"""The checks of a trial: each returns its largest error, and has the largest that float32 may make of it.

They are in the order in which they run. A check may be read from the docs table by its name.
"""

from collections.abc import Callable

from families.checks import attention, company, gradients, targets, values
from families.trial import Trial

Check = Callable[[Trial], float | None]

CHECKS: dict[str, tuple[Check, float]] = {
    "attention": (attention.attention, 1e-5),
    "maps": (attention.maps, 1e-5),
    "decoder and cross-attention": (attention.decoder_and_cross, 1e-5),
    "rollout": (attention.rollout, 2e-5),
    "attention_gradient": (attention.attention_gradient, 1e-3),
    "value_norm": (values.value_norm, 1e-4),
    "value_zeroing": (values.value_zeroing, 1e-3),
    "gradient": (gradients.gradient, 1e-4),
    "gradient_x_input": (gradients.gradient_x_input, 1e-4),
    "integrated_gradients": (gradients.integrated_gradients, 1e-3),
    "gim": (gradients.gim, 1e-3),
    "mask_gradient": (gradients.mask_gradient, 1e-3),
    "layers run again": (gradients.layers_run_again, 1e-4),
    "deletion": (targets.deletion, 1e-3),
    "generation": (targets.generation, 1e-3),
    "stop tokens": (targets.stop_tokens, 1e-3),
    "list": (company.in_a_list, 1e-3),
    "bfloat16": (company.bfloat16, 1.0),
    "float16": (company.float16, 1.0),
}
