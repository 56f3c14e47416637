"""Addresses under `/api/submissions` and `/api/<organism>`."""

from __future__ import annotations

from django.urls import path

from submissions.api import views

urlpatterns = [
    path("submissions", views.SubmissionListView.as_view(), name="api-submissions"),
    path("submissions/<int:submission_id>", views.SubmissionView.as_view(), name="api-submission"),
    path("submissions/<int:submission_id>/receipt", views.ReceiptView.as_view(), name="api-receipt"),
    path("<slug:organism>/submit", views.SubmitView.as_view(), name="api-submit"),
]
