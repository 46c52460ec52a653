"""The family matrix: attnscope on a tiny model of every text architecture of transformers, against textbook versions.

    PYTHONPATH=tests:tests/support python -m families                    all of it, about half an hour on two cores
    … python -m families --sample                                        a representative fifth
    … python -m families deepseek_v32 causal masked:bert                 some of it, by family, kind or both
    … python -m families --table                                         write the table of docs/models.md anew

`support/tiny_models.py` has the few models that tests of single modules use, by name and with settings of their own;
here are all, with settings found by rule, and every check runs on each.
"""
