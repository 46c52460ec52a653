"""Citation on generated questions, of which one passage alone has the answer: which scores say what matters?

    python benchmarks/citation.py --questions 300 --passages 6 --masks 8 32 64 --rows smollm2.jsonl
    python benchmarks/citation.py --questions 40 --passages 20 --methods deletion --rows twenty.jsonl

Rows are added to the file as they come, and a question that has its rows is not asked again: run it in parts. The
weights of heads are learnt on questions about other people, other facts and in other words.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

import attnscope as ats
from attnscope.studies.citation.cite import METHODS
from attnscope.studies.citation.generated import LEARNT_FROM, fact_sets
from attnscope.studies.citation.judging import CitationEvaluation, CitationRow

sys.path += [str(Path(__file__).parent.parent / "tests" / "support")]

from real_models import qwen_coder_folder


def main() -> None:
    """Run what is missing, and print the table of all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help='a folder, or "qwen"; default: the bundled model')
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--passages", type=int, default=6)
    parser.add_argument("--learn", type=int, default=24, help="questions that the weights of heads are learnt from")
    parser.add_argument("--masks", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--sets", type=int, default=16, help="random sets of passages for LDS")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=Path, default=Path("citation_rows.jsonl"))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    model = ats.load(qwen_coder_folder() if asked.model == "qwen" else asked.model, dtype=asked.dtype)
    weights = learnt(model, asked) if "heads" in asked.methods else None
    for number, one in enumerate(fact_sets(asked.questions, passages=asked.passages)):
        if number in read(asked.rows):
            continue
        found = ats.evaluate_citation(
            model, [one], methods=asked.methods, masks=asked.masks, weights=weights, sets=asked.sets, seed=number
        )
        with asked.rows.open("a", encoding="utf-8") as file:
            rows = [[row.question, row.method, dict(row.values), row.passes] for row in found.rows]
            file.write(json.dumps({"number": number, "rows": rows}) + "\n")
    done = read(asked.rows)
    every = CitationEvaluation(tuple(row for rows in done.values() for row in rows))
    print(f"{len(done)} questions")
    print(every.table())


def learnt(model: ats.Model, asked: argparse.Namespace) -> ats.HeadWeights:
    """The weights beside the rows; learnt where there are none."""
    path = asked.rows.with_suffix(".heads.json")
    if not path.exists():
        ats.learn_heads(model, fact_sets(asked.learn, passages=asked.passages, world=LEARNT_FROM)).save(path)
    return ats.HeadWeights.load(path)


def read(path: Path) -> dict[int, list[CitationRow]]:
    """The rows of each question that is in the file, by its number."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {line["number"]: [CitationRow(*row) for row in line["rows"]] for line in lines}


if __name__ == "__main__":
    main()
