"""A person's own account."""

from __future__ import annotations

from typing import cast

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import ChangePasswordForm, TokenForm
from accounts.models import User
from submissions.models import Group

ENDED_TOKENS_SHOWN = 10


def account_page(request: HttpRequest, form: TokenForm) -> HttpResponse:
    """The account, with the form for a new token as it stands."""
    user = cast("User", request.user)
    usable = user.api_tokens.usable()
    ended = user.api_tokens.exclude(pk__in=usable.values("pk"))
    context = {
        "form": form,
        "groups": Group.objects.visible_to(user).order_by("name"),
        "tokens": usable.order_by("-created_at", "-pk"),
        "ended_tokens": ended.order_by("-created_at", "-pk")[:ENDED_TOKENS_SHOWN],
    }
    return render(request, "accounts/account.html", context)


@login_required
@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Who one is, one's groups, password and tokens."""
    return account_page(request, TokenForm())


@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def password_change(request: HttpRequest) -> HttpResponse:
    """Change the password; ends the person's other sessions, and leaves tokens as they are."""
    user = cast("User", request.user)
    if not user.has_usable_password():
        raise Http404
    form = ChangePasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        auth.update_session_auth_hash(request, user)
        messages.success(request, "Your password is changed. Wherever else you were logged in, you no longer are.")
        return redirect("account")
    return render(request, "accounts/password_change.html", {"form": form})
