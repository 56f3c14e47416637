"""Where the server is and who is asking: from options, the environment, and a file that only its owner can read.

The file is `credentials.json` in the folder that the platform keeps settings in. A token goes to the server that it was
made for, and to no other.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from satchel.errors import Problem, SatchelError

URL, TOKEN, GROUP = "SATCHEL_URL", "SATCHEL_TOKEN", "SATCHEL_GROUP"
FILE_NAME = "credentials.json"


class ConfigError(SatchelError):
    """What is needed to ask a server is missing, or cannot be read; `problem` says how to give it."""

    def __init__(self, detail: str, code: str = "not_configured") -> None:
        super().__init__(Problem(code, detail))


@dataclass(frozen=True, slots=True)
class Login:
    """A server and the token for it; without an end the token is good until it is revoked or expires there."""

    url: str
    token: str | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the file has: the tokens by server, and the server that was logged in to last."""

    default: str | None = None
    servers: Mapping[str, Login] = field(default_factory=dict)


def folder() -> Path:
    """The folder for settings: `XDG_CONFIG_HOME` or `~/.config`, or what Windows and macOS have for it."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "satchel"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "satchel"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "satchel"


def given_url(url: str | None) -> str | None:
    """The address that the option `url` has, or else the environment. Raises `ConfigError` for what is none."""
    given = url or os.environ.get(URL)
    return normal_url(given) if given else None


def known_url(url: str | None) -> str:
    """The same, or else the address of the last login. Raises `ConfigError`, also where there was none."""
    if address := given_url(url) or load().default:
        return address
    raise ConfigError(f"No server is known. Run “satchel login”, or set {URL} and {TOKEN}.")


def login_for(url: str | None = None, *, needs_token: bool = True) -> Login:
    """The server and token to be used; `url` is that of the option. Raises `ConfigError`."""
    address = known_url(url)
    if token := os.environ.get(TOKEN):
        return Login(address, token)
    kept = load().servers.get(address)
    if kept is None or kept.token is None:
        if needs_token:
            raise ConfigError(f"There is no token for {address}. Run “satchel login”, or set {TOKEN}.", "not_logged_in")
        return Login(address, None)
    if kept.expires_at and kept.expires_at <= datetime.now(UTC):
        if needs_token:
            text = f"The login at {address} has expired. Run “satchel login” again; a personal API token lives longer."
            raise ConfigError(text, "not_logged_in")
        return Login(address, None)
    return kept


def normal_url(url: str) -> str:
    """An address as it is compared: with its scheme, without `/api` and slashes at the end. Raises `ConfigError`."""
    address = url.strip().rstrip("/").removesuffix("/api").rstrip("/")
    try:
        parts = urlsplit(address)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:  # no port number, brackets without an end, no name that a host can have
        host = b""
    if not host or parts.scheme not in {"http", "https"}:
        raise ConfigError(f"“{url}” is no address of a server; write it as https://satchel.example.org.")
    return parts._replace(netloc=parts.netloc.lower()).geturl()


def load() -> Credentials:
    """What the file has; nothing where there is none. Raises `ConfigError` where it cannot be read."""
    path = folder() / FILE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        servers = {url: _login_of(url, item) for url, item in document["servers"].items()}
        return Credentials(document["default"], servers)
    except FileNotFoundError:
        return Credentials()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is damaged. Delete it, and run “satchel login”.") from error


def keep(login: Login) -> Path:
    """Keep a login, and make its server the one that is asked from now on; where it is kept."""
    servers = {**load().servers, login.url: login}
    return _write(Credentials(login.url, servers))


def forget(url: str) -> bool:
    """Forget the token for a server; whether there was one."""
    credentials = load()
    if url not in credentials.servers:
        return False
    servers = {kept: login for kept, login in credentials.servers.items() if kept != url}
    default = credentials.default if credentials.default != url else next(iter(servers), None)
    _write(Credentials(default, servers))
    return True


def _login_of(url: str, item: Mapping[str, Any]) -> Login:
    expires_at = item.get("expiresAt")
    return Login(url, item["token"], datetime.fromisoformat(expires_at) if expires_at else None)


def _write(credentials: Credentials) -> Path:
    """Replace the file in one step, so that nobody ever sees a half, and nobody else sees any of it (mode 600)."""
    servers = {
        url: {"token": login.token, "expiresAt": login.expires_at and login.expires_at.isoformat()}
        for url, login in credentials.servers.items()
    }
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes files that only their owner can read and write.
    handle, temporary = tempfile.mkstemp(dir=place, prefix=".credentials-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"default": credentials.default, "servers": servers}, file, indent=2)
        file.write("\n")
    return Path(temporary).replace(place / FILE_NAME)
