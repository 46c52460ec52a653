"""The numbers of docs/citation.md: which scores say what an answer relied on, and at what price.

    python citation.py run FOLDER [NAME…] [--questions N]   measure; a stopped run goes on
    python citation.py page FOLDER                          write the tables and the figure of docs/citation.md
    python citation.py peer FOLDER PYTHON                   beside the context-cite package, in PYTHON's environment

Questions are generated: made-up facts, of which one passage alone has the answer. A NAME is a case, such as smollm2; by
default all of CASES. Rows are JSON lines, FOLDER/NAME.jsonl, one for each question. The weights of heads are learnt on
24 questions about other people, other facts and in other words; they are kept beside the rows.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import citation_page
import torch

import attnscope as ats
from attnscope.studies.citation.cite import METHODS
from attnscope.studies.citation.generated import LEARNT_FROM, fact_sets

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))
import citations
from real_models import qwen_coder_folder

LEARN = 24


@dataclass(frozen=True)
class Case:
    """A model and what it is asked.

    passages: of each question, of which one has the answer. masks: of the surrogate. sets: those of LDS.
    """

    load: Callable[[], ats.Model]
    questions: int
    passages: int
    masks: tuple[int, ...] = (8, 32, 64)
    sets: int = 16
    methods: tuple[str, ...] = METHODS


def _smollm2() -> ats.Model:
    return ats.load(dtype=torch.float32)


CASES = {
    "smollm2": Case(_smollm2, questions=300, passages=6),
    "qwen": Case(lambda: ats.load(qwen_coder_folder()), questions=40, passages=6),
    "smollm2-ten": Case(_smollm2, questions=40, passages=10, masks=(8, 32, 64, 128, 256)),
    "smollm2-twenty": Case(_smollm2, questions=40, passages=20, sets=8, methods=("deletion", "mask_gradient", "gim")),
}


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "page", "peer"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="cases; of peer, the environment's Python")
    parser.add_argument("--questions", type=int)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.what == "page":
        citation_page.write(asked.folder)
    elif asked.what == "peer":
        citations.compare(_smollm2(), asked.names[0], asked.folder / "peer.json", asked.questions or 5)
    else:
        for name in asked.names or CASES:
            run(name, asked.folder, asked.questions or CASES[name].questions)
            print(name, citation_page.read(asked.folder / f"{name}.jsonl").table(), sep="\n")


def run(name: str, folder: Path, questions: int) -> None:
    """Ask what has not been asked."""
    case, path = CASES[name], folder / f"{name}.jsonl"
    model = case.load()
    weights = _learnt(model, path.with_suffix(".heads.json"), case.passages) if "heads" in case.methods else None
    done = citation_page.numbers(path)
    for number, one in enumerate(fact_sets(questions, passages=case.passages)):
        if number in done:
            continue
        found = ats.evaluate_citation(
            model, [one], methods=case.methods, masks=case.masks, weights=weights, sets=case.sets, seed=number
        )
        rows = [[row.question, row.method, dict(row.values), row.passes] for row in found.rows]
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"number": number, "rows": rows}) + "\n")


def _learnt(model: ats.Model, path: Path, passages: int) -> ats.HeadWeights:
    if not path.exists():
        ats.learn_heads(model, fact_sets(LEARN, passages=passages, world=LEARNT_FROM)).save(path)
    return ats.HeadWeights.load(path)


if __name__ == "__main__":
    main()
