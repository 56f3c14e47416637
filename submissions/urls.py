"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from submissions import views

urlpatterns = [
    path("", views.home, name="home"),
    path("organisms/<slug:slug>/submit", views.organism_submit, name="organism-submit"),
    path("organisms/<slug:slug>/submit/bulk", views.organism_submit_bulk, name="organism-submit-bulk"),
    path("organisms/<slug:slug>/submit/bulk/check", views.organism_check_documents, name="organism-check-documents"),
    path("organisms/<slug:slug>/template.tsv", views.organism_table_template, name="organism-table-template"),
    path("submissions", views.submission_list, name="submissions"),
    path("submissions/<int:submission_id>", views.submission_detail, name="submission"),
    path("submissions/<int:submission_id>/live", views.submission_live, name="submission-live"),
    path("submissions/<int:submission_id>/receipt", views.submission_receipt, name="submission-receipt"),
    path("submissions/<int:submission_id>/release", views.submission_release, name="submission-release"),
    path("entries/<text:accession>.<int:version>", views.entry_detail, name="entry"),
    path("entries/<text:accession>.<int:version>/live", views.entry_live, name="entry-live"),
    path("entries/<text:accession>.<int:version>/files", views.entry_files, name="entry-files"),
    path("entries/<text:accession>.<int:version>/release", views.entry_release, name="entry-release"),
    path("entries/<text:accession>.<int:version>/withdraw", views.entry_withdraw, name="entry-withdraw"),
    path("groups", views.group_list, name="groups"),
    path("groups/<int:group_id>", views.group_detail, name="group"),
    path("groups/<int:group_id>/members/<text:username>/remove", views.member_remove, name="member-remove"),
    path("groups/<int:group_id>/uploads/discard", views.uploads_discard, name="uploads-discard"),
]
