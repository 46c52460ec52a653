"""Questions of CommonsenseQA with the words that people marked as the reason for the answer (CoS-E 1.0, BSD-3).

Read from a folder beside the checkout, `../shared/data/cose` or COSE, which is not part of the repository.
"""

import json
import os
from pathlib import Path

from attnscope.results.sample import Sample

FOLDER = Path(os.environ.get("COSE", Path(__file__).parents[2] / "shared" / "data" / "cose"))


def samples(count: int) -> list[Sample]:
    """Questions whose marked words are a piece of the question, and no more than half of it."""
    with (FOLDER / "cose_dev_v1.0.jsonl").open(encoding="utf-8") as file:
        marked = {row["id"]: row["explanation"]["selected"] for row in map(json.loads, file)}
    found = []
    with (FOLDER / "dev_rand_split.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            question = row["question"]["stem"]
            start = question.lower().find(marked.get(row["id"], "?").lower().strip() or "?")
            end = start + len(marked.get(row["id"], "").strip())
            if start < 0 or not 0 < end - start <= len(question) / 2:
                continue
            before = len("Question: ")
            answers = {choice["label"]: f" {choice['text']}" for choice in row["question"]["choices"]}
            found.append(
                Sample(
                    f"Question: {question}\nAnswer:",
                    labels=tuple(answers.values()),
                    within=(before, before + len(question)),
                    human=((before + start, before + end, 1.0),),
                    gold=answers[row["answerKey"]],
                )
            )
    return found[:count]
