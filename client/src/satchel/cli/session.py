"""A command's connection to the server, and what it looks up before it begins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from satchel.api import Api
from satchel.bodies import AccessionVersion, Entry, FileCategory, Organism
from satchel.cli.ending import UsageError
from satchel.config import Login, login_for
from satchel.errors import ApiError, Problem
from satchel.output import Output
from satchel.words import listed


@dataclass(frozen=True, slots=True)
class Session:
    """The server as one account sees it, or nobody; and where to write."""

    api: Api
    login: Login
    output: Output

    def group_id(self, given: int | None) -> int:
        """The group that was named, else the only one that the account is in."""
        if given is not None:
            return given
        groups = self.api.groups()
        if len(groups) == 1:
            return groups[0]["id"]
        if not groups:
            raise UsageError("You are in no group yet. Create one on the page “Groups”.", "group_missing")
        names = ", ".join(f"{group['id']} “{group['name']}”" for group in groups)
        raise UsageError(f"You are in several groups; say --group NUMBER: {names}.", "group_missing")

    def organism(self, slug: str | None) -> Organism:
        """The organism that was named, else the only one that there is."""
        organisms = self.api.organisms()
        if slug is None and len(organisms) == 1:
            return organisms[0]
        slugs = ", ".join(organism["slug"] for organism in organisms)
        if slug is None:
            raise UsageError(f"Say --organism NAME: {slugs}.", "organism_missing")
        for organism in organisms:
            if organism["slug"] == slug:
                return organism
        raise UsageError(f"There is no organism “{slug}”; there are: {slugs}.", "organism_not_found")

    def entry(self, accession: str, version: int, organism: str | None) -> Entry:
        """The entry, of the organism that was named, or of the first that says it has it."""
        slugs = [one["slug"] for one in self.api.organisms()] if organism is None else [organism]
        for slug in slugs:
            try:
                return self.api.entry(slug, accession, version)
            except ApiError as error:
                if organism is not None or not error.is_not_found:
                    raise
        raise ApiError(Problem("entry_not_found", f"There is no entry {accession}.{version}.", 404))

    def organism_of(self, entry: AccessionVersion, organism: str | None) -> str:
        """The organism that was named, or the one that has this entry."""
        return organism or self.entry(entry["accession"], entry["version"], None)["organism"]

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask, unless `yes`; nobody is asked where there is no terminal. Raises `UsageError`, or ends the command."""
        if yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"{question} Say --yes where nobody can be asked.", "not_confirmed")
        if not typer.confirm(question, err=True):
            raise UsageError("Nothing was done.", "not_confirmed")


@contextmanager
def session(output: Output, url: str | None, *, needs_token: bool = True) -> Iterator[Session]:
    """A connection to the server that options, environment or the last login name. Raises `ConfigError`."""
    login = login_for(url, needs_token=needs_token)

    def tell(problem: Problem, pause: float) -> None:
        output.say(f"{problem.detail} Trying again in {pause:.0f} s …")

    with Api(login.url, login.token, on_retry=tell) as api:
        yield Session(api, login, output)


def category_named(organism: Organism, name: str) -> FileCategory:
    """A file category of the organism; raises `UsageError` with those that it has."""
    for category in organism["fileCategories"]:
        if category["name"] == name:
            return category
    names = listed([category["name"] for category in organism["fileCategories"]], most=20) or "none"
    raise UsageError(f"“{organism['slug']}” has no file category “{name}”; it has: {names}.", "category_unknown")
