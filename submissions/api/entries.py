"""`/api/<organism>/entries` and `/api/<organism>/release`: an entry, its files, withdrawing and releasing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, cast

from django.db.models import Prefetch, prefetch_related_objects
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from common.parsing import parse_object
from common.schema import described
from files.models import FileAttachment
from submissions import services
from submissions.access import entry_for_reader
from submissions.api.schema import entries as schema
from submissions.api.serializers import ReleaseSerializer, released_body, whole_entry_body
from submissions.models import SequenceEntry


class JSONTextParser(JSONParser):
    """JSON as it was sent, in which a key that stands twice can still be seen.

    DRF hands bodies to its own parser, and to its descendants, only up to the length that Django allows.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The text; raises `ParseError` where it is not UTF-8 (RFC 8259, section 8.1)."""
        try:
            return str(stream.read(), "utf-8")
        except UnicodeDecodeError as error:
            raise ParseError("the JSON is not UTF-8.") from error


def _answer(entry: SequenceEntry, *, is_member: bool) -> Response:
    prefetch_related_objects([entry], Prefetch("attachments", FileAttachment.objects.with_results()))
    return Response(whole_entry_body(entry, is_member=is_member))


class EntryView(APIView):
    """One entry: for everybody once it is released, before that for members of its group."""

    permission_classes = (IsAuthenticatedOrReadOnly,)

    @described(schema.GET_ENTRY)
    def get(self, request: Request, organism: str, accession: str, version: int) -> Response:
        """Status, times, metadata, sequences and files."""
        entry = entry_for_reader(user=request.user, organism_slug=organism, accession=accession, version=version)
        is_member = SequenceEntry.objects.of_members(request.user).filter(pk=entry.pk).exists()
        return _answer(entry, is_member=is_member)

    @described(schema.WITHDRAW_ENTRY)
    def delete(self, request: Request, organism: str, accession: str, version: int) -> Response:
        """204 once it is withdrawn; only an entry that is not released."""
        services.withdraw(user=caller(request), organism_slug=organism, accession=accession, version=version)
        return Response(status=204)


class EntryFilesView(APIView):
    """The files of an entry that is not released."""

    parser_classes = (JSONTextParser,)

    @described(schema.REPLACE_FILES)
    def put(self, request: Request, organism: str, accession: str, version: int) -> Response:
        """`{<fileCategory>: [{"fileId","name"}]}` in the place of all its files → the entry."""
        entry = services.replace_files(
            user=caller(request),
            organism_slug=organism,
            accession=accession,
            version=version,
            replacement=services.Replacement(cast("str", request.data or "")),
        )
        return _answer(entry, is_member=True)


class ReleaseView(APIView):
    """Accepted entries become public, all that are named or none."""

    @described(schema.RELEASE)
    def post(self, request: Request, organism: str) -> Response:
        """`{"accessionVersions":[{"accession","version"}]}` → `[{"accession","version","releasedAt"}]`."""
        wanted = parse_object(ReleaseSerializer, request.data)["wanted"]
        entries = services.release(
            user=caller(request),
            organism_slug=organism,
            wanted=[services.AccessionVersion(**one) for one in wanted],
        )
        return Response([released_body(entry) for entry in entries])
