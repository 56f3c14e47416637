"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.log_in, name="login"),
    path("logout", views.log_out, name="logout"),
]
