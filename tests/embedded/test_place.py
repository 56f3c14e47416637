"""What a place makes and how the stores of the embedded stack are closed to others."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from embedded.place import Place
from embedded.programs import EmbeddedError
from embedded.stores import INNER_PORTS
from tests import web
from tests.servers import Servers

PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}


def test_keys_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    place = Place.at_free_ports(tmp_path / "var")
    place.make_folders()
    place.write_s3_accounts()
    first = place.environment()
    assert place.environment() == first
    assert first["JWT_PRIVATE_KEY"].startswith("-----BEGIN PRIVATE KEY-----")
    keys = sorted((tmp_path / "var" / "keys").iterdir())
    assert [key.name for key in keys] == [
        "jwt-private-key.pem",
        "s3-admin-secret",
        "s3-app-secret",
        "s3.json",
        "secret-key",
    ]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE((tmp_path / "var" / "keys").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("variable", "value", "highest"),
    [("PORT", "eighty", 65_535), ("PORT", "0", 65_535), ("VALKEY_PORT", "65536", 65_535), ("S3_PORT", "60000", 55_527)],
)
def test_a_port_that_is_none_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, highest: int
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(EmbeddedError, match=f"{variable} is '{value}'; it must be a port number from 1 to {highest}"):
        Place.from_environment()


def test_the_object_store_answers_pages_of_our_origins_alone(servers: Servers) -> None:
    address = f"{settings.S3_ENDPOINT_URL}/{settings.S3_BUCKET}/staging/x"
    for origin in servers.place.origins:
        answer = web.options(address, headers={"Origin": origin, **PREFLIGHT})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    answer = web.options(address, headers={"Origin": "http://elsewhere.example", **PREFLIGHT})
    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_file_server_behind_the_object_store_serves_nobody_without_a_key(method: str) -> None:
    port = int(settings.S3_ENDPOINT_URL.rpartition(":")[2]) + 1 + INNER_PORTS.index("filer.port")
    answer = web.request(method, f"http://127.0.0.1:{port}/buckets/{settings.S3_BUCKET}/x")
    assert answer.status_code == 401


def test_our_account_reaches_no_other_bucket() -> None:
    assert s3("PUT", f"{settings.S3_BUCKET}/account-test") == 200
    assert s3("PUT", "elsewhere") == 403
    assert s3("PUT", "elsewhere/account-test") == 403


def s3(method: str, path: str) -> int:
    """The status of a signed request, made by curl: nothing of ours takes part."""
    curl = shutil.which("curl")
    assert curl is not None
    signing = ["--aws-sigv4", f"aws:amz:{settings.S3_REGION}:s3"]
    account = ["--user", f"{settings.S3_ACCESS_KEY_ID}:{settings.S3_SECRET_ACCESS_KEY}"]
    command = [curl, "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--request", method]
    address = f"{settings.S3_ENDPOINT_URL}/{path}"
    return int(subprocess.run([*command, *signing, *account, address], check=True, capture_output=True).stdout)
