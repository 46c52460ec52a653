"""The command of the family matrix; `python -m families --help`."""

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import transformers

from families import table
from families.cases import every_case, named, sample
from families.expected import outlived, unexpected
from families.run import Record, resumed, run


def main() -> int:
    asked = _parser().parse_args()
    path = Path(asked.out) if asked.out else None
    before = resumed(path) if path else []
    if asked.table:
        table.write(before)
        return 0
    done = {(record["kind"], record["family"]) for record in before}
    part, parts = (int(number) for number in asked.shard.split("/"))
    cases = sample(every_case()) if asked.sample else every_case()
    cases = named(cases, asked.names)[part::parts]
    transformers.logging.set_verbosity_error()
    records = list(before)
    for record in run([case for case in cases if (case.kind, case.family) not in done], asked.jobs):
        records.append(record)
        if path:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        _tell(record)
    wanted = {(case.kind, case.family) for case in cases}
    records = [record for record in records if (record["kind"], record["family"]) in wanted]
    faults = [line for record in records for line in unexpected(record)] + outlived(records)
    counted = Counter(outcome["status"] for record in records for outcome in record.get("checks", {}).values())
    print("", *faults, sep="\n")
    print(f"\n{len(records)} models:", ", ".join(f"{count} {status}" for status, count in counted.most_common()))
    print(f"{len(faults)} faults" if faults else "as expected")
    return bool(faults)


def _tell(record: Record) -> None:
    name = f"{record['kind']}:{record['family']}"
    left = "; ".join(unexpected(record)).replace(f"{name} ", "")
    print(f"{name:32}{record['seconds']:6.1f} s  {left[:200]}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m families", description=__doc__)
    parser.add_argument("names", nargs="*", help='families, kinds, or both ("masked:bert"); all by default')
    parser.add_argument("--sample", action="store_true", help="a representative fifth")
    parser.add_argument("--shard", default="0/1", help="a part of them, such as 0/2", metavar="I/N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--out", help="JSON lines; what is in it already is not run again", metavar="FILE")
    parser.add_argument("--table", action="store_true", help="write docs/models.md anew, with the counts of --out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
