"""How long does a browser take to upload, beside Uppy and beside what the link allows?

    make bench        (or, once that has bundled Uppy: var/venv/bin/python -m benchmarks.upload)

Chromium sends 64 MiB in one file, and 200 files of 100 kB, through a link of 30 ms round trip and 4 MB/s a connection,
that is modelled in front of the web server as well as of the object store (tests/link.py). The category has no
check. The 200 files go once more at 120 ms: browser, servers and link share the processors of one machine, and where
the line leaves them time, it shows whether it is they or the protocol that keeps us from its limit. Measured in the
page, from the choice of the files to the last of them uploaded:

- ours: the page for one entry, as it is;
- Uppy (@uppy/core, @uppy/aws-s3) with its defaults, its URLs made by our API, and one call at the end that says
  that all were sent;
- Uppy as its documentation recommends against overhead: temporary credentials, with which it signs by itself and asks
  nobody; and the same in parts.

The limit of the link: a browser opens six connections to a host, so one file takes bytes/(6 · rate), and of many files
each takes a preflight, a PUT and bytes/rate on one of the six. A round trip to open a connection, two for the calls
that ask for URLs and say that all was sent, and for one file those of its preflight and PUT, are added. Ours sends
small files as forms, for which there is no preflight; what the link would allow then stands in a line of its own.

Workers are stopped: what is uploaded waits to be verified, which elsewhere happens on other machines.

What is never measured: the first uploads, in which each web process makes its connections to store and broker.

Rounds alternate between all of these, each with files of other bytes in a fresh Chromium, which nobody watches
meanwhile and which has sent a few files before; medians are printed.
Then 5,000 files of 1 kB in one folder that is dropped on its box, ours alone: the time, and the longest task that kept
the page from answering.
Last comes a line of JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
from playwright.sync_api import Page, Playwright, sync_playwright

from benchmarks.chrome import Chrome, fresh_chrome
from embedded.place import BUCKET
from embedded.programs import ROOT
from tests.drops import drop
from tests.link import Link
from tests.product import Product, running_product

RATE = 4e6  # bytes a second and connection
ROUND_TRIP, FAR = 0.030, 0.120  # seconds
CONNECTIONS = 6  # that a browser opens to one host
POSTED_BELOW = 256 * 1024  # bytes; static/files/posts.js
ROUNDS = 3
WARM_UPS = 6  # there are two web processes, and either may answer
BUNDLE = Path(os.environ.get("SATCHEL_VAR") or ROOT / "var") / "uppy.js"
FORM = "/organisms/ebola-sudan/submit"
BOX = "[data-extra-files][data-category=supplementary]"
TARGETS = {"times Uppy, one file": 3.0, "of the limit": 0.85, "longest task in ms": 200}

# Resolves with the seconds from the choice of the files to the last row that is uploaded; looks 50 times a second.
MEASURE_OURS = """([selector, event, number, every]) => {
  window.longestTask = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longestTask = Math.max(window.longestTask, duration);
  }).observe({ type: "longtask" });
  const target = document.querySelector(selector);
  window.ours = new Promise((resolve, reject) => {
    target.addEventListener(event, () => {
      const start = performance.now();
      const rows = document.getElementsByTagName("li");
      const finish = (how, what) => {
        clearInterval(timer);
        how(what);
      };
      // From the last row on, which is the last to be ready: to look at all of them each time takes time from the page.
      const timer = setInterval(() => {
        let ready = 0;
        for (let index = rows.length - 1; index >= 0; index -= 1) {
          const status = rows[index].dataset.fileStatus;
          if (status === "failed") finish(reject, new Error(`${rows[index].textContent} failed`));
          if (status !== "uploaded" && status !== "verified" && status !== undefined) return;
          ready += status === undefined ? 0 : 1;
        }
        if (ready === number) finish(resolve, (performance.now() - start) / 1000);
      }, every);
    }, { capture: true, once: true });
  });
}"""


@dataclass(frozen=True)
class Task:
    """Some files of one size, and the round trip of the link in seconds; `limit` in seconds."""

    name: str
    number: int
    size: int
    round_trip: float = ROUND_TRIP

    @property
    def limit(self) -> float:
        """The seconds that the link alone takes for files that are PUT; see the head of this module."""
        if self.number == 1:
            return 5 * self.round_trip + self.size / (CONNECTIONS * RATE)
        return self._limit(2)

    @property
    def limit_of_forms(self) -> float | None:
        """The same for files that go as forms, and None where they do not."""
        return self._limit(1) if self.size < POSTED_BELOW else None

    def _limit(self, round_trips: int) -> float:
        each = round_trips * self.round_trip + self.size / RATE
        return 3 * self.round_trip + self.number * each / CONNECTIONS

    def make(self, folder: Path) -> list[Path]:
        """The files, of bytes that were never there before."""
        folder.mkdir()
        random = Random()
        paths = [folder / f"{number:04}.bin" for number in range(self.number)]
        for path in paths:
            path.write_bytes(random.randbytes(self.size))
        return paths


ONE = Task("64 MiB in one file", 1, 64 << 20)
MANY = Task("200 files of 100 kB", 200, 100_000)
MANY_FAR = Task("200 files of 100 kB, far away", 200, 100_000, round_trip=FAR)
BEFORE = Task("what a browser sends before", 12, 100_000)
WARM_UP = Task("before anything is measured", 1, 16 << 20)
FOLDER = Task("5,000 files of 1 kB in one folder", 5000, 1000)


@dataclass(frozen=True)
class Bench:
    """What the measurements need: the product, the links in front of it, Chromium, room for files."""

    product: Product
    web: Link
    store: Link
    playwright: Playwright
    folder: Path

    def new_files(self, task: Task) -> list[Path]:
        """Files of a task, in a folder of their own."""
        return task.make(Path(tempfile.mkdtemp(dir=self.folder)) / "run")

    def chrome(self, *, bypass_csp: bool = False) -> AbstractContextManager[Chrome]:
        """A fresh Chromium, with connections of its own; our page has no use for `bypass_csp`."""
        return fresh_chrome(self.playwright, self.product.lifeline, bypass_csp=bypass_csp)

    def api_of_uppy(self) -> Mapping[str, object]:
        """What Uppy's page is told of our API."""
        credentials = {"username": "alice", "password": "satchel-demo"}
        answer = httpx.post(f"{self.product.base_url}/api/auth/token", json=credentials).json()
        return {"apiUrl": f"{self.web.url}/api", "token": answer["access"], "groupId": 1}

    def credentials_of_uppy(self) -> Mapping[str, object]:
        """The key of our application in place of a temporary one: the embedded store gives out none."""
        environment = self.product.environment
        key = {
            "accessKeyId": environment["S3_ACCESS_KEY_ID"],
            "secretAccessKey": environment["S3_SECRET_ACCESS_KEY"],
            "sessionToken": "",
        }
        region = environment["S3_REGION"]
        endpoint = f"{self.store.url}/{BUCKET}"
        return {"s3Endpoint": endpoint, "region": region, "temporary": {"credentials": key, "region": region}}


