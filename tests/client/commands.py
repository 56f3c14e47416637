"""The command `satchel` as tests give it, and a run of two entries to be submitted."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from satchel.cli.app import app
from typer.testing import CliRunner, Result


@dataclass
class Satchel:
    """The command, as somebody who is logged in gives it; a home of its own keeps the token."""

    environment: dict[str, str]
    url: str

    def __call__(self, *arguments: str | Path, code: int = 0, stdin: str | None = None, **more: str) -> Result:
        """Run it; fails unless it ends with `code`."""
        result = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin, env={**self.environment, **more})
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str | Path, code: int = 0, **more: str) -> Any:
        """What it prints with `--json`, which has to be all that is on stdout."""
        return json.loads(self(*arguments, "--json", code=code, **more).stdout)


def fastq(reads: int, mate: int = 1) -> bytes:
    """FASTQ that was never there before."""
    draw = random.Random()
    letters = [draw.randbytes(60).translate(b"ACGT" * 64) for _ in range(reads)]
    return b"".join(b"@r%d/%d\n%s\n+\n%s\n" % (at, mate, line, b"F" * 60) for at, line in enumerate(letters))


def make_run(folder: Path) -> Path:
    """A run of two samples, with a table, sequences, and a folder of folders for the one and the other category."""
    for sample in ("s1", "s2"):
        (folder / "files/rawReads" / sample).mkdir(parents=True)
        for mate in (1, 2):
            path = folder / "files/rawReads" / sample / f"{sample}_R{mate}.fastq.gz"
            path.write_bytes(gzip.compress(fastq(20, mate)))
        (folder / "files/rawReads" / sample / ".DS_Store").write_bytes(b"")
    (folder / "files/supplementary/s2").mkdir(parents=True)
    (folder / "files/supplementary/s2/gel [1].png").write_bytes(random.randbytes(3_000))
    (folder / "t.tsv").write_text("id\tcountry\ns1\tUganda\ns2\t\n")
    (folder / "s.fa").write_text(">s1\nACGT\n>s2\nGGCC\n")
    return folder


def submit(run: Path, *more: str | Path) -> list[str | Path]:
    """The command that submits it."""
    return ["submit", run / "t.tsv", run / "s.fa", "--organism", "ebola-sudan", *more]
