"""The servers of the session, the product, the browser."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from socket import socket

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from embedded.programs import wait_until
from tests import chromium
from tests.ports import claim_ports
from tests.product import Product, running_product
from tests.servers import Servers

SERVERS = pytest.StashKey[Servers]()
PORTS = pytest.StashKey[socket]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers, then load Django: its settings read the environment when they are first touched.

    That is why pyproject.toml names no settings to pytest-django, which would load them before this file.
    """
    config.stash[PORTS] = claim_ports()
    servers = config.stash[SERVERS] = Servers()
    servers.set_environment()
    if not config.option.collectonly:
        servers.start()
    load_django()
    config.pluginmanager.import_plugin("tests.fixtures")
    if not config.option.collectonly:
        from files import storage

        assert wait_until(storage.bucket_ready, 20), "the bucket did not appear"


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers; pytest calls this after Ctrl-C too."""
    if (servers := config.stash.get(SERVERS, None)) is not None:
        servers.stop()
    if (claim := config.stash.get(PORTS, None)) is not None:
        claim.close()


def load_django() -> None:
    """Django with the settings of production, but for what would only cost time."""
    import django
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The manifest of collectstatic: the product has it, tests of single views do without.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where there is none
    django.setup()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The servers of the session, which run from before the first test to after the last."""
    return pytestconfig.stash[SERVERS]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A database of the session's own, also where sessions share a server that `DATABASE_URL` names.

    SQLite is in a file, as in `make run`: in memory it knows neither a second connection nor WAL.
    """
    from django.db import connections

    database = connections.databases["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("sqlite") / "test.sqlite3")
    else:
        database["TEST"]["NAME"] = f"test_{database['NAME']}_{os.getpid()}"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole product, started once for all tests that ask for it; the tests share its data."""
    with running_product(tmp_path_factory.mktemp("product"), database_url=os.environ["DATABASE_URL"]) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    expect.set_options(timeout=20_000)  # the machine is shared, with the other lane of `make test` at least
    with sync_playwright() as playwright:
        path = chromium.find(playwright)
        assert path is not None, "no Chromium; `make test` installs one"
        chrome = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield chrome
        chrome.close()


@pytest.fixture
def page_errors() -> list[str]:
    """What the page of the test complained of; a test that means to provoke errors looks here and clears it."""
    return []


@pytest.fixture
def page(browser: Browser, product: Product, page_errors: list[str]) -> Iterator[Page]:
    """A page in a fresh browser profile, its relative addresses those of the product.

    Fails the test on errors in the console, uncaught exceptions and violations of the Content-Security-Policy.
    """
    context = browser.new_context(base_url=product.base_url, accept_downloads=True)
    context.set_default_timeout(30_000)

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            page_errors.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    context.on("console", note)
    context.on("weberror", lambda error: page_errors.append(f"exception: {error.error}"))
    yield context.new_page()
    context.close()
    assert page_errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test with the product shows the end of the product's logs."""
    report = yield
    running = getattr(item, "funcargs", {}).get("product")
    if report.failed and isinstance(running, Product):
        report.sections.append(("what the product logged last", running.tails()))
    return report
