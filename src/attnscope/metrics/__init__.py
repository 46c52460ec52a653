"""How good an explanation is: formulas of faithfulness, sanity and agreement with people, on plain numbers."""
