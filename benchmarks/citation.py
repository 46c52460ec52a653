"""Citation on generated questions, of which one passage alone has the answer: which scores say what matters?

    python benchmarks/citation.py --questions 16 --passages 8 --learn 12 --rows rows.jsonl

Rows are added to the file as they come, and a question that has its rows is not asked again: run it in parts.
"""

import argparse
import json
from pathlib import Path

import torch

import attnscope as ats
from attnscope.studies.citation.generated import fact_sets
from attnscope.studies.citation.judging import CitationEvaluation, CitationRow


def main() -> None:
    """Run what is missing, and print the table of all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None)
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--passages", type=int, default=8)
    parser.add_argument("--learn", type=int, default=12, help="questions that the weights of heads are learnt from")
    parser.add_argument("--masks", type=int, nargs="*", default=[8, 32])
    parser.add_argument("--sets", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=Path, default=Path("citation_rows.jsonl"))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    model = ats.load(asked.model)
    done = _read(asked.rows)
    # Other draws by another seed, of the same people, towns and kinds of fact: how far the weights carry over to other
    # kinds of text is not measured here.
    heads = asked.rows.with_suffix(".heads.json")
    if not heads.exists():
        ats.learn_heads(model, fact_sets(asked.learn, passages=asked.passages, seed=1)).save(heads)
    weights = ats.HeadWeights.load(heads)
    for number, one in enumerate(fact_sets(asked.questions, passages=asked.passages, seed=2)):
        if number in done:
            continue
        found = ats.evaluate_citation(model, [one], masks=asked.masks, weights=weights, sets=asked.sets, seed=number)
        with asked.rows.open("a", encoding="utf-8") as file:
            rows = [[row.question, row.method, dict(row.values), row.passes] for row in found.rows]
            file.write(json.dumps({"number": number, "rows": rows}) + "\n")
        done[number] = list(found.rows)
    every = CitationEvaluation(tuple(row for rows in done.values() for row in rows))
    print(
        f"{len(done)} questions, weights from {weights.learnt_from}, which predict {weights.r_squared:.2f} of what was"
    )
    print(every.table())


def _read(path: Path) -> dict[int, list[CitationRow]]:
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {line["number"]: [CitationRow(*row) for row in line["rows"]] for line in lines}


if __name__ == "__main__":
    main()
