"""Submitting one entry through a form."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from common.errors import DomainError, ValidationFailedError
from common.problems import STATUS_OF_CODE
from submissions import services
from submissions.forms import EntryForm
from submissions.models import Group, Organism
from submissions.views.common import member, sent_before


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organism_submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit one entry; lands on the submission's page."""
    organism = get_object_or_404(Organism, slug=slug)
    user = member(request)
    initial = {"groupId": request.GET.get("groupId")}
    is_sent = request.method == "POST"
    form = EntryForm(request.POST if is_sent else None, organism=organism, user=user, initial=initial)
    status = 200
    if form.is_valid():
        try:
            return redirect("submission", _submit(user, form).number)
        except ValidationFailedError as error:
            form.add_problems(error.errors, error.count)
        except DomainError as error:
            status = STATUS_OF_CODE[error.code]
            form.add_problems([error], 1)
    has_groups = Group.objects.visible_to(user).exists()
    context = {
        "organism": organism,
        "form": form,
        "has_groups": has_groups,
        # What was just sent waits in the boxes of the form that comes back.
        "sent_before": sent_before(user, organism) if form.file_fields and not is_sent else [],
    }
    return render(request, "submissions/organism_submit.html", context, status=status)


def _submit(user: User, form: EntryForm) -> services.Answer:
    group: Group = form.cleaned_data["groupId"]
    return services.submit(user=user, organism_slug=form.organism.slug, group_id=group.pk, sent=form.sent())
