"""Personal API tokens: making one, which is shown once, and revoking one."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.errors import TokenNameTakenError, TooManyTokensError
from accounts.forms import TokenForm
from accounts.models import User
from accounts.views.account import account_page


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache  # among other things “no-store”: the token must not be found in what the browser keeps
def token_make(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, in this answer and never again; a reload of it makes no second one."""
    if request.method != "POST":
        return redirect("account")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return account_page(request, form)
    try:
        token, text = services.make_token(user=cast("User", request.user), **form.cleaned_data)
    except TokenNameTakenError as error:
        form.add_error("name", error.detail)
        return account_page(request, form)
    except TooManyTokensError as error:
        form.add_error(None, error.detail)
        return account_page(request, form)
    return render(request, "accounts/token_made.html", {"token": token, "text": text})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Ask whether to revoke a token of one's own, and revoke it."""
    token = get_object_or_404(cast("User", request.user).api_tokens, pk=token_id)
    if request.method != "POST":
        return render(request, "accounts/token_revoke.html", {"token": token})
    if services.revoke_token(token):
        messages.success(request, f"The token “{token.name}” is revoked. Nothing that has it can use it any more.")
    return redirect("account")
