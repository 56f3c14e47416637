"""Addresses under `/api/organisms`, `/api/groups`, `/api/submissions` and `/api/<organism>`."""

from __future__ import annotations

from django.urls import path

from submissions.api import entries, groups, organisms, views

urlpatterns = [
    path("organisms", organisms.OrganismListView.as_view(), name="api-organisms"),
    path("groups", groups.GroupListView.as_view(), name="api-groups"),
    path("groups/<int:group_id>", groups.GroupView.as_view(), name="api-group"),
    path("groups/<int:group_id>/members/<text:username>", groups.MemberView.as_view(), name="api-group-member"),
    path("submissions", views.SubmissionListView.as_view(), name="api-submissions"),
    path("submissions/<int:submission_id>", views.SubmissionView.as_view(), name="api-submission"),
    path("submissions/<int:submission_id>/receipt", views.ReceiptView.as_view(), name="api-receipt"),
    path("<slug:organism>/submit", views.SubmitView.as_view(), name="api-submit"),
    path("<slug:organism>/check", views.CheckView.as_view(), name="api-check"),
    path("<slug:organism>/entries/<text:accession>/<int:version>", entries.EntryView.as_view(), name="api-entry"),
    path(
        "<slug:organism>/entries/<text:accession>/<int:version>/files",
        entries.EntryFilesView.as_view(),
        name="api-entry-files",
    ),
    path("<slug:organism>/release", entries.ReleaseView.as_view(), name="api-release"),
    path("<slug:organism>/revise", views.ReviseView.as_view(), name="api-revise"),
]
