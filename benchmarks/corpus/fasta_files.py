"""FASTA: genomes, genes and proteins, plain and gzipped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain
from typing import Final

from benchmarks.corpus import damage, foreign, packing
from benchmarks.corpus.case import Case, Category, Flips, Maker
from benchmarks.corpus.packing import bgzf, member
from benchmarks.corpus.reads import fastq, genome, illumina

MAKE: Final = Maker("FASTA", Category.FASTA, "assembly.fasta", "fasta_")
PACKED: Final = Maker("FASTA", Category.FASTA, "assembly.fasta.gz", "fasta_gzip_")
PACKING: Final = ("gzip_invalid_data", "gzip_crc_mismatch", "gzip_truncated")
TEXT: Final = ("header", "name_missing", "sequence_missing", "sequence_letters", "blank_line")
PROTEIN: Final = (
    b"MGVTGILQLPRDRFKRTSFFLWVIILFQRTFSIPLGVIHNSTLQVSDVDKLVCRDKLSSTNQLRSVGLNLEGNGVATDVPSATKRWGFRSGVPPKVVNYEAGEWAENC*"
)
MEBIBYTE: Final = 1 << 20


def cases() -> Iterator[Case]:
    """All of them."""
    return chain(_good(), _records(), _letters(), _packed(), _foreign())


def wrapped(letters: bytes, width: int = 70) -> bytes:
    """Lines of so many letters."""
    return b"".join(letters[start : start + width] + b"\n" for start in range(0, len(letters), width))


def contigs(number: int = 5) -> list[bytes]:
    """Records of an assembly."""
    draw = random.Random("contigs")
    return [
        b">contig_%d len=%d cov=%.1f\n" % (index, length, draw.uniform(5, 90)) + wrapped(genome(draw, length))
        for index in range(1, number + 1)
        for length in [draw.randint(2_000, 9_000)]
    ]


def _good() -> Iterator[Case]:
    records = contigs()
    text = b"".join(records)
    letters = genome(random.Random("one"), 30_000)
    yield MAKE.good("an assembly, 70 letters a line", text)
    yield MAKE.good("a genome in one line", b">virus\n" + letters + b"\n")
    yield MAKE.good("a chromosome of 3 megabases in one line", b">chr1\n" + letters * 100 + b"\n")
    yield MAKE.good(
        "lines of different lengths", b">virus\n" + wrapped(letters[:9_000], 60) + wrapped(letters[9_000:], 101)
    )
    yield MAKE.good("one letter", b">r\nN")
    yield MAKE.good("proteins with their stops", b">GP\n" + wrapped(PROTEIN) + b">sGP\n" + wrapped(PROTEIN[:80]))
    yield MAKE.good("an alignment with gaps", b">a\nACG--TTA\n>b\nACGTTTTA\n>c\n---TTTTA\n")
    yield MAKE.good("IUPAC codes", b">r\n" + b"ACGTURYSWKMBDHVN" * 30 + b"\n")
    yield MAKE.good("lower case", text.replace(b"contig", b"CONTIG").lower())
    yield MAKE.good("RNA", b">r\n" + wrapped(letters.replace(b"T", b"U")))
    yield MAKE.good("CRLF", damage.as_text_mode(text))
    yield MAKE.good("no last line end", text[:-1])
    yield MAKE.good("blank lines between records", b"\n".join(records))
    yield MAKE.good("blank lines at the end", text + b"\n\n")
    yield MAKE.good("a title with > in it", b">r ratio>0.5\n" + wrapped(letters))
    yield MAKE.good("a title of 20,000 letters", b">r " + b"x" * 20_000 + b"\n" + wrapped(letters))
    yield MAKE.good("a title in UTF-8", ">r Abstrich Müller\n".encode() + wrapped(letters))
    yield MAKE.good("a name twice", text + text)
    yield MAKE.good("10,000 short records", b"".join(b">%d\nACGT\n" % number for number in range(10_000)))


def _records() -> Iterator[Case]:
    records = contigs()
    text = b"".join(records)
    title = b">contig_9 len=0\n"
    yield MAKE.bad("a title without a sequence", b"".join([*records[:2], title, *records[2:]]), "sequence_missing")
    yield MAKE.bad("the last title without a sequence", text + title, "sequence_missing")
    yield MAKE.bad("the only title without a sequence", title, "sequence_missing")
    yield MAKE.bad("cut behind a title", text + title[:-1], "sequence_missing")
    yield MAKE.bad("cut within a title", text + title[:5], "sequence_missing")
    yield MAKE.bad("cut behind a >", text + b">", "name_missing", "sequence_missing")
    yield MAKE.altered("cut within a sequence", text, text[:-3_000])
    yield MAKE.altered("cut between two records", text, b"".join(records[:-1]))
    yield MAKE.bad("begins within a sequence", text[100:], "header")
    yield MAKE.bad("the first > missing", text[1:], "header")
    yield MAKE.bad("a > missing further down", text.replace(b"\n>contig_3", b"\ncontig_3"), "sequence_letters")
    yield MAKE.bad("no name", text + b">\nACGT\n", "name_missing")
    yield MAKE.bad("a space instead of a name", text + b"> contig\nACGT\n", "name_missing")
    yield MAKE.bad("a blank line within a sequence", text.replace(b"\n", b"\n\n", 20), "blank_line", "sequence_missing")
    yield MAKE.bad("a blank line within the last sequence", text + b"\nACGT\n", "blank_line")
    yield MAKE.bad("a comment in the old way", b"; made on a Monday\n" + text, "header")
    yield MAKE.bad("a comment further down", text + b"# end\n", "sequence_letters")
    yield MAKE.bad("two files joined without a line end between", text[:-1] + text, "sequence_letters")
    yield MAKE.bad("the mark of a merge conflict", text + b"=======\n" + text, "sequence_letters")
    yield MAKE.bad("zeros at the end", text + bytes(512), "sequence_letters")
    yield MAKE.bad("a Ctrl-Z at the end", text + b"\x1a", "sequence_letters")
    yield MAKE.bad("lines that end in CR, as on old Macs", text.replace(b"\n", b"\r"), "sequence_missing")
    yield MAKE.bad("a title of 1.5 MB", b">" + b"x" * 1_500_000 + b"\nACGT\n", "line_too_long")


def _letters() -> Iterator[Case]:
    records = contigs()
    text = b"".join(records)
    place = len(records[0]) + 200
    for name, wrong in (
        ("a space", b" "),
        ("a tab", b"\t"),
        ("NUL", b"\0"),
        ("a digit", b"7"),
        ("a question mark", b"?"),
        ("an underscore", b"_"),
        ("a lone CR", b"\r"),
        ("a Cyrillic A", "\u0410".encode()),
        ("a byte that is not ASCII", b"\xc1"),
        ("a >", b">"),
    ):
        yield MAKE.bad(f"{name} in a sequence", damage.overwritten(text, place, wrong), "sequence_letters")
    yield MAKE.bad("a space at the end of a line", text[:-1] + b" \n", "sequence_letters")
    yield MAKE.bad(
        "numbers before the lines, as in GenBank", b">r\n        1 acgtacgtac gtacgtacgt\n", "sequence_letters"
    )
    for index in range(4):
        yield MAKE.bad(
            f"the eighth bit of letter {index} flipped", damage.flipped(text, place + index, 7), "sequence_letters"
        )
    yield MAKE.altered("a bit of a letter flipped into another letter", text, damage.flipped(text, place, 1))
    yield MAKE.altered("the line end of a title flipped away", text, damage.flipped(text, text.index(b"\n"), 6))


def _packed() -> Iterator[Case]:
    text = b"".join(contigs())
    whole = member(text)
    half = len(text) // 2
    yield PACKED.good("gzipped", whole)
    yield PACKED.good(
        "gzipped, two members with an empty one between", member(text[:half]) + member(b"") + member(text[half:])
    )
    yield PACKED.good("BGZF", bgzf(text))
    yield PACKED.good("200 MB of N", packing.repeated([(b">gap\n", 1), (b"N" * MEBIBYTE, 200)]))
    yield PACKED.bad("gzipped, cut in its data", whole[: len(whole) // 2], "truncated")
    yield PACKED.bad("gzipped, cut in its checksum", whole[:-6], "truncated")
    yield PACKED.bad("gzipped, with a wrong checksum", damage.flipped(whole, len(whole) - 8, 0), "crc_mismatch")
    yield PACKED.bad("gzipped, with a wrong length", damage.flipped(whole, len(whole) - 4, 0), "length_mismatch")
    yield PACKED.bad("gzipped, zeros behind it", whole + bytes(512), "trailing_bytes")
    yield PACKED.bad("BGZF cut within a block", bgzf(text, 4096)[:5_000], "truncated")
    yield from MAKE.flips("gzipped", whole, Flips(6, 10, len(whole) - 8, "fasta.gz"), *PACKING, *TEXT)
    record = b">r\n" + wrapped(b"N" * 60_000)
    yield PACKED.bad("1.2 GB of one record", packing.repeated([(record * 20, 1_000)]), "bomb")
    line = packing.repeated([(b">r\n", 1), (b"N" * MEBIBYTE, 954)])
    yield MAKE.bad("a sequence of 1 GB in one line", line, "line_too_long", file_name="gaps.fasta.gz")
    yield MAKE.bad("packed twice with gzip", member(whole), "compression_unsupported")
    yield MAKE.bad("nothing packed", member(b""), "empty")
    for program, data in foreign.compressions(text[:20_000], "assembly.fasta").items():
        yield MAKE.bad(f"packed with {program}", data, "compression_unsupported")


def _foreign() -> Iterator[Case]:
    text = b"".join(contigs()).decode()
    yield MAKE.bad("no bytes at all", b"", "empty")
    yield MAKE.bad("one line end", b"\n", "empty")
    yield MAKE.bad("FASTQ", fastq(illumina(50)), "header")
    yield MAKE.bad("FASTQ, gzipped", member(fastq(illumina(50))), "header")
    yield MAKE.bad("SAM", foreign.SAM, "header")
    yield MAKE.bad("PHYLIP", b" 2 8\na         ACGTACGT\nb         ACGTACGA\n", "header")
    yield MAKE.bad("Clustal", b"CLUSTAL W (1.82)\n\na  ACGT\nb  ACGA\n", "header")
    yield MAKE.bad("letters alone", b"ACGT" * 500, "header")
    for name, data in foreign.documents().items():
        yield MAKE.bad(name, data, "header")
    yield MAKE.bad("UTF-16 with its mark", text.encode("utf-16"), "header")
    yield MAKE.bad("UTF-16 without a mark", text.encode("utf-16-le"), *TEXT)
    yield MAKE.bad("UTF-8 with its mark", text.encode("utf-8-sig"), "header")
