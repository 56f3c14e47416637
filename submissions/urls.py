"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from submissions import views

urlpatterns = [
    path("", views.home, name="home"),
    path("organisms/<slug:slug>/submit", views.organism_submit, name="organism-submit"),
    path("submissions", views.submission_list, name="submissions"),
    path("submissions/<int:submission_id>", views.submission_detail, name="submission"),
    path("submissions/<int:submission_id>/live", views.submission_live, name="submission-live"),
    path("entries/<text:accession>.<int:version>", views.entry_detail, name="entry"),
]
