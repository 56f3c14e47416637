"""`manage.py check_fixity`: read accepted files again by hand, at full speed."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from files import fixity
from files.fixity import Checked, Outcome
from files.models import File

ROW = "{:<36}  {:>20}  {:<28}  {}"


class Command(BaseCommand):
    """Prints a row for each file; exit status 1 where one is damaged, 2 where one could not be read."""

    help = "Read accepted files again and compare size and sha256: those that are due, or those asked for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which files, if not those that are due."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--file", type=uuid.UUID, nargs="+", metavar="ID", help="these files")
        which.add_argument("--all", action="store_true", help="all accepted files, whenever they were read last")

    def handle(self, *args: Any, **options: Any) -> None:
        """What is found is recorded, logged and mailed as by the scheduled runs; safe beside one and to repeat."""
        files = self._named(options["file"]) if options["file"] else self._due(every=options["all"])
        outcomes: Counter[Outcome] = Counter()
        self.stdout.write(ROW.format("file ID", "bytes", "found", "in"))
        with fixity.alarm() as note:
            for file in files:
                checked = fixity.check(file, _at_full_speed)
                note(checked)
                outcomes[checked.outcome] += 1
                self._print(checked)
        self._judge(outcomes)

    def _named(self, file_ids: list[uuid.UUID]) -> Iterable[File]:
        files = fixity.accepted_files().in_bulk(file_ids)
        if unknown := [str(file_id) for file_id in file_ids if file_id not in files]:
            raise CommandError(f"No accepted entry has a file {', '.join(unknown)}.")
        return files.values()

    def _due(self, *, every: bool) -> Iterable[File]:
        if not every and not settings.FIXITY_EVERY:
            raise CommandError("FIXITY_EVERY_DAYS is 0, so no file is ever due; say --all or --file.")
        now = timezone.now()
        return fixity.in_turn(fixity.accepted_files(), read_before=now if every else now - settings.FIXITY_EVERY)

    def _print(self, checked: Checked) -> None:
        found = checked.problem.code if checked.problem else checked.outcome.value
        size = f"{checked.file.size:,}"
        self.stdout.write(ROW.format(str(checked.file.pk), size, found, " ".join(checked.accessions)).rstrip())

    def _judge(self, outcomes: Counter[Outcome]) -> None:
        total = outcomes.total()
        if damaged := outcomes[Outcome.DAMAGED]:
            raise CommandError(f"{damaged:,} of {total:,} files are damaged.")
        if unread := outcomes[Outcome.UNREAD]:
            raise CommandError(f"{unread:,} of {total:,} files could not be read now; try again.", returncode=2)
        self.stdout.write(f"{total:,} files, none damaged.")


def _at_full_speed(_size: int) -> None:
    """Wait for nothing behind a piece."""
