"""Plain FASTQ: what every sequencer writes, and what becomes of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import chain
from typing import Final

from benchmarks.corpus import damage, foreign
from benchmarks.corpus.case import Case, Category, Maker
from benchmarks.corpus.fastq_reader import first_fault
from benchmarks.corpus.reads import (
    PLUS_SAYS_NAME,
    PLUS_SAYS_TITLE,
    Read,
    archived,
    changed,
    fastq,
    illumina,
    long_read,
    nanopore,
    old_illumina,
    pacbio,
)

MAKE: Final = Maker("FASTQ", Category.FASTQ, "reads.fastq", "fastq_")
SEQUENCERS: Final = {
    "Illumina": illumina,
    "old Illumina": old_illumina,
    "Nanopore": nanopore,
    "PacBio": pacbio,
    "archived": archived,
}
CHECK_BLOCK: Final = 256 << 10


def cases() -> Iterator[Case]:
    """All of them."""
    return chain(_written(), _titles(), _letters(), _cut(), _flipped(), _foreign(), _otherwise_coded())


def _written() -> Iterator[Case]:
    """Legal ways of writing it."""
    reads = illumina()
    for sequencer, make in SEQUENCERS.items():
        yield MAKE.good(f"{sequencer} reads", fastq(make(seed="good")))
    yield MAKE.good("read 2 of Illumina", fastq(illumina(mate=2)))
    yield MAKE.good("one read", fastq(illumina(1)))
    yield MAKE.good("one read of one letter", b"@r\nN\n+\n!\n")
    yield MAKE.good("10,000 reads of two letters", b"".join(b"@%d\nAC\n+\nFF\n" % number for number in range(10_000)))
    yield MAKE.good("no last line end", fastq(reads, last_end=False))
    yield MAKE.good("CRLF", fastq(reads, end=b"\r\n"))
    yield MAKE.good("CRLF without the last", fastq(reads, end=b"\r\n", last_end=False))
    yield MAKE.good("LF in the first half, CRLF in the second", fastq(reads[:100]) + fastq(reads[100:], end=b"\r\n"))
    yield MAKE.good("name repeated after +", fastq(reads, plus=PLUS_SAYS_NAME))
    yield MAKE.good("title repeated after +", fastq(archived(), plus=PLUS_SAYS_TITLE))
    yield MAKE.good("name repeated after + in CRLF", fastq(reads, plus=PLUS_SAYS_NAME, end=b"\r\n"))
    yield MAKE.good("some repeat the name after +", fastq(reads[:50], plus=PLUS_SAYS_NAME) + fastq(reads[50:]))
    yield MAKE.good(
        "read 1 and read 2 by turns",
        b"".join(a.record() + b.record() for a, b in zip(reads, illumina(mate=2), strict=True)),
    )
    yield MAKE.good("a name that does not say FASTQ", fastq(reads), file_name="reads.txt")
    record = len(fastq([Read(b"x", b"A" * 10, b"F" * 10)]))
    padding = b"A" * ((CHECK_BLOCK - record - 6) // 2)
    yield MAKE.good(
        "a record that ends with a block of 256 KiB",
        fastq([Read(b"y", padding, padding), Read(b"x", b"A" * 10, b"F" * 10)]) * 3,
    )


def _titles() -> Iterator[Case]:
    reads = illumina()
    first = reads[0]
    for name, title in (
        ("title of 20,000 letters", b"r1 " + b"x" * 20_000),
        ("title with a tab", b"r1\tRG:Z:lane1\tBC:Z:ACGT"),
        ("title in UTF-8", "r1 Abstrich Müller 37 °C".encode()),
        ("title in Latin 1", "r1 37 °C".encode("latin-1")),
        ("name of @", b"@@"),
        ("name with slashes", b"run/3/zmw/17"),
        ("title with spaces at its end", b"r1  "),
    ):
        yield MAKE.good(name, fastq(changed(reads, 7, title=title)))
    yield MAKE.good("every read has the same name", fastq([Read(b"r", r.letters, r.qualities) for r in reads]))
    for name, title in (
        ("no name", b""),
        ("a space instead of a name", b" 1:N:0"),
        ("a tab instead of a name", b"\tx"),
    ):
        yield MAKE.bad(name, fastq(changed(reads, 150, title=title)), "name_missing")
    record = first.record()
    text = fastq(reads[:100])
    yield MAKE.bad("@ missing", text + record[1:], "header")
    yield MAKE.bad("@ missing in the first record", record[1:] + text, "header")
    yield MAKE.bad("> instead of @", text + b">" + record[1:] + text, "header")
    yield MAKE.bad("a space before @", text + b" " + record, "header")
    yield MAKE.bad("+ missing", text + record.replace(b"\n+\n", b"\n\n") + text, "separator")
    yield MAKE.bad("- instead of +", text + record.replace(b"\n+\n", b"\n-\n") + text, "separator")
    yield MAKE.bad("a space before +", text + record.replace(b"\n+\n", b"\n +\n"), "separator")
    yield MAKE.bad("another name after +", text + record.replace(b"\n+\n", b"\n+other\n"), "name_differs")
    yield MAKE.bad("a space after +", text + record.replace(b"\n+\n", b"\n+ \n"), "name_differs")
    yield MAKE.bad(
        "the read before is named after +",
        text + record.replace(b"\n+\n", b"\n+" + reads[99].name + b"\n"),
        "name_differs",
    )
    yield MAKE.bad(
        "part of the name after +", text + record.replace(b"\n+\n", b"\n+" + first.name[:-1] + b"\n"), "name_differs"
    )
    yield MAKE.bad("title of 1.5 MB", fastq(changed(reads, 7, title=b"x" * 1_500_000)), "line_too_long")


def _letters() -> Iterator[Case]:
    reads = illumina()
    middle = reads[100]
    letters, qualities = middle.letters, middle.qualities
    size = len(letters)
    for name, sequence in (
        ("lower case", letters.lower()),
        ("IUPAC codes", (b"ACGTURYSWKMBDHVN" * 20)[:size]),
        ("IUPAC codes in lower case", (b"acgturyswkmbdhvn" * 20)[:size]),
        ("RNA", letters.replace(b"T", b"U")),
        ("no-calls as dots", letters.replace(b"A", b".")),
        ("gaps", letters.replace(b"GG", b"--")),
        ("only N", b"N" * size),
    ):
        yield MAKE.good(name, fastq(changed(reads, 100, letters=sequence)))
    for name, line in (
        ("qualities that begin with @", b"@" + qualities[1:]),
        ("qualities that begin with +", b"+" + qualities[1:]),
        ("qualities that look like a title", (b"@A00123:45:HXXXXDSXX:1:1101:" * 20)[:size]),
        ("every quality is @", b"@" * size),
        ("the lowest qualities", b"!" * size),
        ("the highest qualities", b"~" * size),
        ("every quality that there is", (bytes(range(33, 127)) * 4)[:size]),
    ):
        yield MAKE.good(name, fastq(changed(reads, 100, qualities=line)))
    trimmed = changed(reads, 100, letters=b"", qualities=b"")
    yield MAKE.good("a read trimmed to nothing", fastq(trimmed))
    yield MAKE.good("the last read trimmed to nothing", fastq(trimmed[:101]))
    yield MAKE.good("the last read trimmed to nothing, no last line end", fastq(trimmed[:101], last_end=False))
    yield MAKE.good("every read trimmed to nothing", fastq([Read(read.title, b"", b"") for read in reads]))
    yield MAKE.good("a read of 1 megabase among short ones", fastq([*reads[:50], long_read(1_000_000), *reads[50:]]))
    yield MAKE.good("a read of 3 megabases in lower case", fastq([long_read(3_000_000, lower=True)]))
    yield MAKE.good("megabase reads in CRLF", fastq([long_read(1_200_000), long_read(1_400_000)], end=b"\r\n"))
    yield from _bad_letters(reads)
    yield from _bad_qualities(reads)


def _bad_letters(reads: list[Read]) -> Iterator[Case]:
    letters = reads[100].letters
    for name, wrong in (
        ("a space", b" "),
        ("a tab", b"\t"),
        ("NUL", b"\0"),
        ("a digit", b"7"),
        ("an asterisk", b"*"),
        ("a letter that is no IUPAC code", b"E"),
        ("a lower-case letter that is no IUPAC code", b"o"),
        ("a question mark", b"?"),
        ("a no-break space", "\u00a0".encode()),
        ("a Cyrillic A", "\u0410".encode()),
        ("a lone CR", b"\r"),
        ("an escape character", b"\x1b"),
    ):
        spoilt = changed(reads, 100, letters=letters[:50] + wrong + letters[50 + len(wrong) :])
        yield MAKE.bad(f"{name} in a sequence", fastq(spoilt), "sequence_letters")
    yield MAKE.bad("a space behind a sequence", fastq(changed(reads, 100, letters=letters + b" ")), "sequence_letters")
    yield MAKE.bad(
        "amino acids",
        fastq(changed(reads, 100, letters=b"MGVTGILQLPRDRFKRTSFFLWVIILFQRTFSIPLGVIHNSTLQV")),
        "sequence_letters",
    )
    yield MAKE.bad(
        "colours instead of letters", fastq(changed(reads, 100, letters=b"T" + b"0123" * 10)), "sequence_letters"
    )
    megabase = long_read(2_000_000)
    wrong_at_end = damage.overwritten(fastq([megabase]), 1_999_000, b"!")
    yield MAKE.bad("a wrong letter at the end of a read of 2 megabases", wrong_at_end, "sequence_letters")


def _bad_qualities(reads: list[Read]) -> Iterator[Case]:
    qualities = reads[100].qualities
    for name, line, code in (
        ("one quality too few", qualities[:-1], "quality_length"),
        ("one quality too many", qualities + b"F", "quality_length"),
        ("half of the qualities", qualities[: len(qualities) // 2], "quality_length"),
        ("no qualities", b"", "quality_length"),
        ("twice the qualities", qualities * 2, "quality_length"),
        ("a space in the qualities", qualities[:9] + b" " + qualities[10:], "quality_letters"),
        ("a space behind the qualities", qualities + b" ", "quality_letters"),
        ("a tab in the qualities", qualities[:9] + b"\t" + qualities[10:], "quality_letters"),
        ("NUL in the qualities", qualities[:9] + b"\0" + qualities[10:], "quality_letters"),
        ("a quality above ~", qualities[:9] + b"\x7f" + qualities[10:], "quality_letters"),
        ("a quality below !", qualities[:9] + b"\x1f" + qualities[10:], "quality_letters"),
        ("a quality that is not ASCII", qualities[:9] + b"\xc6" + qualities[10:], "quality_letters"),
        ("a quality in UTF-8", qualities[:9] + "é".encode() + qualities[11:], "quality_letters"),
        ("qualities as numbers", b" ".join(b"%d" % (value - 33) for value in qualities), "quality_letters"),
        ("a lone CR in the qualities", qualities[:9] + b"\r" + qualities[10:], "quality_letters"),
    ):
        yield MAKE.bad(name, fastq(changed(reads, 100, qualities=line)), code)
    yield MAKE.bad(
        "the last quality line too long",
        fastq(changed(reads, -1, qualities=reads[-1].qualities + b"F")),
        "quality_length",
    )
    yield MAKE.bad("letters for a read trimmed to nothing", fastq(changed(reads, 100, letters=b"")), "quality_length")
    megabase = long_read(1_000_000)
    yield MAKE.bad(
        "a read of 1 megabase with one quality too few",
        fastq([Read(b"x", megabase.letters, megabase.qualities[1:]), *reads]),
        "quality_length",
    )


def _cut() -> Iterator[Case]:
    for sequencer, make in SEQUENCERS.items():
        reads = make(seed="cut")
        before, last = fastq(reads[:-1]), reads[-1]
        for place, end in damage.cuts_in_record(last).items():
            yield MAKE.bad(f"{sequencer} reads cut {place}", (before + last.record())[: len(before) + end], "truncated")
        yield MAKE.altered(f"{sequencer} reads cut between two records", before + last.record(), before)
    reads = illumina(seed="torn")
    first, rest = reads[0], fastq(reads[1:])
    record = first.record()
    plus = record.index(b"\n+\n")
    for line, start in (("title", 10), ("sequence", plus - 20), ("qualities", plus + 10)):
        yield MAKE.bad(f"begins within the {line}", b"F" * (line == "qualities") + record[start:] + rest, "header")
    yield MAKE.bad("begins at a sequence", record[record.index(b"\n") + 1 :] + rest, "header")
    yield MAKE.bad("begins at a +", record[plus + 1 :] + rest, "header")
    whole = fastq(reads)
    yield MAKE.bad("cut to whole blocks of a disk", whole[: len(whole) // 4096 * 4096], "truncated")
    read = Read(b"long", b"A" * 200_000, b"F" * 200_000)
    yield MAKE.bad("cut at 256 KiB", fastq([read, read])[:CHECK_BLOCK], "truncated")
    yield from _lines(first, rest)


def _lines(first: Read, rest: bytes) -> Iterator[Case]:
    """Lines that are missing, come twice or stand in the wrong place."""
    title, letters, plus, qualities = first.record().splitlines(keepends=True)
    for name, lines, code in (
        ("a title is missing", [letters, plus, qualities], "header"),
        ("a sequence is missing", [title, plus, qualities], "sequence_letters"),
        ("a + line is missing", [title, letters, qualities], "separator"),
        ("a line of qualities is missing", [title, letters, plus], "quality_letters"),
        ("a title stands twice", [title, title, letters, plus, qualities], "sequence_letters"),
        ("a sequence stands twice", [title, letters, letters, plus, qualities], "separator"),
        ("a + line stands twice", [title, letters, plus, plus, qualities], "quality_length"),
        ("qualities stand twice", [title, letters, plus, b"F" + qualities[1:], b"F" + qualities[1:]], "header"),
        (
            "sequence and qualities have changed places",
            [title, b"F" + qualities[1:], plus, letters],
            "sequence_letters",
        ),
        ("sequence and + have changed places", [title, plus, letters, qualities], "sequence_letters"),
        ("a wrapped sequence", [title, letters[:60], b"\n", letters[60:], plus, qualities], "separator"),
        (
            "wrapped sequence and qualities",
            [title, letters[:60], b"\n", letters[60:], plus, qualities[:60], b"\n", qualities[60:]],
            "separator",
        ),
        ("wrapped qualities", [title, letters, plus, qualities[:60], b"\n", qualities[60:]], "quality_length"),
        ("a blank line before a record", [b"\n", title, letters, plus, qualities], "blank_line"),
        ("a blank line behind a title", [title, b"\n", letters, plus, qualities], "separator"),
        ("a blank line behind a sequence", [title, letters, b"\n", plus, qualities], "separator"),
        ("a blank line behind a +", [title, letters, plus, b"\n", qualities], "quality_length"),
        ("a line of spaces before a record", [b"   \n", title, letters, plus, qualities], "header"),
        ("a comment before a record", [b"# lane 2\n", title, letters, plus, qualities], "header"),
        ("the mark of a merge conflict", [b"<<<<<<< HEAD\n", title, letters, plus, qualities], "header"),
        ("two files joined without a line end between", [title, letters, plus, qualities.rstrip()], "quality_letters"),
    ):
        yield MAKE.bad(name, rest + b"".join(lines) + rest, code)
    yield MAKE.bad("a blank line at the start", b"\n" + rest, "blank_line")
    yield MAKE.bad("a blank line at the end", rest + b"\n", "blank_line")
    yield MAKE.bad("three blank lines at the end", rest + b"\n\n\n", "blank_line")
    yield MAKE.bad("a blank line at the end in CRLF", rest + b"\r\n", "blank_line")
    yield MAKE.bad("a Ctrl-Z at the end", rest + b"\x1a", "header")
    yield MAKE.bad("zeros at the end", rest + bytes(512), "header")
    yield MAKE.bad(
        "4 KiB of zeros within",
        damage.overwritten(rest, rest.index(letters[:1] * 2, 9_000), bytes(4096)),
        "sequence_letters",
        "quality_letters",
        "header",
    )


def _flipped() -> Iterator[Case]:
    """Bits flipped anywhere; where the text stays legal, only what was claimed can tell."""
    for sequencer in ("Illumina", "old Illumina", "Nanopore"):
        text = fastq(SEQUENCERS[sequencer](seed="flips"))
        for words, data in damage.flips(text, 14, start=0, end=len(text), seed=sequencer):
            name = f"{sequencer} reads: {words}"
            fault = first_fault(data)
            yield MAKE.bad(name, data, fault) if fault else MAKE.altered(name, text, data)
    text = fastq(illumina(seed="ends"))
    for words, code, place in (
        ("a title", "sequence_letters", text.index(b"\n")),
        ("a sequence", "sequence_letters", text.index(b"\n+")),
        ("a +", "name_differs", text.index(b"\n+\n") + 2),
        ("qualities", "quality_letters", text.index(b"\n@", 9)),
    ):
        yield MAKE.bad(f"the line end of {words} has a bit flipped", damage.flipped(text, place, 6), code)


def _foreign() -> Iterator[Case]:
    reads = illumina()
    text = fastq(reads)
    yield MAKE.bad("no bytes at all", b"", "empty")
    yield MAKE.bad("one line end", b"\n", "blank_line")
    yield MAKE.bad("one CRLF", b"\r\n", "blank_line")
    yield MAKE.bad("one space", b" ", "header")
    yield MAKE.bad("only zeros", bytes(len(text)), "header")
    for name, data in foreign.documents().items():
        yield MAKE.bad(name, data, "header")
    yield MAKE.bad("FASTA", b"".join(b">%s\n%s\n" % (read.title, read.letters) for read in reads), "header")
    yield MAKE.bad("SAM", foreign.SAM, "sequence_letters")
    yield MAKE.bad("SAM without its header", foreign.SAM_WITHOUT_HEADER, "header")
    yield MAKE.bad("a tar archive", foreign.tar(text, "reads.fastq"), "header")
    yield MAKE.bad("letters alone", b"".join(read.letters + b"\n" for read in reads), "header")
    for program, data in foreign.compressions(fastq(reads[:100]), "reads.fastq").items():
        yield MAKE.bad(f"packed with {program}", data, "compression_unsupported")


def _otherwise_coded() -> Iterator[Case]:
    text = fastq(illumina()).decode()
    yield MAKE.bad("UTF-16 with its mark", text.encode("utf-16"), "header")
    yield MAKE.bad("UTF-16, little-endian, without a mark", text.encode("utf-16-le"), "sequence_letters")
    yield MAKE.bad("UTF-16, big-endian, without a mark", text.encode("utf-16-be"), "header")
    yield MAKE.bad("UTF-32", text.encode("utf-32"), "header")
    yield MAKE.bad("UTF-8 with its mark", text.encode("utf-8-sig"), "header")
    yield MAKE.bad("EBCDIC", text.encode("cp500"), "header")
    yield MAKE.bad("base64", base64.b64encode(text.encode()), "header")
    yield MAKE.bad("lines that end in CR, as on old Macs", text.replace("\n", "\r").encode(), "truncated")
    yield MAKE.bad("1.5 MB of lines that end in CR", text.replace("\n", "\r").encode() * 25, "line_too_long")
    yield MAKE.bad("CRLF made twice", text.replace("\n", "\r\r\n").encode(), "sequence_letters")
    yield MAKE.bad("quoted for HTML", text.replace("\n", "<br>\n").encode(), "sequence_letters")
