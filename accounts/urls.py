"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.log_in, name="login"),
    path("logout", views.log_out, name="logout"),
    path("account", views.account, name="account"),
    path("account/password", views.password_change, name="password-change"),
    path("account/tokens", views.token_make, name="token-make"),
    path("account/tokens/<int:token_id>/revoke", views.token_revoke, name="token-revoke"),
]
