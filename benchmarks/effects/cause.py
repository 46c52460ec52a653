"""The numbers and figures of docs/cause.md: which heads matter, where words arrive, whose attention is to be believed.

    python cause.py [heads] [estimates] [capitals] [reviews] [--models smollm2 qwen] [--count N] [--rows FOLDER]

Each measures what its file of rows does not have yet (a stopped run goes on), prints its tables in Markdown and draws
its figure in light and dark; all of them by default.
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from effects import capitals, estimates, heads, reviews
from effects.rows import MODELS, ROOT, Study, measured

STUDIES = {
    "heads": Study(heads.items, heads.measure, heads.report, 40),
    "estimates": Study(estimates.items, estimates.measure, estimates.report, 30),
    "capitals": Study(capitals.items, capitals.measure, capitals.report, len(capitals.CAPITALS)),
    "reviews": Study(reviews.items, reviews.measure, reviews.report, 200),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", choices=[*STUDIES, []], help="by default all")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--count", type=int, help="texts of each study and model, at most")
    parser.add_argument("--rows", type=Path, default=ROOT / "build" / "cause")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.studies or STUDIES:
        study = STUDIES[name]
        count = min(study.count, given.count or study.count)
        rows = {model: measured(study, name, model, given.rows, count) for model in given.models}
        print(f"\n## {name}\n\n{study.report(rows)}")


if __name__ == "__main__":
    main()
