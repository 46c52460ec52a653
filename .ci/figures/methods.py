"""The sentence of docs/methods.md, coloured by every method: `make docs-figures`."""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

if __name__ == "__main__":
    importlib.import_module("method_strips").make()  # in .ci
