"""Tokens of an OIDC issuer: which are taken, whose account they make, and what happens when the issuer is down."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db import connection, transaction
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.errors import IssuerUnavailableError
from accounts.models import OidcSubject, User
from accounts.services import issue_token, user_of_token
from accounts.services.issuer_keys import IssuerKeys
from embedded.programs import wait_until
from tests.admin_pages import words
from tests.factories import UserFactory
from tests.fixtures import Api, Demo
from tests.issuer import AUDIENCE, DISCOVERY, JWKS, OTHER_HASH, Issuer, key_of, running_issuer, signer
from tests.locks import waiting_for_a_lock

HOUR = 3600


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    """The issuer that the settings name."""
    with running_issuer() as running:
        settings.OIDC_ISSUER, settings.OIDC_AUDIENCE = running.url, AUDIENCE
        yield running


def call(token: str) -> Any:
    """A call that needs an account and nothing else."""
    return Api(None).client.get("/api/groups", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.embedded
def test_the_first_call_makes_an_account_that_later_ones_find(
    demo: Demo, issuer: Issuer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert call(issuer.token(preferred_username="ada", email="alice@example.org")).json()["items"] == []

    [subject] = OidcSubject.objects.all()
    user = subject.user
    assert (subject.issuer, subject.subject, user.username) == (issuer.url, "ada", "ada")
    assert (user.has_usable_password(), user.is_staff, user.is_superuser) == (False, False, False)
    with django_assert_num_queries(1):
        assert user_of_token(issuer.token(preferred_username="another", aud=["others", AUDIENCE])) == user
    assert (issuer.asked[DISCOVERY], issuer.asked[JWKS]) == (1, 1)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("preferred", "like"),
    [
        ("alice", "alice-"),  # taken: never joined
        ("ALICE", "ALICE-"),
        ("Ada Lovelace", "Ada-Lovelace-"),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}lice", "alice-"),
        ("x" * 151, "x" * 141 + "-"),
        ("\0\ud800\n", "user-"),
        ("", "user-"),
        (7, "user-"),
        (None, "user-"),
    ],
)
def test_a_name_that_is_taken_or_no_username_gets_a_suffix(
    demo: Demo, issuer: Issuer, preferred: object, like: str
) -> None:
    user = user_of_token(issuer.token(preferred_username=preferred, email=demo.alice.email))

    assert user.username.startswith(like)
    assert len(user.username) == len(like) + 8
    assert user != demo.alice


def _with_public_key_as_secret(issuer: Issuer) -> str:
    secret = issuer.public_pem()
    return issuer.token(header={"alg": "HS256"}, sign=lambda text: hmac.digest(secret, text, hashlib.sha256))


def _with_key_in_its_header(issuer: Issuer) -> str:
    jwk = RSAAlgorithm.to_jwk(key_of(0).public_key(), as_dict=True)
    return issuer.token(header={"jwk": jwk, "jku": "http://127.0.0.1:1/keys"}, sign=signer(key_of(0)))


def _with_another_hash(issuer: Issuer) -> str:
    key = key_of(issuer.number)
    return issuer.token(
        header={"alg": "RS512", "kid": OTHER_HASH}, sign=lambda text: key.sign(text, PKCS1v15(), SHA512())
    )


def _with_our_own_key(issuer: Issuer) -> str:
    key = load_pem_private_key(django_settings.JWT_PRIVATE_KEY.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return issuer.token(sub=str(UserFactory.create().pk), sign=signer(key))


def _nested(header: bytes, claims: bytes) -> str:
    """A token whose JSON goes deeper than Python's own parser can follow."""
    return b".".join(map(base64url_encode, (header, claims, b"signature"))).decode()


