"""The operations of `/api/groups`, for the OpenAPI document."""

from __future__ import annotations

from typing import Final

from common.schema import (
    INTEGER,
    NO_CONTENT,
    NUMBER,
    TEXT,
    Body,
    Header,
    Operation,
    answer,
    body_of,
    in_path,
    in_query,
    list_of,
    named,
    page_of,
    shape,
)
from submissions.api.serializers import GroupSerializer, PageParameterSerializer

TAG: Final = "Groups"
GROUP: Final = named("Group", shape(id=NUMBER, name=TEXT, members=list_of(TEXT, description="Usernames, in order.")))
_EXAMPLE: Final = {"id": 1, "name": "Demo Lab", "members": ["alice"]}
_IN_PATH: Final = in_path("groupId", "The number of the group.", {"type": "integer", "minimum": 0}, variable="group_id")
_USERNAME: Final = in_path("username", "The username of the person, upper and lower case as it is.", TEXT)
_FOR_MEMBERS: Final = ("not_a_member", "group_not_found")

LIST_GROUPS: Final = Operation(
    operation_id="listGroups",
    tag=TAG,
    summary="Your groups",
    description="The groups that the caller is a member of, oldest first, 100 a page.",
    parameters=in_query(PageParameterSerializer, cursor="The `nextCursor` of the page before."),
    answers={200: answer("A page of groups.", page_of(GROUP, INTEGER), {"items": [_EXAMPLE], "nextCursor": None})},
)
MAKE_GROUP: Final = Operation(
    operation_id="makeGroup",
    tag=TAG,
    summary="Make a group",
    description="The caller is its only member.",
    body=Body(body_of(GroupSerializer, name="Its name, which no other group has."), {"a group": {"name": "Our Lab"}}),
    answers={
        201: answer(
            "The new group.",
            GROUP,
            {**_EXAMPLE, "id": 3, "name": "Our Lab"},
            {"Location": Header("The address of the group.", {"type": "string", "format": "uri-reference"})},
        )
    },
    problems=("group_name_taken", "too_many_groups"),
)
GET_GROUP: Final = Operation(
    operation_id="getGroup",
    tag=TAG,
    summary="A group",
    description="Its number, name and members; for its members.",
    parameters=[_IN_PATH],
    answers={200: answer("The group.", GROUP, _EXAMPLE)},
    problems=_FOR_MEMBERS,
)
ADD_MEMBER: Final = Operation(
    operation_id="addMember",
    tag=TAG,
    summary="Add a member",
    description="Also if the person is a member already; members decide.",
    parameters=[_IN_PATH, _USERNAME],
    answers={204: NO_CONTENT},
    problems=(*_FOR_MEMBERS, "user_not_found"),
)
REMOVE_MEMBER: Final = Operation(
    operation_id="removeMember",
    tag=TAG,
    summary="Remove a member",
    description="Members decide; one's own name leaves the group. The last member stays.",
    parameters=[_IN_PATH, _USERNAME],
    answers={204: NO_CONTENT},
    problems=(*_FOR_MEMBERS, "member_not_found", "last_member"),
)
