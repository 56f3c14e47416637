"""Where the client keeps tokens, and to whom it gives them."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from satchel import config
from satchel.config import ConfigError, Login, forget, keep, login_for

HERE, THERE = "https://here.example", "https://there.example"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, without variables set."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in (config.URL, config.TOKEN, config.GROUP):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_token_is_kept_where_only_its_owner_can_read_it(home: Path) -> None:
    (home / "satchel").mkdir()
    (home / "satchel/credentials.json").write_text('{"default": null, "servers": {}}')
    (home / "satchel/credentials.json").chmod(0o644)
    path = keep(Login(HERE, "secret"))
    assert path == home / "satchel/credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert login_for() == Login(HERE, "secret")
    assert [file.name for file in path.parent.iterdir()] == ["credentials.json"]


def test_a_token_goes_to_its_own_server_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(Login(HERE, "secret"))
    with pytest.raises(ConfigError, match=f"no token for {re.escape(THERE)}"):
        login_for(THERE)
    assert login_for(THERE, needs_token=False) == Login(THERE, None)
    assert login_for(f"{HERE.upper()}/api/") == Login(HERE, "secret")
    monkeypatch.setenv(config.URL, THERE)
    monkeypatch.setenv(config.TOKEN, "other")
    assert login_for() == Login(THERE, "other")
    assert login_for(HERE) == Login(HERE, "other")


def test_a_login_that_has_expired_is_told_rather_than_used() -> None:
    keep(Login(HERE, "secret", datetime.now(UTC) - timedelta(seconds=1)))
    with pytest.raises(ConfigError, match="has expired"):
        login_for()
    assert login_for(needs_token=False) == Login(HERE, None)


def test_forgetting_a_server_leaves_the_others() -> None:
    keep(Login(HERE, "secret"))
    keep(Login(THERE, "other"))
    assert forget(THERE)
    assert not forget(THERE)
    assert login_for() == Login(HERE, "secret")


@pytest.mark.parametrize("content", ["", "[]", '{"default": 1}', '{"default": null, "servers": {"x": {}}}'])
def test_a_damaged_file_is_told(home: Path, content: str) -> None:
    (home / "satchel").mkdir()
    (home / "satchel/credentials.json").write_text(content)
    with pytest.raises(ConfigError, match="damaged"):
        login_for()


@pytest.mark.parametrize(
    "url", ["satchel.example.org", "ftp://x", "", "https://", "http://x:port", "http://[::1", "http://a..b"]
)
def test_an_address_without_its_scheme_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="no address of a server"):
        config.normal_url(url)
