"""Read 1 and read 2 of a pair: whether two names are those of a pair, and whether two files fit together.

Knows neither models nor storage: what the FASTQ check found in each file comes in, a problem or none comes out.
Paired files list the same fragments in the same order, which programs that read them take for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from files.problem import FileProblem

FILES_OF_A_PAIR = 2


@dataclass(frozen=True, slots=True)
class Reads:
    """What is known of one file of a pair.

    `number` counts the reads, `names_digest` is the same for the same read names in the same order, `mate` is what
    the titles say of themselves (“1”, “2”, “mixed”, or None where not all say it), `sha256` is of the whole file.
    """

    name: str
    sha256: str
    number: int
    names_digest: str
    mate: str | None

    @classmethod
    def of(cls, name: str, sha256: str, data: Mapping[str, Any]) -> Self:
        """From the `data` of a passed FASTQ check; those of its older results say nothing of the mate."""
        return cls(name, sha256, data["reads"], data["namesDigest"], data.get("mate"))


def are_names_of_pair(one: str, other: str) -> bool:
    """Whether the names differ in one place alone, where one has a 1 and the other a 2."""
    if len(one) != len(other):
        return False
    differing = [{here, there} for here, there in zip(one, other, strict=True) if here != there]
    return differing == [{"1", "2"}]


def problem_of_names(one: str, other: str) -> str | None:
    """Why two files of these names are no pair, as the end of a sentence; None if they are."""
    if are_names_of_pair(one, other):
        return None
    return (
        f"“{one}” and “{other}”, which are not named as read 1 and read 2 of a pair: one has a 1 where the other has "
        "a 2, and all else is the same, as in “a_R1.fastq.gz” and “a_R2.fastq.gz”"
    )


def problem_of_same_file(one: str, other: str) -> FileProblem:
    """What is said where both files of a pair have the same bytes."""
    first, second = sorted((one, other))
    text = f"“{first}” and “{second}” are one and the same file; upload the file with read 2 for the second."
    return FileProblem("pair_same_mate", text)


def compare(one: Reads, other: Reads) -> FileProblem | None:
    """What keeps two files with names of a pair from being one; None if they fit. Their order does not matter.

    Of several things wrong the one that explains the others is told.
    """
    first, second = sorted((one, other), key=lambda reads: reads.name)  # names of a pair: the one with the 1 is first
    if first.sha256 == second.sha256:
        return problem_of_same_file(first.name, second.name)
    return _mixed(first, second) or _same_mate(first, second) or _differing(first, second) or _swapped(first, second)


def _mixed(first: Reads, second: Reads) -> FileProblem | None:
    mixed = [f"“{reads.name}”" for reads in (first, second) if reads.mate == "mixed"]
    if not mixed:
        return None
    has = "has" if len(mixed) == 1 else "each have"
    text = f"{' and '.join(mixed)} {has} read 1 and read 2 in one file; divide them into a file of each."
    return FileProblem("pair_mixed", text)


def _same_mate(first: Reads, second: Reads) -> FileProblem | None:
    if first.mate is None or first.mate != second.mate:
        return None
    missing = "2" if first.mate == "1" else "1"
    text = (
        f"The reads of both “{first.name}” and “{second.name}” say of themselves that they are read {first.mate}; "
        f"put the file with read {missing} in the place of one."
    )
    return FileProblem("pair_same_mate", text)


def _differing(first: Reads, second: Reads) -> FileProblem | None:
    if first.number != second.number:
        text = (
            f"“{first.name}” has {first.number:,} reads and “{second.name}” {second.number:,}, but every read 1 needs "
            "its read 2; see whether one file was cut short, or filtered without the other."
        )
        return FileProblem("pair_read_count", text)
    if first.names_digest != second.names_digest:
        text = (
            f"“{first.name}” and “{second.name}” both have {first.number:,} reads, but not of the same names in the "
            "same order; see whether they are of one sample, and whether one was sorted without the other."
        )
        return FileProblem("pair_read_names", text)
    return None


def _swapped(first: Reads, second: Reads) -> FileProblem | None:
    if (first.mate, second.mate) != ("2", "1"):
        return None
    text = (
        f"The reads of “{first.name}” say of themselves that they are read 2, and those of “{second.name}” that they "
        "are read 1; exchange the two names."
    )
    return FileProblem("pair_swapped", text)
