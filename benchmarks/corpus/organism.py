"""The organism of the corpus, made in the database of the running product, in a process with its settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.corpus.case import Category
from benchmarks.corpus.claim_files import LARGEST

SLUG: Final = "corpus"
RULES: Final[dict[Category, dict[str, Any]]] = {
    Category.GZIP: {"content_check": "gzip"},
    Category.FASTQ: {"content_check": "fastq"},
    Category.PAIRS: {"content_check": "fastq", "pairing": True, "min_files": 2, "max_files": 2},
    Category.BAM: {"content_check": "bam"},
    Category.CRAM: {"content_check": "cram"},
    Category.FASTA: {"content_check": "fasta"},
    Category.ANY: {},
    Category.RULED: {"extensions": [".fastq.gz", ".fq.gz"], "max_files": 2, "max_file_size": LARGEST},
}


def make_in(environment: Mapping[str, str]) -> None:
    """Run this module with the environment of the product's programs."""
    subprocess.run([sys.executable, "-m", "benchmarks.corpus.organism"], env=environment, check=True)


def main() -> None:
    """An organism that takes no sequences and has every category."""
    import django

    django.setup()
    from files.models import FileCategory
    from submissions.models import Organism

    organism = Organism.objects.create(
        slug=SLUG, name="Corpus", sequences=Organism.Sequences.FORBIDDEN, file_sharing=True
    )
    for order, (category, rules) in enumerate(RULES.items()):
        FileCategory.objects.create(organism=organism, name=category, shown_name=category, order=order, **rules)


if __name__ == "__main__":
    main()
