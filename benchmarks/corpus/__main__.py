"""Does the product refuse every damaged or mislabelled file, with the right code, and no good one?

    make corpus       (or: var/venv/bin/python -m benchmarks.corpus [--keep | kinds])

Makes the files with fixed seeds, starts the product, and hands in each case as an entry of its own, by the API. Prints
a table of all cases, then the numbers of each kind, and last a line of JSON; fails if any case ends otherwise than
expected. `--keep` writes the table to benchmarks/corpus.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.corpus import organism
from benchmarks.corpus.handing_in import Submitter
from benchmarks.corpus.registry import KINDS, cases
from benchmarks.corpus.table import Verdict, json_line, page, rows, totals

# As in production. The tests' shorter times would have hundreds of waiting files sent to the workers every second.
SETTINGS = {"VERIFICATION_LEASE_SECONDS": "60", "SWEEP_EVERY_SECONDS": "10"}
KEPT = Path(__file__).parent.parent / "corpus.md"


def main() -> int:
    """Run all cases and print; the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks.corpus", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--keep", action="store_true", help="write the table to benchmarks/corpus.md")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="only these; without any, all")
    given = parser.parse_args()
    verdicts = run(given.kinds or list(KINDS))
    if given.keep:
        KEPT.write_text(page(verdicts))
    print("\n".join([*rows(verdicts), "", *totals(verdicts), "", json_line(verdicts)]))
    return 0 if all(verdict.as_expected for verdict in verdicts) else 1


def run(kinds: Sequence[str]) -> list[Verdict]:
    """What the product makes of every case of these kinds."""
    from tests.product import running_product

    with tempfile.TemporaryDirectory(prefix="satchel-corpus-") as folder:
        url = f"sqlite:///{folder}/unused.sqlite3"
        with running_product(Path(folder), database_url=url, settings=SETTINGS) as product:
            organism.make_in(product.environment)
            submitter = Submitter(product.base_url, "alice", "satchel-demo")
            return [Verdict(handed.case, frozenset(handed.codes)) for handed in submitter.verdicts(cases(kinds))]


if __name__ == "__main__":
    sys.exit(main())
