"""What Django answers where no view of ours has: a problem under /api, a page elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import csrf, defaults

from common.problems import problem_response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400: a host or a form that Django refuses."""
    if _is_api(request):
        return problem_response(request, 400, "The request cannot be read; look at its headers and its address.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403: not for this account."""
    if _is_api(request):
        return problem_response(request, 403, "The request is refused.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404: no such address, or nothing there for this account."""
    if _is_api(request):
        return problem_response(request, 404, "Look at the address: there is nothing here.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500: a mistake of ours, which Django has logged."""
    if _is_api(request):
        return problem_response(request, 500, "We have noted it. Try again in a while.")
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form without its token, or with an old one."""
    if _is_api(request):
        return problem_response(request, 403, reason)
    return csrf.csrf_failure(request, reason)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")
