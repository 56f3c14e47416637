"""The operation of `/api/auth`, for the OpenAPI document."""

from __future__ import annotations

from typing import Final

from accounts.api.serializers import CredentialsSerializer
from common.schema import NUMBER, TEXT, Body, Header, Operation, answer, body_of, named, shape

TOKEN: Final = named("Token", shape(access=TEXT, expiresIn={**NUMBER, "description": "In seconds."}))

_WORDS: Final = {"username": "The name of the account.", "password": "Its password."}
LOG_IN: Final = Operation(
    operation_id="getToken",
    tag="Logging in",
    summary="Get a token",
    description="A token for `Authorization: Bearer <token>`, good for an hour. Scripts that run by themselves better "
    "have a personal API token, made on the account page.",
    body=Body(
        body_of(CredentialsSerializer, **_WORDS),
        {"an account of the demo": {"username": "alice", "password": "satchel-demo"}},
    ),
    answers={
        200: answer(
            "The token.",
            TOKEN,
            {"access": "eyJhbGciOiJSUzI1NiIs…", "expiresIn": 3600},
            {"Cache-Control": Header("A token is for nobody else.", {"type": "string", "const": "no-store"})},
        )
    },
    problems=("credentials_wrong", "too_many_attempts", "log_in_unavailable"),
    no_log_in=True,
)
