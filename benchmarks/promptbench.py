"""Clean and attacked prompts of PromptRobust as pairs: `python promptbench.py FOLDER [PER_ATTACK] > pairs.jsonl`.

FOLDER holds the files of promptbench/prompts/adv_prompts (github.com/microsoft/promptbench, MIT). The sentences that
the prompts are about are our own.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# task: (labels, samples with the right label). A sample begins on a new line and ends where the answer begins.
TASKS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "sst2": (
        [" positive", " negative"],
        [
            ("\nSentence: A warm and funny film with a wonderful cast.\nAnswer:", " positive"),
            ("\nSentence: The story is dull and the jokes are terrible.\nAnswer:", " negative"),
        ],
    ),
    "cola": (
        [" acceptable", " unacceptable"],
        [
            ("\nSentence: The children played in the garden.\nAnswer:", " acceptable"),
            ("\nSentence: The children garden in the played.\nAnswer:", " unacceptable"),
        ],
    ),
    "qqp": (
        [" equivalent", " not_equivalent"],
        [
            ("\nQuestion 1: How do I learn to swim? Question 2: How can I learn swimming?\nAnswer:", " equivalent"),
            ("\nQuestion 1: How do I learn to swim? Question 2: Where is the station?\nAnswer:", " not_equivalent"),
        ],
    ),
    "mrpc": (
        [" equivalent", " not_equivalent"],
        [
            ("\nSentence 1: He sold the house in May. Sentence 2: In May he sold the house.\nAnswer:", " equivalent"),
            ("\nSentence 1: He sold the house in May. Sentence 2: She plays the violin.\nAnswer:", " not_equivalent"),
        ],
    ),
}
_PAIR = re.compile(r"^Original prompt: (.*)\nAttacked prompt: (.*)$", re.MULTILINE)


def pairs(folder: Path, per_attack: int = 1, file: str = "t5_zeroshot.md") -> Iterator[dict[str, Any]]:
    """The first prompts of each task and attack, each with every sample of its task."""
    text = (folder / file).read_text("utf-8")
    for section in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        task, _, body = section.partition("\n")
        if task.strip() not in TASKS:
            continue
        labels, samples = TASKS[task.strip()]
        for part in re.split(r"^## ", body, flags=re.MULTILINE)[1:]:
            attack, _, prompts = part.partition("\n")
            for original, attacked in _PAIR.findall(prompts)[:per_attack]:
                for sample, expected in samples:
                    yield {
                        "clean": original.strip(),
                        "adversarial": _literal(attacked),
                        "sample": sample,
                        "labels": labels,
                        "expected": expected,
                        "attack": attack.strip(),
                        "task": task.strip(),
                    }


def _literal(written: str) -> str:
    """The prompt of a Python literal of bytes or str; anything else is the prompt itself."""
    try:
        value = ast.literal_eval(written.strip())
    except (ValueError, SyntaxError):
        return written.strip()
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()


def main() -> None:
    folder, *count = sys.argv[1:]
    for pair in pairs(Path(folder), *map(int, count)):
        sys.stdout.write(json.dumps(pair, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
