"""The numbers and figures of docs/cause.md: which heads matter, where words arrive, whose attention is to be believed.

    python cause.py [heads] [estimates] [capitals] [reviews] [--models smollm2 qwen] [--count N] [--rows FOLDER]
                    [--page]

Each measures what its file of rows does not have yet (a stopped run goes on), prints its tables in Markdown and draws
its figure in light and dark; all of them by default. --page puts the tables into the page too.
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from effects import capitals, estimates, heads, reviews
from effects.rows import MODELS, ROOT, Study, measured

PAGE = ROOT / "docs" / "cause.md"
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
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.studies or STUDIES:
        study = STUDIES[name]
        count = min(study.count, given.count or study.count)
        rows = {model: measured(study, name, model, given.rows, count) for model in given.models}
        said = study.report({model: of for model, of in rows.items() if of})
        print(f"\n## {name}\n\n{said}")
        if given.page:
            _put(name, said)


def _put(name: str, said: str) -> None:
    """Between the study's marks in the page."""
    page = PAGE.read_text("utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    start, stop = page.index(begin) + len(begin), page.index(end)
    PAGE.write_text(f"{page[:start]}\n\n{said}\n\n{page[stop:]}", "utf-8")


if __name__ == "__main__":
    main()
