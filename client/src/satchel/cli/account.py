"""Logging in and out."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import typer

from satchel import config
from satchel.api import Api
from satchel.cli.ending import UsageError
from satchel.config import Login
from satchel.output import Output
from satchel.patience import Patience

PATIENCE = Patience(attempts=3)
"""Somebody waits, and an address may be mistyped."""


def log_in(output: Output, url: str | None, username: str | None) -> None:
    """Check a token, or a username and password, with the server, and keep the token."""
    address = config.given_url(url) or config.normal_url(_asked("Address of the server", config.URL))
    login = _by_password(address, username) if username else Login(address, _secret(_token_prompt(address)))
    with Api(login.url, login.token, patience=PATIENCE) as api:
        groups = api.groups()
    path = config.keep(login)
    output.say(f"Logged in at {login.url}; the token is kept in {path}, which only you can read.")
    if login.expires_at:
        output.say(f"It is good until {login.expires_at:%H:%M} UTC. For longer, log in with a personal API token.")
    for group in groups:
        output.say(f"Group {group['id']}: {group['name']}")
    expires_at = login.expires_at and login.expires_at.isoformat()
    output.result({"url": login.url, "expiresAt": expires_at, "groups": groups})


def log_out(output: Output, url: str | None) -> None:
    """Forget the token for a server; it stays good until it is revoked there."""
    address = config.known_url(url)
    was_known = config.forget(address)
    output.say(f"The token for {address} is forgotten." if was_known else f"There was no token for {address}.")
    output.result({"url": address, "forgotten": was_known})


def _by_password(url: str, username: str) -> Login:
    """An hour's token; the password is not kept."""
    with Api(url, patience=PATIENCE) as api:
        token = api.log_in(username, _secret(f"Password of {username}"))
    return Login(url, token["access"], datetime.now(UTC) + timedelta(seconds=token["expiresIn"]))


def _token_prompt(url: str) -> str:
    return f"Personal API token (made at {url}/account)"


def _asked(question: str, variable: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"Say --url, or set {variable}.")
    return str(typer.prompt(question, err=True))


def _secret(question: str) -> str:
    """What is typed, unseen, or the first line of stdin where nobody types."""
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=True, err=True)).strip()
    secret = sys.stdin.readline().strip()
    if not secret:
        raise UsageError(f"Nothing came on stdin. {question} is expected there as one line.")
    return secret
