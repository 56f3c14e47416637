"""The commands and their options. What they do is imported when they do it: `--help` and completion answer at once."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from satchel import __version__
from satchel.bodies import FileStatus
from satchel.cli.ending import ending
from satchel.cli.options import (
    Again,
    Checksums,
    DryRun,
    Fasta,
    Folders,
    Group,
    Json,
    LeaveOutUnmatched,
    OrganismOption,
    Parallel,
    Table,
    Url,
    Wait,
    Yes,
)
from satchel.output import Output

app = typer.Typer(
    name="satchel",
    help="Hand in pathogen sequences and the files that belong to them. Stopped commands go on where they stopped.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Document = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, show_default=False)]
SubmissionNumber = Annotated[int, typer.Argument(metavar="SUBMISSION", min=1, show_default=False)]


Status = StrEnum("Status", [(status, status) for status in get_args(FileStatus)])  # type: ignore[misc]  # wants members spelled out
"""The states of a file, as an option can have more than one of them."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"satchel {__version__}")
        raise typer.Exit


@app.callback()
def satchel(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hand in pathogen sequences and the files that belong to them. Stopped commands go on where they stopped."""


@app.command()
def login(
    *,
    url: Url = None,
    username: Annotated[
        str | None,
        typer.Option("--username", help="Log in by password instead, for an hour.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep a personal API token for a server. Without a terminal, the token (or password) is read from stdin."""
    output = Output(as_json)
    with ending(output, when_stopped="Stopped. Nothing was kept."):
        from satchel.cli import account

        account.log_in(output, url, username)


@app.command()
def logout(*, url: Url = None, as_json: Json = False) -> None:
    """Forget the token for a server."""
    output = Output(as_json)
    with ending(output):
        from satchel.cli import account

        account.log_out(output, url)


@app.command()
def upload(
    *,
    paths: Annotated[list[Path], typer.Argument(exists=True, readable=True, show_default=False)],
    group: Group = None,
    organism: OrganismOption = None,
    category: Annotated[
        str | None,
        typer.Option("--category", help="File category: its rules and checks are asked at once.", show_default=False),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the files are verified.")] = False,
    parallel: Parallel = 8,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Upload files, and all files in folders, and print their file IDs."""
    output = Output(as_json)
    with ending(output):
        from satchel.cli import uploading
        from satchel.cli.session import session

        wishes = uploading.UploadWishes(paths, group, organism, category, wait=wait, parallel=parallel)
        with session(output, url) as connected:
            uploading.upload(connected, wishes)


def _handing_in(*, revising: bool) -> Callable[..., None]:
    """The command that hands in a table, sequences and folders of files: as new entries, or as next versions."""

    def command(
        *,
        table: Table,
        fasta: Fasta = None,
        files: Folders = None,
        organism: OrganismOption = None,
        group: Group = None,
        checksums: Checksums = None,
        leave_out_unmatched: LeaveOutUnmatched = False,
        dry_run: DryRun = False,
        again: Again = False,
        wait: Wait = False,
        parallel: Parallel = 8,
        url: Url = None,
        as_json: Json = False,
    ) -> None:
        output = Output(as_json)
        with ending(output):
            from satchel.cli import submitting
            from satchel.cli.session import session

            wishes = submitting.SubmitWishes(
                table=table,
                sequences=fasta,
                files=files or [],
                organism=organism,
                group=group,
                checksums=checksums,
                leave_out_unmatched=leave_out_unmatched,
                dry_run=dry_run,
                again=again,
                wait=wait,
                parallel=parallel,
                revising=revising,
            )
            with session(output, url) as connected:
                submitting.submit(connected, wishes)

    return command


app.command("submit", help="Submit a metadata table, sequences, and folders of files.")(_handing_in(revising=False))
app.command(
    "revise",
    help="Submit next versions of released entries: as `submit`, with a column `accession`. Files not named are kept.",
)(_handing_in(revising=True))


@app.command()
def status(
    *,
    submission: SubmissionNumber,
    watch: Annotated[bool, typer.Option("--watch", help="Wait until all is verified.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show how a submission stands, and why entries were rejected."""
    output = Output(as_json)
    with ending(output, when_stopped="Stopped watching. The submission goes on by itself."):
        from satchel.cli import watching
        from satchel.cli.session import session

        with session(output, url) as connected:
            watching.status(connected, submission, watch=watch)


@app.command()
def files(
    *,
    group: Group = None,
    unattached: Annotated[bool, typer.Option("--unattached", help="Only files that no entry has.")] = False,
    state: Annotated[
        list[Status] | None,
        typer.Option("--status", help="Only files in this state; more than once.", show_default=False),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the group's files, newest first."""
    output = Output(as_json)
    with ending(output, when_stopped="Stopped."):
        from satchel.cli import listing
        from satchel.cli.session import session

        with session(output, url) as connected:
            statuses = cast("list[FileStatus]", [one.value for one in state or []])
            listing.list_files(connected, group, statuses, unattached=unattached)


@app.command()
def discard(
    *,
    file_ids: Annotated[list[str] | None, typer.Argument(metavar="FILE_ID...", show_default=False)] = None,
    unattached: Annotated[bool, typer.Option("--unattached", help="All files of the group that no entry has.")] = False,
    group: Group = None,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Discard files that no entry has, uploads that are on their way included."""
    output = Output(as_json)
    with ending(output):
        from satchel.cli import listing
        from satchel.cli.session import session

        with session(output, url) as connected:
            listing.discard(connected, file_ids or [], group, unattached=unattached, yes=yes)


@app.command()
def release(
    *,
    entries: Annotated[list[str] | None, typer.Argument(metavar="ACCESSION.VERSION...", show_default=False)] = None,
    submission: Annotated[
        int | None, typer.Option("--submission", min=1, help="All accepted entries of it.", show_default=False)
    ] = None,
    organism: OrganismOption = None,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Release accepted entries, so that everybody can see them: all of them or none."""
    output = Output(as_json)
    with ending(
        output, when_stopped="Stopped. Releasing is done as a whole or not at all; the same command can be repeated."
    ):
        from satchel.cli import releasing
        from satchel.cli.session import session

        with session(output, url) as connected:
            releasing.release(connected, entries or [], submission, organism, yes=yes)


@app.command()
def replace(
    *,
    entry: Annotated[str, typer.Argument(metavar="ACCESSION.VERSION", show_default=False)],
    paths: Annotated[list[Path], typer.Argument(exists=True, readable=True, show_default=False)],
    category: Annotated[str, typer.Option("--category", help="The file category.", show_default=False)],
    organism: OrganismOption = None,
    wait: Wait = False,
    parallel: Parallel = 8,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Replace the files of a category of an entry that is not released. Those of other categories stay."""
    output = Output(as_json)
    with ending(output):
        from satchel.cli import replacing
        from satchel.cli.session import session

        wishes = replacing.ReplaceWishes(entry, paths, category, organism, wait=wait, parallel=parallel)
        with session(output, url) as connected:
            replacing.replace(connected, wishes)


@app.command()
def withdraw(
    *,
    entries: Annotated[list[str], typer.Argument(metavar="ACCESSION.VERSION...", show_default=False)],
    organism: OrganismOption = None,
    yes: Yes = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Withdraw entries that are not released: they are deleted, and their files are free."""
    output = Output(as_json)
    with ending(output):
        from satchel.cli import entries as acting
        from satchel.cli.session import session

        with session(output, url) as connected:
            acting.withdraw(connected, entries, organism, yes=yes)


@app.command()
def entry(
    *,
    name: Annotated[str, typer.Argument(metavar="ACCESSION[.VERSION]", show_default=False)],
    organism: OrganismOption = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show an entry with its metadata and files. Released ones need no login."""
    output = Output(as_json)
    with ending(output, when_stopped="Stopped."):
        from satchel.cli import entries
        from satchel.cli.session import session

        with session(output, url, needs_token=False) as connected:
            entries.show(connected, name, organism)


@app.command()
def download(
    *,
    entries: Annotated[list[str], typer.Argument(metavar="ACCESSION[.VERSION]...", show_default=False)],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", file_okay=False, help="Where folders are made.")] = Path(),
    organism: OrganismOption = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Download the files of entries, and compare them with their sha256. Released ones need no login."""
    output = Output(as_json)
    with ending(output):
        from satchel.cli import downloading
        from satchel.cli.session import session

        with session(output, url, needs_token=False) as connected:
            downloading.download(connected, entries, to, organism)


@app.command()
def receipt(
    *,
    submission: SubmissionNumber,
    as_json: Annotated[bool, typer.Option("--json/--text", help="As JSON, or as lines for sha256sum -c.")] = False,
    output_file: Annotated[
        Path | None, typer.Option("-o", "--output", dir_okay=False, help="Write to this file.", show_default=False)
    ] = None,
    url: Url = None,
) -> None:
    """Print the receipt of a submission that is settled."""
    output = Output(as_json)
    with ending(output, when_stopped="Stopped."):
        from satchel.cli import receipts
        from satchel.cli.session import session

        with session(output, url) as connected:
            receipts.receipt(connected, submission, output_file, as_json=as_json)
