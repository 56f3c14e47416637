"""`/api/organisms` and `/api/groups`: what can be submitted to, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from files.models import ContentCheck
from submissions.api import groups
from tests.factories import FileCategoryFactory, MetadataFieldFactory, OrganismFactory, UserFactory, group_of
from tests.fixtures import Api, Demo


def members(group_id: int, api: Api) -> Any:
    """The usernames that the group's address tells."""
    return api.get(f"groups/{group_id}").json()["members"]


@pytest.mark.embedded
@pytest.mark.django_db
def test_organisms_are_told_to_anyone_with_their_categories_and_fields_in_order() -> None:
    organism = OrganismFactory.create(slug="zika", name="Zika", sequences="OPTIONAL", file_sharing=False)
    OrganismFactory.create(name="Another")
    FileCategoryFactory.create(organism=organism, name="photos", order=2, required=True)
    FileCategoryFactory.create(
        organism=organism,
        name="rawReads",
        shown_name="Raw reads",
        help_text="As they came.",
        order=1,
        content_check=ContentCheck.FASTQ,
        pairing=True,
        min_files=2,
        max_files=2,
        max_file_size=10**12,
        extensions=[".fastq.gz"],
    )
    MetadataFieldFactory.create(organism=organism, name="host", kind="CHOICE", choices=["human", "bat"], order=2)
    MetadataFieldFactory.create(organism=organism, name="date", kind="DATE", required=True, help_text="Of the sample.")

    answer = Api(None).get("organisms").json()

    assert answer["nextCursor"] is None
    another, zika = answer["items"]
    assert (another["name"], another["fileCategories"], another["metadataFields"]) == ("Another", [], [])
    assert zika == {
        "slug": "zika",
        "name": "Zika",
        "sequences": "OPTIONAL",
        "fileSharing": False,
        "fileCategories": [
            {
                "name": "rawReads",
                "shownName": "Raw reads",
                "helpText": "As they came.",
                "required": False,
                "minFiles": 2,
                "maxFiles": 2,
                "maxFileSize": 10**12,
                "extensions": [".fastq.gz"],
                "contentCheck": "fastq",
                "pairing": True,
            },
            {
                "name": "photos",
                "shownName": "Photos",
                "helpText": "",
                "required": True,
                "minFiles": 1,
                "maxFiles": None,
                "maxFileSize": None,
                "extensions": [],
                "contentCheck": "none",
                "pairing": False,
            },
        ],
        "metadataFields": [
            {
                "name": "date",
                "shownName": "Date",
                "kind": "DATE",
                "choices": [],
                "required": True,
                "helpText": "Of the sample.",
            },
            {
                "name": "host",
                "shownName": "Host",
                "kind": "CHOICE",
                "choices": ["human", "bat"],
                "required": False,
                "helpText": "",
            },
        ],
    }


def test_the_lists_take_as_many_queries_for_many_rows_as_for_few(
    demo: Demo, api: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        FileCategoryFactory.create(organism=MetadataFieldFactory.create().organism)
        group_of(demo.alice, UserFactory.create())
    with django_assert_num_queries(3):
        assert len(Api(None).get("organisms").json()["items"]) == 7
    with django_assert_num_queries(3):  # one of them for the account
        assert len(api.get("groups").json()["items"]) == 6


@pytest.mark.embedded
def test_one_sees_ones_own_groups_with_all_members_page_by_page(
    demo: Demo, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = group_of(demo.alice, UserFactory.create(username="zoe"), UserFactory.create(username="Carol"))
    monkeypatch.setattr(groups, "GROUPS_A_PAGE", 1)

    first_page = api.get("groups").json()
    second_page = api.get("groups", cursor=first_page["nextCursor"]).json()

    assert first_page["items"] == [{"id": demo.group.pk, "name": "Demo Lab", "members": ["alice"]}]
    body = {"id": second.pk, "name": second.name, "members": ["Carol", "alice", "zoe"]}
    assert second_page == {"items": [body], "nextCursor": None}
    assert api.get(f"groups/{second.pk}").json() == body


def test_making_a_group_answers_where_it_is(demo: Demo, api: Api) -> None:
    answer = api.post("groups", {"name": " Virology,\n Somewhere "})

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/groups/{made['id']}"
    assert api.client.get(answer.headers["Location"]).json() == made
    assert (made["name"], made["members"]) == ("Virology, Somewhere", ["alice"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "parameter_missing"),
        ([], 400, "parameter_invalid"),
        ({"name": " "}, 400, "parameter_invalid"),
        ({"name": None}, 400, "parameter_invalid"),
        ({"name": "x" * 201}, 400, "parameter_invalid"),
        ({"name": "Lab\0"}, 400, "parameter_invalid"),
        ({"name": "Lab \u202e"}, 400, "parameter_invalid"),
        ({"name": "\ud800"}, 400, "parameter_invalid"),
        ({"name": "Other Lab"}, 409, "group_name_taken"),
    ],
)
def test_a_group_that_cannot_be_made_says_why(api: Api, body: object, status: int, code: str) -> None:
    answer = api.post("groups", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_person_makes_groups_up_to_a_number(api: Api, settings: Settings) -> None:
    settings.GROUPS_PER_USER_MAX = 0
    answer = api.post("groups", {"name": "One more"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_groups")


@pytest.mark.parametrize(
    ("username", "path"),
    [("bob", "bob"), ("ada@example.org", "ada@example.org"), ("ada@example.org", "ada%40example.org")]
    + [("a.b+c-d_e", path) for path in ("a.b+c-d_e", "a.b%2Bc-d_e")]
    + [("jose\N{LATIN SMALL LETTER E WITH ACUTE}", "jose%C3%A9")],
)
def test_members_come_and_go_by_their_username_as_an_address_writes_it(
    demo: Demo, api: Api, username: str, path: str
) -> None:
    if username != "bob":
        UserFactory.create(username=username)
    address = f"/api/groups/{demo.group.pk}/members/{path}"

    assert [api.client.put(address).status_code for _ in range(2)] == [204, 204]
    assert members(demo.group.pk, api) == sorted(["alice", username])

    assert api.client.delete(address).status_code == 204
    again = api.client.delete(address)
    assert (again.status_code, again.json()["code"]) == (404, "member_not_found")
    assert members(demo.group.pk, api) == ["alice"]


def test_nobody_unknown_is_added_and_the_last_member_cannot_leave(demo: Demo, api: Api) -> None:
    address = f"/api/groups/{demo.group.pk}/members"
    for username in ("nobody", "Bob", "x" * 1000):
        answer = api.client.put(f"{address}/{username}")
        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
    last = api.client.delete(f"{address}/alice")
    assert (last.status_code, last.json()["code"]) == (409, "last_member")


def test_who_has_left_is_an_outsider_from_the_next_call_on(demo: Demo, api: Api) -> None:
    address = f"/api/groups/{demo.group.pk}/members"
    api.client.put(f"{address}/bob")
    assert api.client.delete(f"{address}/alice").status_code == 204
    for answer in (api.client.delete(f"{address}/alice"), api.get(f"groups/{demo.group.pk}")):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")
    assert api.get("groups").json()["items"] == []


def test_a_group_that_does_not_exist_is_404(api: Api) -> None:
    paths = [f"groups/{10**digits}" for digits in (6, 30)]
    for answer in (*map(api.get, paths), *(api.client.put(f"/api/{path}/members/bob") for path in paths)):
        assert (answer.status_code, answer.json()["code"]) == (404, "group_not_found")
