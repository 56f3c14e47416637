"""Logging in and out."""

from __future__ import annotations

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.errors import LogInUnavailableError, TooManyAttemptsError, WrongCredentialsError
from accounts.forms import LogInForm
from common.addresses import address_of


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in and go on to where one wanted to go, on this site only."""
    target = _next(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return _page(request, LogInForm(), target)
    form = LogInForm(request.POST)
    if not form.is_valid():
        return _page(request, form, target)
    try:
        user = services.log_in(**form.cleaned_data, address=address_of(request))
    except WrongCredentialsError as error:
        form.add_error(None, error.detail)
        return _page(request, form, target)
    except (TooManyAttemptsError, LogInUnavailableError) as error:
        form.add_error(None, error.detail)
        response = _page(request, form, target, status=429 if isinstance(error, TooManyAttemptsError) else 503)
        response["Retry-After"] = str(error.retry_after)
        return response
    auth.login(request, user)
    return HttpResponseRedirect(target)


def _next(request: HttpRequest) -> str:
    """Where to go afterwards; an address of another site is not followed."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)


def _page(request: HttpRequest, form: LogInForm, target: str, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/log_in.html", {"form": form, "next": target}, status=status)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)