@dataclass(frozen=True)
class Client:
    """What uploads in the page: `open` makes it ready for files, which the input takes; `promise` is of the seconds."""

    open: Callable[[Page, Bench, Task], None]
    selector: str
    promise: str
    bypass_csp: bool = False

    def measure(self, bench: Bench, task: Task) -> float:
        """Seconds. A few files go before, unmeasured: people's browsers were not started a moment ago."""
        with bench.chrome(bypass_csp=self.bypass_csp) as chrome:
            self.open(chrome.page, bench, BEFORE)
            chrome.choose(self.selector, bench.new_files(BEFORE))
            chrome.page.evaluate(self.promise)
            self.open(chrome.page, bench, task)
            chrome.note(self.promise)
            chrome.choose(self.selector, bench.new_files(task))
            return float(chrome.noted())


def open_ours(page: Page, bench: Bench, task: Task) -> None:
    """The form for one entry, with what measures so many files that are chosen."""
    open_form(page, bench)
    page.evaluate(MEASURE_OURS, ["#files-supplementary", "change", task.number, 20])


def open_form(page: Page, bench: Bench) -> None:
    """The form for one entry, as alice sees it, once it has come to rest."""
    page.goto(bench.web.url + FORM)
    if page.url != bench.web.url + FORM:
        page.get_by_label("Username").fill("alice")
        page.get_by_label("Password").fill("satchel-demo")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(bench.web.url + FORM)
    page.wait_for_load_state("networkidle")


