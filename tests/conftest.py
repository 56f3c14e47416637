"""The servers of the session, the product, the browser."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from socket import socket

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, WebError, expect, sync_playwright

from embedded.programs import wait_until
from tests import chromium
from tests.link import Link
from tests.linked import Linked, running_linked
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
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that runs us in the background ignores Ctrl-C for us, and so would what tests start and interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linked]:
    """A product behind a link, started once for all tests that ask for it."""
    with running_linked(tmp_path_factory.mktemp("linked")) as running:
        yield running


@pytest.fixture
def link(linked: Linked) -> Iterator[Link]:
    """The link of `linked`, whole and fast before the test and after it."""
    linked.link.mend()
    yield linked.link
    linked.link.mend()


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Another product, for tests that break it, lock its people out or use up its data."""
    with running_product(tmp_path_factory.mktemp("fragile"), database_url=os.environ["DATABASE_URL"]) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    expect.set_options(timeout=20_000)  # the machine is shared, with the other lanes of `make test` at least
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


@pytest.fixture(scope="module")  # a module may have a product of its own
def profile(browser: Browser, product: Product) -> Iterator[BrowserContext]:
    """A browser profile in which relative addresses are those of the product."""
    context = browser.new_context(base_url=product.base_url, accept_downloads=True)
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext, page_errors: list[str]) -> Iterator[Page]:
    """An empty tab in a profile without cookies.

    Fails the test on errors in the console, uncaught exceptions and violations of the Content-Security-Policy. The tab
    serves test after test, since starting one takes a second of processor time; a test that closes it, or asks for
    `own_tab`, leaves the next one to open another.
    """

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            page_errors.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def note_exception(error: WebError) -> None:
        page_errors.append(f"exception: {error.error}")

    tab = profile.pages[0] if profile.pages else profile.new_page()
    profile.on("console", note)
    profile.on("weberror", note_exception)
    yield tab
    profile.remove_listener("console", note)
    profile.remove_listener("weberror", note_exception)
    clear(profile)
    assert page_errors == []


@pytest.fixture
def own_tab(page: Page) -> Iterator[Page]:
    """The tab, which no later test gets: for one that answers dialogs, or leaves the tab in some other way."""
    yield page
    page.close()


def clear(profile: BrowserContext) -> None:
    """Make the profile and its tab as new."""
    for tab in profile.pages[1:]:
        tab.close()
    profile.set_offline(False)
    profile.clear_cookies()
    profile.clear_permissions()
    for tab in profile.pages:
        tab.unroute_all()
        tab.set_viewport_size({"width": 1280, "height": 720})
        tab.emulate_media(media="null", color_scheme="null", reduced_motion="null")
        tab.on("dialog", leave)
        tab.goto("about:blank")
        tab.remove_listener("dialog", leave)


def leave(dialog: Dialog) -> None:
    """The answer to a page that warns of leaving it."""
    dialog.accept()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test with the product shows the end of the product's logs."""
    report = yield
    running = getattr(item, "funcargs", {}).get("product")
    if report.failed and isinstance(running, Product):
        report.sections.append(("what the product logged last", running.tails()))
    return report
