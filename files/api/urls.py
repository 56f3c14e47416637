"""Addresses under `/api/files`."""

from __future__ import annotations

from uuid import UUID

from django.urls import path, register_converter
from django.urls.converters import UUIDConverter

from files.api import views


class FileIdConverter(UUIDConverter):
    """A UUID in any case; Django's own takes lower case alone."""

    regex = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"

    def to_python(self, value: str) -> UUID:
        """The file ID."""
        return UUID(value)


register_converter(FileIdConverter, "file_id")

urlpatterns = [
    path("files/request-upload", views.RequestUploadView.as_view(), name="api-request-upload"),
    path(
        "files/request-multipart-upload",
        views.RequestMultipartUploadView.as_view(),
        name="api-request-multipart-upload",
    ),
    path(
        "files/complete-multipart-upload",
        views.CompleteMultipartUploadView.as_view(),
        name="api-complete-multipart-upload",
    ),
    path("files/complete-upload", views.CompleteUploadView.as_view(), name="api-complete-upload"),
    path("files", views.FilesView.as_view(), name="api-files"),
    path("files/<file_id:file_id>", views.FileView.as_view(), name="api-file"),
    path("files/<file_id:file_id>/renew", views.RenewView.as_view(), name="api-renew"),
    path(
        "files/get/<text:accession>/<int:version>/<text:category>/<text:name>",
        views.DownloadView.as_view(),
        name="api-download",
    ),
]