def uppy(settings: Callable[[Bench], Mapping[str, object]]) -> Client:
    """Uppy with these settings."""

    def open_page(page: Page, bench: Bench, _task: Task) -> None:
        page.goto(f"{bench.web.url}/healthz")  # a page of the same origin, so that Uppy may call our API as ours does
        page.set_content('<input type="file" id="files" multiple>')
        page.add_script_tag(path=BUNDLE)
        page.evaluate("(settings) => window.prepare(settings)", settings(bench))

    return Client(open_page, "#files", "window.peer", bypass_csp=True)


OURS = Client(open_ours, "#files-supplementary", "window.ours")
CLIENTS: Mapping[str, Client] = {
    "ours": OURS,
    "Uppy": uppy(lambda bench: {"api": bench.api_of_uppy()}),
    "Uppy, own keys": uppy(lambda bench: {"awsS3": bench.credentials_of_uppy()}),
    "Uppy, own keys, parts": uppy(lambda bench: {"awsS3": {**bench.credentials_of_uppy(), "shouldUseMultipart": True}}),
}


def main() -> None:
    """Start everything, measure, print."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name, ready(Path(name)) as bench:
        for _ in range(WARM_UPS):
            OURS.measure(bench, WARM_UP)
        found: dict[str, object] = {}
        for task in (ONE, MANY, MANY_FAR):
            bench.web.round_trip = bench.store.round_trip = task.round_trip
            found[task.name] = compare(bench, task)
        bench.web.round_trip = bench.store.round_trip = FOLDER.round_trip
        found[FOLDER.name] = responsiveness(bench)
    print(json.dumps({"targets": TARGETS, **found}))


@contextmanager
def ready(folder: Path) -> Iterator[Bench]:
    """The product behind two links, and Chromium."""
    web, store = (Link(rates=(RATE,), round_trip=ROUND_TRIP) for _ in range(2))
    product = running_product(
        folder / "product",
        database_url="sqlite://",
        settings={"S3_PUBLIC_ENDPOINT_URL": store.url},
        seaweedfs_flags=(f"-s3.allowedOrigins={web.url}",),
    )
    with web.running(), store.running(), product as running, sync_playwright() as playwright:
        web.target, store.target = running.place.port, running.place.s3_port
        for name in ("beat", "worker", "worker-large"):
            running.processes[name].stop()
        yield Bench(running, web, store, playwright, folder)


def compare(bench: Bench, task: Task) -> Mapping[str, float]:
    """Medians of all clients, printed beside the limit; the ratios that the targets are about."""
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, client in CLIENTS.items():
            if task.number == 1 or "parts" not in name:  # small files have no parts
                times[name].append(client.measure(bench, task))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{task.name}, {task.round_trip * 1000:.0f} ms, {RATE / 1e6:.0f} MB/s a connection")
    print(f"  {'limit of the link':22} {task.limit:6.2f} s")
    if task.limit_of_forms:
        print(f"  {'without preflights':22} {task.limit_of_forms:6.2f} s")
    for name, seconds in medians.items():
        each = " ".join(f"{value:.2f}" for value in times[name])
        print(f"  {name:22} {seconds:6.2f} s   {task.limit / seconds:4.2f} of the limit   ({each})")
    own = medians["ours"]
    best_uppy = min(seconds for name, seconds in medians.items() if name != "ours")
    print(f"  times Uppy at its best {best_uppy / own:6.2f}")
    return {
        "limit": round(task.limit, 3),
        **{name: round(seconds, 3) for name, seconds in medians.items()},
        "timesUppy": round(medians["Uppy"] / own, 2),
        "timesUppyAtItsBest": round(best_uppy / own, 2),
        "ofTheLimit": round(task.limit / own, 3),
    }


def responsiveness(bench: Bench) -> Mapping[str, float]:
    """The time of the large folder, dropped on its box, and the longest task of the page meanwhile."""
    [first, *_] = bench.new_files(FOLDER)
    with bench.chrome() as chrome:
        open_form(chrome.page, bench)
        chrome.page.evaluate(MEASURE_OURS, [BOX, "drop", FOLDER.number, 250])
        chrome.note("window.ours.then((seconds) => [seconds, window.longestTask])")
        drop(chrome.page, chrome.page.locator(BOX), first.parent)
        seconds, longest = map(float, chrome.noted())
    print(f"{FOLDER.name}: {seconds:.1f} s (limit {FOLDER.limit:.1f} s), longest task {longest:.0f} ms")
    return {"limit": round(FOLDER.limit, 1), "seconds": round(seconds, 1), "longestTaskMs": round(longest)}


if __name__ == "__main__":
    main()
