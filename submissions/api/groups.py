"""`/api/groups`: one's groups, making them, and who is a member."""

from __future__ import annotations

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from common.pagination import page_of
from common.parsing import parse_object, parse_parameters
from common.schema import described
from submissions import services
from submissions.access import group_for_member
from submissions.api.schema import groups as schema
from submissions.api.serializers import GroupSerializer, PageParameterSerializer, group_body
from submissions.errors import MemberNotFoundError, quoted
from submissions.models import Group

GROUPS_A_PAGE = 100


class GroupListView(APIView):
    """The caller's groups."""

    @described(schema.LIST_GROUPS)
    def get(self, request: Request) -> Response:
        """`[?cursor=…]` → the groups that the caller is a member of, oldest first, 100 a page."""
        cursor = parse_parameters(PageParameterSerializer, request.query_params)["cursor"]
        groups = Group.objects.visible_to(caller(request)).prefetch_related("members")
        page = page_of(groups, key="id", cursor=cursor, size=GROUPS_A_PAGE)
        return Response({"items": [group_body(group) for group in page.items], "nextCursor": page.next_cursor})

    @described(schema.MAKE_GROUP)
    def post(self, request: Request) -> Response:
        """`{"name"}` → 201 with the new group, of which the caller is the only member."""
        name = parse_object(GroupSerializer, request.data)["name"]
        group = services.make_group(user=caller(request), name=name)
        return Response(group_body(group), status=201, headers={"Location": reverse("api-group", args=[group.pk])})


class GroupView(APIView):
    """One group, for its members."""

    @described(schema.GET_GROUP)
    def get(self, request: Request, group_id: int) -> Response:
        """Its number, name and members."""
        return Response(group_body(group_for_member(user=caller(request), group_id=group_id)))


class MemberView(APIView):
    """Somebody in a group; members of the group decide who that is."""

    @described(schema.ADD_MEMBER)
    def put(self, request: Request, group_id: int, username: str) -> Response:
        """204 once they are a member, also if they were before."""
        services.add_member(user=caller(request), group_id=group_id, username=username)
        return Response(status=204)

    @described(schema.REMOVE_MEMBER)
    def delete(self, request: Request, group_id: int, username: str) -> Response:
        """204 once they are no member; one's own name leaves the group."""
        if not services.remove_member(user=caller(request), group_id=group_id, username=username):
            raise MemberNotFoundError(f"Group {group_id} has no member {quoted(username)}.")
        return Response(status=204)
