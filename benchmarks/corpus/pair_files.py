"""Read 1 and read 2 of a pair, in two files."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from benchmarks.corpus.case import Case, Category, SentFile
from benchmarks.corpus.packing import bgzf, member
from benchmarks.corpus.reads import Read, archived, changed, fastq, illumina, nanopore, old_illumina

NAMES: Final = ("swab_R1.fastq.gz", "swab_R2.fastq.gz")


def cases() -> Iterator[Case]:
    """All of them."""
    return chain(_good(), _wrong_mates(), _other_reads(), _damaged(), _wrong_names())


def _pair(name: str, first: bytes, second: bytes, *codes: str, names: Sequence[str] = NAMES) -> Case:
    files = [SentFile(names[0], first), SentFile(names[1], second)]
    return Case("pair", name, Category.PAIRS, files, frozenset(codes))


def _packed(reads: Sequence[Read]) -> bytes:
    return member(fastq(reads))


def _good() -> Iterator[Case]:
    one, two = illumina(), illumina(mate=2)
    first, second = _packed(one), _packed(two)
    yield _pair("Illumina", first, second)
    yield _pair("Illumina, the older titles", _packed(old_illumina()), _packed(old_illumina(mate=2)))
    yield _pair("titles that do not say which read it is", _packed(archived()), _packed(_as_second(archived())))
    yield _pair("one file packed, one plain", first, fastq(two))
    yield _pair("one file in BGZF", first, bgzf(fastq(two)))
    yield _pair("one file in CRLF", first, member(fastq(two, end=b"\r\n")))
    yield _pair("one file repeats the name after +", first, member(fastq(two, plus="name")))
    yield _pair("read 2 comes first in the mapping", second, first, names=NAMES[::-1])
    yield _pair(
        "names of bcl2fastq", first, second, names=("swab_S1_L001_R1_001.fastq.gz", "swab_S1_L001_R2_001.fastq.gz")
    )
    yield _pair("names of the archives", first, second, names=("ERR1_1.fastq.gz", "ERR1_2.fastq.gz"))
    yield _pair("names with the number first", first, second, names=("1.fq.gz", "2.fq.gz"))
    yield _pair(
        "trimmed to different lengths", first, _packed([_trimmed(read, index) for index, read in enumerate(two)])
    )
    yield _pair("one read of read 2 trimmed to nothing", first, _packed(changed(two, 9, letters=b"", qualities=b"")))
    yield _pair("different words behind the names", first, _packed([_with_words(read) for read in two]))
    yield _pair(
        "names end in /1 and /2 in one file, not in the other", _packed(_bare(1)), _packed(old_illumina(mate=2))
    )
    yield _pair("one pair of reads", _packed(one[:1]), _packed(two[:1]))


def _as_second(reads: Sequence[Read]) -> list[Read]:
    """Other letters under the same titles."""
    return [Read(read.title, read.letters[::-1], read.qualities[::-1]) for read in reads]


def _trimmed(read: Read, index: int) -> Read:
    end = 30 + index % 100
    return Read(read.title, read.letters[:end], read.qualities[:end])


def _with_words(read: Read) -> Read:
    return Read(read.title + b" primer=3", read.letters, read.qualities)


def _bare(mate: int) -> list[Read]:
    """Reads with the older names, without the mark of the mate."""
    return [Read(read.title[:-2], read.letters, read.qualities) for read in old_illumina(mate=mate)]


def _wrong_mates() -> Iterator[Case]:
    one, two = illumina(), illumina(mate=2)
    first, second = _packed(one), _packed(two)
    old_first, old_second = _packed(old_illumina()), _packed(old_illumina(mate=2))
    yield _pair("swapped", second, first, "pair_swapped")
    yield _pair("swapped, read 2 first in the mapping", first, second, "pair_swapped", names=NAMES[::-1])
    yield _pair("swapped, the older titles", old_second, old_first, "pair_swapped")
    yield _pair("swapped, names with the number first", second, first, "pair_swapped", names=("1.fq.gz", "2.fq.gz"))
    yield _pair("read 1 twice", first, first, "pair_same_mate")
    yield _pair("read 1 twice, packed differently", first, fastq(one), "pair_same_mate")
    yield _pair("read 1 twice, the older titles", old_first, bgzf(fastq(old_illumina())), "pair_same_mate")
    yield _pair("read 2 twice", second, second, "pair_same_mate")
    yield _pair("read 2 twice, packed differently", bgzf(fastq(two)), second, "pair_same_mate")
    yield _pair(
        "one file twice, its titles do not say which read", _packed(archived()), _packed(archived()), "pair_same_mate"
    )
    yield _pair("read 1 of two samples", first, _packed(illumina(seed="other")), "pair_same_mate")
    by_turns = [read for pair in zip(one, two, strict=True) for read in pair]
    yield _pair("both reads by turns in both files", _packed(by_turns[:200]), _packed(by_turns[200:]), "pair_mixed")
    yield _pair("both reads by turns in the first file", _packed(by_turns), second, "pair_mixed")
    yield _pair("read 2 behind read 1 in the second file", first, _packed([*one, *two]), "pair_mixed")
    with_two, with_one = changed(one, 5, title=two[5].title), changed(two, 5, title=one[5].title)
    yield _pair("one pair of reads has changed places", _packed(with_two), _packed(with_one), "pair_mixed")


def _other_reads() -> Iterator[Case]:
    one, two = illumina(), illumina(mate=2)
    first = _packed(one)
    yield _pair("the last read missing", first, _packed(two[:-1]), "pair_read_count")
    yield _pair("the first read missing", _packed(one[1:]), _packed(two), "pair_read_count")
    yield _pair("a read within missing", first, _packed(two[:50] + two[51:]), "pair_read_count")
    yield _pair("a read twice", first, _packed([*two, two[-1]]), "pair_read_count")
    yield _pair("read 2 of half of the reads", first, _packed(two[:100]), "pair_read_count")
    old = old_illumina(mate=2)
    yield _pair(
        "the last read missing, the older titles", _packed(old_illumina()), _packed(old[:-1]), "pair_read_count"
    )
    yield _pair(
        "the last read missing, titles that do not say which",
        _packed(archived()),
        _packed(archived()[:-1]),
        "pair_read_count",
    )
    yield _pair("read 2 of another sample", first, _packed(illumina(mate=2, seed="other")), "pair_read_names")
    yield _pair(
        "one read of another name", first, _packed(changed(two, 70, title=b"other 2:N:0:ACGT")), "pair_read_names"
    )
    yield _pair("two reads of read 2 exchanged", first, _packed([two[1], two[0], *two[2:]]), "pair_read_names")
    shuffled = list(two)
    random.Random("shuffled").shuffle(shuffled)
    yield _pair("read 2 in another order", first, _packed(shuffled), "pair_read_names")
    yield _pair("read 2 sorted backwards", first, _packed(two[::-1]), "pair_read_names")
    yield _pair(
        "a letter of one name differs",
        first,
        _packed(changed(two, 3, title=b"B" + two[3].title[1:])),
        "pair_read_names",
    )
    dropped = _packed(one[:10] + one[11:]), _packed(two[:90] + two[91:])
    yield _pair("another read missing in each file", *dropped, "pair_read_names")
    yield _pair(
        "reads of two sequencers", _packed(nanopore(12)), _packed(nanopore(12, seed="other")), "pair_read_names"
    )


def _damaged() -> Iterator[Case]:
    one, two = illumina(), illumina(mate=2)
    first, second = _packed(one), _packed(two)
    yield _pair("read 2 cut", first, second[:-100], "fastq_gzip_truncated")
    yield _pair("read 1 cut", first[:900], second, "fastq_gzip_truncated")
    yield _pair("read 2 cut within a record before it was packed", first, member(fastq(two)[:-200]), "fastq_truncated")
    yield _pair("read 2 empty", first, b"", "fastq_empty")
    yield _pair("read 2 is an empty gzip file", first, member(b""), "fastq_empty")
    yield _pair("read 2 is FASTA", first, member(b">r\nACGT\n"), "fastq_header")
    yield _pair("both cut", first[:-3], second[:-3], "fastq_gzip_truncated")
    wrong = member(fastq(two))[:-5] + b"\0" + member(fastq(two))[-4:]
    yield _pair("read 2 with a wrong checksum", first, wrong, "fastq_gzip_crc_mismatch")


def _wrong_names() -> Iterator[Case]:
    first, second = _packed(illumina()), _packed(illumina(mate=2))
    for names in (
        ("swab_R1.fastq.gz", "swab_R3.fastq.gz"),
        ("swab_R1.fastq.gz", "swab_R2.fq.gz"),
        ("swab_R1.fastq.gz", "smear_R2.fastq.gz"),
        ("swab1_R1.fastq.gz", "swab2_R2.fastq.gz"),
        ("swab_forward.fastq.gz", "swab_reverse.fastq.gz"),
        ("swab_R1.fastq.gz", "swab_R1 (copy).fastq.gz"),
        ("swab_R1.fastq.gz", "swab_R12.fastq.gz"),
        ("swab_A.fastq.gz", "swab_B.fastq.gz"),
    ):
        yield _pair(f"named {names[0]} and {names[1]}", first, second, "pair_file_names", names=names)
    one, two = SentFile(NAMES[0], first), SentFile(NAMES[1], second)
    rest = SentFile("swab_singletons.fastq.gz", first)
    yield Case("pair", "read 1 alone", Category.PAIRS, [one], frozenset({"too_few_files"}))
    yield Case("pair", "a third file", Category.PAIRS, [one, two, rest], frozenset({"too_many_files"}))
