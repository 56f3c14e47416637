"""Where a stack lives and what it is told: folder, ports, keys, the environment of its programs."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from embedded.ports import S3_FAR, free_port, free_s3_port, s3_ports, taken
from embedded.programs import ROOT, EmbeddedError

BUCKET = "satchel"
HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Place:
    """A folder and three ports; everything listens on 127.0.0.1, everything is written under `var`.

    `database_url` is empty for a SQLite file in the folder; `settings` are further environment variables.
    """

    var: Path
    port: int
    s3_port: int
    valkey_port: int
    database_url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> Place:
        """The place that `SATCHEL_VAR`, `PORT`, `S3_PORT` and `VALKEY_PORT` name; raises EmbeddedError."""
        return cls(
            var=Path(os.environ.get("SATCHEL_VAR") or ROOT / "var").resolve(),
            port=_port("PORT", 8000),
            s3_port=_port("S3_PORT", 8333, highest=HIGHEST_PORT - S3_FAR),
            valkey_port=_port("VALKEY_PORT", 6390),
        )

    @classmethod
    def at_free_ports(cls, var: Path, *, database_url: str = "", settings: Mapping[str, str] | None = None) -> Place:
        """A place of its own for a test."""
        return cls(var.resolve(), free_port(), free_s3_port(), free_port(), database_url, settings or {})

    @property
    def base_url(self) -> str:
        """The address of the web process."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.var / "log"

    @property
    def origins(self) -> list[str]:
        """The origins from which pages may talk to the object store."""
        return [f"http://localhost:{self.port}", self.base_url]

    def refuse_taken_ports(self) -> None:
        """Raise EmbeddedError, with the variable that moves it, when something listens on a port of ours."""
        for variable, ports, free in (
            ("PORT", [self.port], free_port),
            ("S3_PORT", s3_ports(self.s3_port), free_s3_port),
            ("VALKEY_PORT", [self.valkey_port], free_port),
        ):
            if others := taken(ports):
                raise EmbeddedError(
                    f"Port {others[0]} is taken by another program. "
                    f"Set {variable} to move ours, for example: make run {variable}={free()}"
                )

    def make_folders(self) -> None:
        """Create the folder, closed to other accounts where it holds keys and data."""
        self.var.mkdir(parents=True, exist_ok=True)
        for name in ("keys", "valkey", "seaweedfs", "log"):
            (self.var / name).mkdir(mode=0o700, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Our environment with what `config/settings.py` reads added; needs the folders, makes keys once."""
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SATCHEL_VAR": str(self.var),
            "SECRET_KEY": self.secret("secret-key"),
            "JWT_PRIVATE_KEY": self._kept("jwt-private-key.pem", _new_private_key),
            "DEBUG": "false",
            "HTTPS": "false",
            "LOG_JSON": "false",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "DATABASE_URL": self.database_url or f"sqlite:///{self.var / 'satchel.sqlite3'}",
            "REDIS_URL": f"redis://127.0.0.1:{self.valkey_port}/0",
            "API_CALLS_PER_MINUTE": "0",
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{self.s3_port}",
            "S3_PUBLIC_ENDPOINT_URL": f"http://127.0.0.1:{self.s3_port}",
            "S3_BUCKET": BUCKET,
            "S3_REGION": "us-east-1",
            "S3_ADDRESSING_STYLE": "path",
            "S3_ACCESS_KEY_ID": "satchel",
            "S3_SECRET_ACCESS_KEY": self.secret("s3-app-secret"),
            **self.settings,
        }

    def secret(self, name: str) -> str:
        """A random secret, made at the first call and kept."""
        return self._kept(name, lambda: secrets.token_hex(32))

    def write_s3_accounts(self) -> Path:
        """SeaweedFS's accounts: an administrator for rescue, and ours, confined to our bucket."""
        actions = [f"{action}:{BUCKET}" for action in ("Read", "Write", "List", "Tagging")]
        accounts = [("admin", "s3-admin-secret", ["Admin"]), ("satchel", "s3-app-secret", actions)]
        identities: list[Mapping[str, object]] = [
            {
                "name": name,
                "credentials": [{"accessKey": name, "secretKey": self.secret(secret)}],
                "actions": allowed,
            }
            for name, secret, allowed in accounts
        ]
        path = self.var / "keys" / "s3.json"
        _write_private(path, json.dumps({"identities": identities}, indent=1))
        return path

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        path = self.var / "keys" / name
        if not path.exists():
            _write_private(path, make())
        return path.read_text()


def _port(variable: str, default: int, *, highest: int = HIGHEST_PORT) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= highest):
        raise EmbeddedError(f"{variable} is {text!r}; it must be a port number from 1 to {highest}.")
    return int(text)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, whole or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _new_private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
