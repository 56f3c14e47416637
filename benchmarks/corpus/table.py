"""What came of the corpus, as a table, as numbers, and as a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.corpus.case import Case

ACCEPTED: Final = "accepted"
ANY_OF: Final = 3
"""As many codes are listed; where more would be right, their number is told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case and the codes that the product refused it with; none where it accepted it."""

    case: Case
    found: frozenset[str]

    @property
    def as_expected(self) -> bool:
        """Whether the product is right."""
        return self.case.fits(self.found)


def rows(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A Markdown table with a row a case, its columns lined up."""
    cells = [("kind", "case", "expected", "found", ""), *map(_cells, verdicts)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    yield lines[0]
    yield "| " + " | ".join("-" * max(width, 3) for width in widths) + " |"
    yield from lines[1:]


def _cells(verdict: Verdict) -> tuple[str, str, str, str, str]:
    case = verdict.case
    mark = "✓" if verdict.as_expected else "WRONG"
    return case.kind, _words(case.name), _expected(case.expected), " ".join(sorted(verdict.found)) or ACCEPTED, mark


def _words(name: str) -> str:
    """The name of a case as it can stand in a table."""
    shown = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in name)
    return shown.replace("|", "\\|").replace("<", "&lt;")


def _expected(codes: frozenset[str]) -> str:
    if len(codes) > ANY_OF:
        return f"one of {len(codes)} codes"
    return " or ".join(sorted(codes)) or ACCEPTED


def totals(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """For each kind: how many were bad and detected, how many good and accepted."""
    kinds = list(dict.fromkeys(verdict.case.kind for verdict in verdicts))
    for kind in [*kinds, "all"]:
        numbers = _numbers([verdict for verdict in verdicts if kind in {verdict.case.kind, "all"}])
        accepted = numbers["good"] - numbers["refused_wrongly"]
        yield (
            f"{kind:10} {numbers['detected']:4} of {numbers['corrupted']:4} bad ones detected, "
            f"{accepted:4} of {numbers['good']:4} good ones accepted"
        )


def json_line(verdicts: Sequence[Verdict]) -> str:
    """The numbers of all; one that is refused with another code than those expected does not count as detected."""
    return json.dumps(_numbers(verdicts))


def _numbers(verdicts: Sequence[Verdict]) -> dict[str, int]:
    good = [verdict for verdict in verdicts if verdict.case.good]
    bad = [verdict for verdict in verdicts if not verdict.case.good]
    return {
        "corrupted": len(bad),
        "detected": sum(verdict.as_expected for verdict in bad),
        "good": len(good),
        "refused_wrongly": sum(not verdict.as_expected for verdict in good),
    }


def page(verdicts: Sequence[Verdict]) -> str:
    """The page that is kept beside the benchmarks; the same as long as the verdicts are."""
    return "\n".join(
        [
            "# The corpus",
            "",
            "What the product makes of good files and of damaged or mislabelled ones, each handed in by the API as an",
            "entry of its own. `make corpus` prints it; `var/venv/bin/python -m benchmarks.corpus --keep` writes it.",
            "",
            "```",
            *totals(verdicts),
            json_line(verdicts),
            "```",
            "",
            *rows(verdicts),
            "",
        ]
    )
