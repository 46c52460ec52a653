"""The part of docs/models.md that says which families work and what is refused, made from the list of refusals."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from families.cases import NOT_TRIED, every_case
from families.expected import EXPECTED, Expected
from families.outcome import REFUSED, UNVERIFIED

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
_BEGIN, _END = "<!-- families: {} -->", "<!-- end of families: {} -->"


def table() -> str:
    """Markdown: the families for which every check holds, a row for each reason why some don't, what is not tried."""
    families = sorted({case.family for case in every_case()})
    excepted = {family for expected in EXPECTED for family in expected.families}
    whole = [family for family in families if family not in excepted]
    lines = [f"All of it, in {len(whole)} families:", "", ", ".join(f"`{family}`" for family in whole) + ".", ""]
    lines += ["The others, and what is refused in them:", "", "| refused | in | because |", "|---|---|---|"]
    lines += [_row(expected) for expected in EXPECTED if expected.status == REFUSED]
    lines += [
        "",
        "What is shown of them, with nothing to hold it against:",
        "",
        "| shown | in | because |",
        "|---|---|---|",
    ]
    lines += [_row(expected) for expected in EXPECTED if expected.status == UNVERIFIED]
    lines += ["", "Not tried here:", "", "| model | because |", "|---|---|"]
    by_reason: dict[str, list[str]] = {}
    for name, reason in NOT_TRIED.items():
        by_reason.setdefault(reason, []).append(f"`{name}`")
    lines += [f"| {', '.join(sorted(names))} | {reason} |" for reason, names in by_reason.items()]
    return "\n".join(lines)


def _row(expected: Expected) -> str:
    names = (
        ", ".join(f"`{family}`" for family in sorted(expected.families)) or "every family with an encoder and a decoder"
    )
    return f"| {', '.join(sorted(expected.checks))} | {names} | {expected.reason} |"


def counts(records: Iterable[Mapping[str, Any]]) -> str:
    """Markdown: how often each check came to what."""
    by_check: dict[str, Counter[str]] = {}
    records = [record for record in records if "checks" in record]
    for record in records:
        for check, outcome in record["checks"].items():
            by_check.setdefault(check, Counter())[outcome["status"]] += 1
    families = len({record["family"] for record in records})
    columns = ("pass", "noise", "refused", "unverified", "crash", "WRONG")
    titles = ("right", "right in float64", "refused", "nothing to compare with", "crashed", "wrong")
    lines = [
        f"{len(records)} models of {families} families:",
        "",
        f"| check | {' | '.join(titles)} |",
        "|---|" + "---:|" * len(columns),
    ]
    for check, counted in by_check.items():
        lines.append(f"| {check} | {' | '.join(str(counted[status]) for status in columns)} |")
    return "\n".join(lines)


def written(page: str, part: str, text: str) -> str:
    """The page with this part of it replaced."""
    begin, end = _BEGIN.format(part), _END.format(part)
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def write(records: Iterable[Mapping[str, Any]] = ()) -> None:
    """Write docs/models.md anew: the table, and the counts of a run where there is one."""
    page = written(PAGE.read_text(encoding="utf-8"), "table", table())
    records = list(records)
    if records:
        page = written(page, "counts", counts(records))
    PAGE.write_text(page, encoding="utf-8")
