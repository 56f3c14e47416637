"""Submitting many entries: the page, the check of table and sequences before files are sent, the table's template."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from common.errors import (
    DomainError,
    ErrorList,
    Location,
    ParameterMissingError,
    ValidationFailedError,
)
from common.problems import CONTENT_TYPE, STATUS_OF_CODE, body_of, error_item, headers_of
from submissions import services
from submissions.bulk_forms import BulkForm
from submissions.models import Group, Organism
from submissions.sequences import FIELD as SEQUENCE_FIELD
from submissions.tables import FIELD as TABLE_FIELD
from submissions.tables import template_table
from submissions.views.common import member, sent_before

HTML_TYPE, JSON_TYPE = "text/html", "application/json"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organism_submit_bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit many entries; lands on the submission's page.

    The page's own script asks for JSON: it gets the address to go to, or the problem, and stays where it is, so that
    nobody chooses hundreds of files anew.
    """
    organism = get_object_or_404(Organism, slug=slug)
    user = member(request)
    if request.method != "POST":
        form = BulkForm(organism=organism, user=user, initial={"groupId": request.GET.get("groupId")})
        return _page(request, form)
    form = BulkForm(request.POST, request.FILES, organism=organism, user=user)
    as_json = request.get_preferred_type([HTML_TYPE, JSON_TYPE]) == JSON_TYPE
    try:
        answer = _submit(user, form)
    except (ValidationFailedError, DomainError) as error:
        return _problem(request, error) if as_json else _page_with(request, form, error)
    address = reverse("submission", args=[answer.number])
    return JsonResponse({"url": address}) if as_json else redirect(address)


def _submit(user: User, form: BulkForm) -> services.Answer:
    if not form.is_valid():
        errors = ErrorList()
        errors.extend(form.domain_errors())
        errors.raise_if_any()
    group: Group = form.cleaned_data["groupId"]
    return services.submit(user=user, organism_slug=form.organism.slug, group_id=group.pk, sent=form.sent())


def _problem(request: HttpRequest, error: Exception) -> HttpResponse:
    body = body_of(error, request.path)
    assert body is not None, "errors of ours have a problem"  # noqa: S101
    status = body["status"]
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers_of(error, status))


def _page_with(request: HttpRequest, form: BulkForm, error: ValidationFailedError | DomainError) -> HttpResponse:
    """The form once more; what its fields found themselves they show already."""
    if form.is_valid():
        found = error.errors if isinstance(error, ValidationFailedError) else [error]
        form.add_problems(found, error.count if isinstance(error, ValidationFailedError) else 1)
    return _page(request, form, status=200 if isinstance(error, ValidationFailedError) else STATUS_OF_CODE[error.code])


def _page(request: HttpRequest, form: BulkForm, status: int = 200) -> HttpResponse:
    user = member(request)
    context = {
        "organism": form.organism,
        "form": form,
        "has_groups": Group.objects.visible_to(user).exists(),
        # What was just sent waits in the boxes of the form that comes back.
        "sent_before": sent_before(user, form.organism) if form.file_fields and not form.is_bound else [],
    }
    return render(request, "submissions/organism_submit_bulk.html", context, status=status)


@login_required
@require_POST
def organism_check_documents(request: HttpRequest, slug: str) -> HttpResponse:
    """Table and sequences, judged as submitting them would; stores nothing.

    → `{"rows": [{"submissionId", "line", "files": {category: text}}], "problems": […], "problemCount"}`, the problems
    as in the `errors` of a problem.
    """
    metadata_file = request.FILES.get(TABLE_FIELD)
    if metadata_file is None:
        return _problem(request, ParameterMissingError("Send the metadata table.", Location(field=TABLE_FIELD)))
    try:
        check = services.check_documents(
            organism_slug=slug,
            metadata_file=metadata_file,  # type: ignore[arg-type]  # an uploaded file reads and seeks like any other
            sequence_file=request.FILES.get(SEQUENCE_FIELD),  # type: ignore[arg-type]  # as above
        )
    except DomainError as error:
        return _problem(request, error)
    return JsonResponse(_check_body(check))


def _check_body(check: services.DocumentCheck) -> dict[str, Any]:
    return {
        "rows": [
            {"submissionId": row.submission_id, "line": row.line, "files": row.file_columns} for row in check.rows
        ],
        "problems": [error_item(error) for error in check.problems],
        "problemCount": check.problem_count,
    }


@require_safe
def organism_table_template(_request: HttpRequest, slug: str) -> HttpResponse:
    """The header of a metadata table with the organism's fields, to be filled in."""
    organism = get_object_or_404(Organism, slug=slug)
    names = organism.metadata_fields.order_by("order", "name").values_list("name", flat=True)
    headers = {"Content-Disposition": f'attachment; filename="{organism.slug}-template.tsv"'}
    return HttpResponse(
        template_table(list(names)), content_type="text/tab-separated-values; charset=utf-8", headers=headers
    )
