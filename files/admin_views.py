"""Addresses of the admin beside Django's own."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Final

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from common.problems import problem_response
from common.words import size_words
from files.admin_forms import TriedRulesForm
from files.trying import TriedFile, findings

CHUNK: Final = 256 << 10
"""Bytes; what is held of a tried file at a time."""

PATIENCE: Final = 60.0
"""Seconds; longer than this a try may not keep a thread of the web server, for whatever it unpacks to."""

FORM_BYTES: Final = 1 << 20
"""What the rules and names of a try may add to its files."""


@csrf_exempt  # until `_try`: looking for the token reads the body, which is not done for just anyone, nor at any length
@require_POST
def try_a_file(request: HttpRequest) -> HttpResponse:
    """What the rules of a category as they are typed, saved or not, would make of the files that are sent with them.

    A form with the row's fields as `rules-<field>`, the `files`, and their `names`, one each: a form's own file names
    come cleaned. Answers `{"ruleProblems": [{"label", "detail"}], "findings"}`: why there can be no such rules, or
    else what they make of the files (`files.trying.Finding`); a refusal is what was asked for, and no failure.
    Nothing is stored; large files wait in a temporary file while they are read.
    """
    if not admin.site.has_permission(request) or not request.user.has_perm("files.change_filecategory"):
        text = "You are not logged in as somebody who may change file categories. Log in and open this page anew."
        return problem_response(request, 403, text)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.TRY_A_FILE_MAX_BYTES + FORM_BYTES:
        most = size_words(settings.TRY_A_FILE_MAX_BYTES)
        text = f"Files of {most} together can be tried here at most. Try a smaller one."
        return problem_response(request, 413, text)
    return _try(request)


@csrf_protect
def _try(request: HttpRequest) -> HttpResponse:
    files, names = request.FILES.getlist("files"), request.POST.getlist("names")
    if not files or len(files) != len(names):
        return problem_response(request, 400, "Send one file or more, and as many names.")
    form = TriedRulesForm(request.POST, prefix="rules")
    if not form.is_valid():
        return JsonResponse({"ruleProblems": _problems(form), "findings": []})
    end = time.monotonic() + PATIENCE
    tried = [TriedFile(name, file.size or 0, file.chunks(CHUNK)) for file, name in zip(files, names, strict=True)]
    found = findings(form.rules(), tried, time_is_up=lambda: time.monotonic() > end)
    return JsonResponse({"ruleProblems": [], "findings": [asdict(finding) for finding in found]})


def _problems(form: TriedRulesForm) -> list[dict[str, str]]:
    """Why there can be no such rules: each sentence with the label of the field that it is about."""
    return [
        {"label": str(form[name].label) if name in form.fields else "", "detail": str(message)}
        for name, messages in form.errors.items()
        for message in messages
    ]
