"""What the lowest transformers that is allowed has otherwise: such tests are skipped there, with the reason."""

import transformers

# Part of a test's name: why it cannot hold there.
_IN_5_0 = {
    "test_capture.py::test_rows_equal_eager[gemma2": "its SDPA leaves out the soft cap: refused, for eager has it",
    "test_capture.py::test_every_row_of_a_layer[gemma2": "its SDPA leaves out the soft cap: refused, for eager has it",
    "test_capture.py::test_blocks_do_not_show[gemma2": "its SDPA leaves out the soft cap: refused, for eager has it",
    "test_capture.py::test_rows_equal_eager[gptj": "GPT-J's configuration has no padding token",
    "test_capture.py::test_every_row_of_a_layer[gptj": "GPT-J's configuration has no padding token",
    "test_capture.py::test_blocks_do_not_show[gptj": "GPT-J's configuration has no padding token",
    "test_capture.py::test_rows_equal_eager[modernbert": "ModernBERT is outside the attention interface: hooked",
    "test_thread_bound.py::test_a_pass_of_another_thread_within_one_of_ours[llama": "all threads record",
    "test_thread_bound.py::test_a_pass_of_another_thread_within_one_of_ours[bert": "all threads record",
    "test_gim.py::test_gim_is_the_paper_on_every_family[t5": "T5's decoder is outside the attention interface: refused",
    "test_capture.py::test_rows_equal_eager[t5": "T5 is outside the attention interface: hooked",
}


def why_not_here(test: str) -> str | None:
    """Why the test of this name cannot hold with the transformers that is installed."""
    if not transformers.__version__.startswith("5.0."):
        return None
    return next((reason for name, reason in _IN_5_0.items() if name in test), None)
