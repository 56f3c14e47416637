"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from satchel.config import GROUP, URL

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Url = Annotated[
    str | None,
    typer.Option("--url", help=f"Address of the server; else ${URL}, else where you logged in.", show_default=False),
]
Group = Annotated[
    int | None,
    typer.Option(
        "--group", envvar=GROUP, help="Number of the group; not needed if you are in one only.", show_default=False
    ),
]
OrganismOption = Annotated[
    str | None, typer.Option("--organism", help="As in the address of its form.", show_default=False)
]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=64, help="How many requests to the store at once.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]

Table = Annotated[Path, typer.Argument(help="Metadata table.", exists=True, dir_okay=False, readable=True)]
Fasta = Annotated[
    Path | None,
    typer.Argument(help="Sequences.", exists=True, dir_okay=False, readable=True, show_default=False),
]
Folders = Annotated[
    list[str] | None,
    typer.Option(
        "--files",
        metavar="[CATEGORY=]DIR",
        help="Folder with a subfolder for each submission ID; once for each file category, or more often.",
        show_default=False,
    ),
]
Checksums = Annotated[
    Path | None,
    typer.Option("--checksums", help="What sha256sum or md5sum wrote.", exists=True, dir_okay=False),
]
LeaveOutUnmatched = Annotated[
    bool, typer.Option("--leave-out-unmatched", help="Leave out folders and files that match no row.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and what is wrong, and send nothing.")]
Again = Annotated[bool, typer.Option("--again", help="Submit also what was submitted within the last 24 hours.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until all is verified.")]
