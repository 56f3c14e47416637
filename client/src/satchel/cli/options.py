"""Options that several commands have."""

from __future__ import annotations

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
