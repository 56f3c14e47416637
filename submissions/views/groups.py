"""Groups: one's own, and a group with its members and its unattached uploads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from files.models import File
from files.services import usage_of
from submissions import services
from submissions.errors import (
    GroupNameTakenError,
    GroupNotFoundError,
    LastMemberError,
    NotAMemberError,
    TooManyGroupsError,
    UserNotFoundError,
)
from submissions.group_forms import GroupForm, MemberForm
from submissions.models import Group, GroupMembership, Submission
from submissions.views.common import member

UPLOADS_A_PAGE = 25

Row = TypeVar("Row", GroupMembership, Submission, File)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def group_list(request: HttpRequest) -> HttpResponse:
    """One's groups with their counts, and a form to make another."""
    form = GroupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            group = services.make_group(user=member(request), name=form.cleaned_data["name"])
        except (GroupNameTakenError, TooManyGroupsError) as error:
            form.add_error("name", error.detail)
        else:
            messages.success(request, f"The group “{group.name}” is made. Add its members below.")
            return redirect("group", group.pk)
    groups = with_counts(Group.objects.visible_to(member(request))).order_by("name")
    return render(request, "submissions/group_list.html", {"groups": groups, "form": form})


def with_counts(groups: QuerySet[Group]) -> QuerySet[Group]:
    """Adds `member_count`, `submission_count` and `unattached_count`, each counted by itself, in the same query."""
    return groups.annotate(
        member_count=_count_of_group(GroupMembership.objects.all()),
        submission_count=_count_of_group(Submission.objects.all()),
        unattached_count=_count_of_group(File.objects.unattached()),
    )


def _count_of_group(rows: QuerySet[Row]) -> Coalesce:
    of_group = rows.filter(group=OuterRef("pk")).order_by().values("group").annotate(count=Count("pk"))
    return Coalesce(Subquery(of_group.values("count")), 0)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def group_detail(request: HttpRequest, group_id: int) -> HttpResponse:
    """A group, for its members: who they are, a form to add one, and uploads that no entry has."""
    group = group_of_member(request, group_id)
    form = MemberForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return _add(request, group, form.cleaned_data["username"])
        except UserNotFoundError as error:
            form.add_error("username", error.detail)
    uploads = File.objects.filter(group=group).unattached().select_related("requested_by", "claimed_category__organism")
    uploads = uploads.prefetch_related("check_results").order_by("-requested_at", "claimed_name", "pk")
    memberships = _memberships(group)
    context = {
        "group": group,
        "form": form,
        "usage": usage_of(group),
        "memberships": memberships,
        "can_leave": _can_leave(member(request), memberships),
        "page": Paginator(uploads, UPLOADS_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "submissions/group_detail.html", context)


def group_of_member(request: HttpRequest, group_id: int) -> Group:
    """The group, if one is a member of it; for everybody else there is none (404)."""
    return get_object_or_404(Group.objects.visible_to(member(request)), pk=group_id)


def _memberships(group: Group) -> list[GroupMembership]:
    return list(group.memberships.select_related("user").order_by("user__username"))


def _can_leave(user: User, memberships: Iterable[GroupMembership]) -> bool:
    """Whether another member has an open account, as `services.remove_member` asks."""
    return any(membership.user.is_active for membership in memberships if membership.user_id != user.pk)


def _add(request: HttpRequest, group: Group, username: str) -> HttpResponse:
    try:
        _, is_new = services.add_member(user=member(request), group_id=group.pk, username=username)
    except (GroupNotFoundError, NotAMemberError) as error:  # removed while the form was open
        raise Http404 from error
    text = f"{username} is a member now." if is_new else f"{username} is a member already."
    messages.success(request, text)
    return redirect("group", group.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def member_remove(request: HttpRequest, group_id: int, username: str) -> HttpResponse:
    """Ask whether to take somebody, or oneself, out of the group, and do so."""
    group = group_of_member(request, group_id)
    person = get_object_or_404(User, username=username, group_memberships__group=group)
    if request.method == "POST":
        try:
            return _remove(request, group, person)
        except LastMemberError as error:
            messages.error(request, error.detail)
            return redirect("group", group.pk)
    can_go = person != request.user or _can_leave(person, _memberships(group))
    return render(request, "submissions/member_remove.html", {"group": group, "person": person, "can_go": can_go})


def _remove(request: HttpRequest, group: Group, person: User) -> HttpResponse:
    try:
        services.remove_member(user=member(request), group_id=group.pk, username=person.username)
    except (GroupNotFoundError, NotAMemberError) as error:
        raise Http404 from error
    if person == request.user:
        messages.success(request, f"You have left the group “{group.name}”.")
        return redirect("groups")
    messages.success(request, f"{person.username} is no longer a member.")
    return redirect("group", group.pk)