ATTACKS: dict[str, Callable[[Issuer], str]] = {
    "alg none": lambda issuer: issuer.token(header={"alg": "none"}, sign=lambda _: b""),
    "the public key as secret of HS256": _with_public_key_as_secret,
    "signed by a key in its own header": _with_key_in_its_header,
    "RS512": _with_another_hash,
    "signed by our own key": _with_our_own_key,
    "another signature": lambda issuer: issuer.token(sign=lambda _: bytes(256)),
    "another audience": lambda issuer: issuer.token(aud="others"),
    "no audience": lambda issuer: issuer.token(aud=None),
    "an issuer with a slash more": lambda issuer: issuer.token(iss=issuer.url + "/"),
    "several issuers": lambda issuer: issuer.token(iss=[issuer.url]),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 60),
    "never expires": lambda issuer: issuer.token(exp=None),
    "not valid yet": lambda issuer: issuer.token(nbf=int(time.time()) + 60),
    "no key ID": lambda issuer: issuer.token(header={"kid": None}),
    "a key ID that is no text": lambda issuer: issuer.token(header={"kid": [issuer.kid]}),
    "an unknown key ID": lambda issuer: issuer.token(header={"kid": "another"}),
    "no subject": lambda issuer: issuer.token(sub=None),
    "an empty subject": lambda issuer: issuer.token(sub=""),
    "a subject that is a number": lambda issuer: issuer.token(sub=7),
    "a subject too long": lambda issuer: issuer.token(sub="x" * 256),
    "a subject with NUL": lambda issuer: issuer.token(sub="ada\0"),
    "claims nested too deeply": lambda _: _nested(b'{"alg":"RS256"}', b"[" * 3000),
    "a header nested too deeply": lambda _: _nested(b"[" * 3000, b"{}"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_token_that_is_not_as_it_should_be_is_401_and_makes_no_account(
    db: None, issuer: Issuer, attack: Callable[[Issuer], str]
) -> None:
    assert call(issuer.token(sub="grace")).status_code == 200  # the issuer's keys are known, and good tokens taken

    answer = call(attack(issuer))

    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert list(OidcSubject.objects.values_list("subject", flat=True)) == ["grace"]


def test_clocks_may_differ_a_little_and_subjects_be_long(db: None, issuer: Issuer) -> None:
    now = int(time.time())
    assert call(issuer.token(exp=now - 5, nbf=now + 5, iat=now + 5, sub="x" * 255)).status_code == 200


def test_without_an_audience_or_an_issuer_its_tokens_are_none_of_ours(
    db: None, issuer: Issuer, settings: Settings
) -> None:
    settings.OIDC_AUDIENCE = ""
    assert call(issuer.token()).json()["code"] == "token_invalid"
    assert not issuer.asked


def test_our_own_tokens_work_beside_those_of_the_issuer_and_ask_it_nothing(demo: Demo, issuer: Issuer) -> None:
    assert call(issue_token(demo.alice).access).status_code == 200
    assert not issuer.asked


@pytest.mark.embedded
@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": True}, {"is_superuser": True}])
def test_closed_accounts_and_those_made_an_admin_behind_the_forms_back_are_refused(
    db: None, issuer: Issuer, change: dict[str, bool]
) -> None:
    user = user_of_token(issuer.token())
    User.objects.filter(pk=user.pk).update(**change)
    assert call(issuer.token()).json()["code"] == "token_invalid"


@pytest.mark.django_db(transaction=True)
def test_first_calls_at_once_make_one_account_for_a_subject_and_two_for_two(issuer: Issuer) -> None:
    """PostgreSQL only: SQLite has one writer at a time."""
    subjects = ["ada", "ada", "grace", "grace"]
    at_once = Barrier(len(subjects))
    tokens = [issuer.token(sub=subject, preferred_username="countess") for subject in subjects]
    user_of_token(issuer.token(sub="another"))  # fetches the keys

    def first_call(token: str) -> int:
        at_once.wait(10)
        try:
            return user_of_token(token).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(len(subjects)) as pool:
        users = list(pool.map(first_call, tokens))
    assert users[0] == users[1]
    assert users[2] == users[3]
    assert len({*users}) == 2
    assert User.objects.count() == OidcSubject.objects.count() == 3
    assert User.objects.filter(username="countess").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_name_that_is_taken_while_the_account_is_made_gets_a_suffix(issuer: Issuer) -> None:
    """PostgreSQL only: SQLite has one writer at a time."""
    user_of_token(issuer.token(sub="another"))  # fetches the keys

    def first_call() -> str:
        try:
            return user_of_token(issuer.token(preferred_username="countess")).username
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            UserFactory.create(username="countess")
            racing = pool.submit(first_call)
            assert wait_until(waiting_for_a_lock, 10)
        assert racing.result(timeout=10).startswith("countess-")


def test_an_issuer_that_is_down_is_503_and_no_matter_once_its_keys_are_known(db: None, issuer: Issuer) -> None:
    token = issuer.token()
    issuer.broken = True

    answer = call(token)

    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert issuer.url not in answer.json()["detail"]
    for _ in range(3):
        assert call(issuer.token(header={"kid": "junk"})).status_code == 503
    assert issuer.asked.total() == 1


@pytest.mark.parametrize(
    "document", [{"issuer": "https://another.example.org"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": None}]
)
def test_a_discovery_document_that_is_not_the_issuers_or_leads_elsewhere_gives_no_keys(
    issuer: Issuer, document: dict[str, object]
) -> None:
    issuer.document = document
    with pytest.raises(IssuerUnavailableError):
        IssuerKeys(issuer.url).find(issuer.kid)
    assert issuer.asked[JWKS] == 0


@pytest.mark.parametrize("says", [b"[" * 100_000, b"\xff", b"[]", b""], ids=["nested", "no text", "a list", "nothing"])
def test_an_issuer_whose_answer_cannot_be_read_gives_no_keys_and_is_asked_once_in_a_while(
    issuer: Issuer, says: bytes
) -> None:
    issuer.says = says
    keys = IssuerKeys(issuer.url, issuer.url + JWKS)
    for _ in range(2):
        with pytest.raises(IssuerUnavailableError):
            keys.find(issuer.kid)
    assert issuer.asked == {JWKS: 1}


def test_a_set_address_of_the_keys_is_taken_without_asking_for_it(issuer: Issuer) -> None:
    assert IssuerKeys(issuer.url, issuer.url + JWKS).find(issuer.kid) is not None
    assert issuer.asked == {JWKS: 1}


def test_junk_key_ids_ask_the_issuer_once_in_a_while_and_a_rotated_key_is_found_then(issuer: Issuer) -> None:
    patient, eager = IssuerKeys(issuer.url, pause=HOUR), IssuerKeys(issuer.url, pause=0)
    assert [keys.find(issuer.kid) is not None for keys in (patient, eager)] == [True, True]
    asked = issuer.asked[JWKS]
    old_kid = issuer.kid
    issuer.rotate()

    assert [patient.find(kid) for kid in (issuer.kid, "junk", "more junk")] == [None, None, None]
    assert issuer.asked[JWKS] == asked

    assert eager.find(issuer.kid) is not None
    assert eager.find(old_kid) is None


def test_keys_are_fetched_anew_when_old_and_kept_for_a_time_while_the_issuer_is_down(issuer: Issuer) -> None:
    kept, outlived = (IssuerKeys(issuer.url, pause=0, fresh=0, kept=age) for age in (HOUR, 0))
    for keys in (kept, outlived):
        assert keys.find(issuer.kid) is not None
    asked = issuer.asked[JWKS]
    assert kept.find(issuer.kid) is not None
    assert issuer.asked[JWKS] == asked + 1

    issuer.broken = True

    assert kept.find(issuer.kid) is not None
    with pytest.raises(IssuerUnavailableError):
        kept.find("unknown")
    with pytest.raises(IssuerUnavailableError):
        outlived.find(issuer.kid)


def test_many_who_come_at_once_ask_the_issuer_once(issuer: Issuer) -> None:
    keys = IssuerKeys(issuer.url)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(keys.find, [issuer.kid] * 8))
    assert None not in found
    assert (issuer.asked[DISCOVERY], issuer.asked[JWKS]) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, []),
        ({"OIDC_ISSUER": "https://login.example.org", "OIDC_AUDIENCE": "satchel"}, []),
        ({"OIDC_ISSUER": "http://localhost:8080/realms/lab", "OIDC_AUDIENCE": "satchel"}, []),
        ({"OIDC_ISSUER": "https://login.example.org"}, ["accounts.E001"]),
        ({"OIDC_AUDIENCE": "satchel"}, ["accounts.E001"]),
        (
            {"OIDC_ISSUER": "https://us.example.org", "JWT_ISSUER": "https://us.example.org", "OIDC_AUDIENCE": "s"},
            ["accounts.E002"],
        ),
        ({"OIDC_ISSUER": "http://login.example.org", "OIDC_AUDIENCE": "satchel"}, ["accounts.E003"]),
        ({"OIDC_ISSUER": "login.example.org", "OIDC_AUDIENCE": "satchel"}, ["accounts.E003"]),
        ({"OIDC_ISSUER": "https:///realms/lab", "OIDC_AUDIENCE": "satchel"}, ["accounts.E003"]),
        ({"OIDC_JWKS_URL": "http://login.example.org/keys"}, ["accounts.E003"]),
    ],
)
def test_settings_that_would_mix_tokens_up_or_not_be_safe_are_refused(
    settings: Settings, changes: dict[str, str], refused: list[str]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert [error.id for error in run_checks() if str(error.id).startswith("accounts.")] == refused


def test_the_admin_shows_whose_account_it_is(demo: Demo, issuer: Issuer) -> None:
    user = user_of_token(issuer.token())
    client = Api(None).client
    client.force_login(demo.admin)
    assert f"ada at {issuer.url}" in words(client.get(f"/admin/accounts/user/{user.pk}/change/"))
