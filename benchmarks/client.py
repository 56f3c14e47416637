"""How long does `satchel upload` take, beside s5cmd, rclone and `aws s3 cp`?

    make bench        (or, once that has installed the peers: var/venv/bin/python -m benchmarks.client)

Measured from the start of the process to its end, with its processor time: one file of 2 GiB, and 2,000 files of
100 kB, each directly and over a round trip of 30 ms. All go to the same SeaweedFS, eight PUTs at once, large files in
parts of 16 MiB, and find nothing there that they could leave out.

What is compared is not the same work. The peers hold the key of the store, PUT, and are done. `satchel upload` looks
at the files, asks the server for a place for each, sends them, and tells the sha256 that it has taken on the way; both
the server's web process, which all that goes through, and SeaweedFS share the processors with it. In the row
“satchel” the workers are stopped, as for the peers nobody reads what they sent; in “satchel, verifying” they run on
the same processors and read the files while more of them come, which elsewhere happens on other machines.

The round trip is modelled by tests/link.py before the object store and before the web server: one to open a
connection, half of one for a request and half for its answer. It passes some hundred MB/s, for all alike.

Rounds alternate between all of these, each round with a product of its own, after one small upload that does not
count; medians are printed. `--size` (MiB), `--files` and `--rounds` make it smaller. Last comes a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.place import BUCKET
from embedded.programs import ROOT
from tests.link import Link
from tests.product import Product, running_product

PARALLEL = 8
PART_MIB = 16
ROUND_TRIPS = (0.0, 0.030)  # seconds
SMALL = 100_000  # bytes
PEERS = Path(os.environ.get("SATCHEL_VAR") or ROOT / "var") / "peers"
WORKERS = ("worker", "worker-large")
ROOM = ("-master.volumeSizeLimitMB=1024", "-volume.max=100")  # of SeaweedFS: tests need less
TARGETS = {"ofTheFastestOneFile": 0.9, "timesAwsManyFiles": 1.0}
AWS_CONFIG = f"""[default]
region = us-east-1
request_checksum_calculation = when_required
s3 =
  max_concurrent_requests = {PARALLEL}
  multipart_chunksize = {PART_MIB}MB
  addressing_style = path
"""


@dataclass(frozen=True)
class Spent:
    """Seconds from start to end of a process, and seconds of processor time that it took."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Bench:
    """A product that is reached at `web_url` and `store_url`; `token` is alice's."""

    product: Product
    web_url: str
    store_url: str
    token: str
    scratch: Path

    def satchel(self, folder: Path) -> Spent:
        """Ours."""
        environment = {
            "PYTHONPATH": str(ROOT / "client/src"),
            "SATCHEL_URL": self.web_url,
            "SATCHEL_TOKEN": self.token,
            "HOME": str(self.scratch),
        }
        command = ["-m", "satchel", "upload", str(folder), "--group", "1", "--parallel", str(PARALLEL)]
        return run([sys.executable, *command], environment)

    def s5cmd(self, folder: Path) -> Spent:
        """https://github.com/peak/s5cmd; its program itself, without the start of the Python that carries it."""
        [program] = PEERS.glob("lib/python*/site-packages/s5cmd/bin/s5cmd")
        options = ["--endpoint-url", self.store_url, "--numworkers", str(PARALLEL), "--log", "error"]
        copying = ["cp", "--concurrency", str(PARALLEL), "--part-size", str(PART_MIB)]
        return run([str(program), *options, *copying, f"{folder}/", self._place_of("s5cmd", folder)], self._key)

    def rclone(self, folder: Path) -> Spent:
        """https://rclone.org, told not to look for what is there already."""
        environment = {
            **self._key,
            "RCLONE_CONFIG": str(self.scratch / "rclone.conf"),
            "RCLONE_CONFIG_STORE_TYPE": "s3",
            "RCLONE_CONFIG_STORE_PROVIDER": "SeaweedFS",
            "RCLONE_CONFIG_STORE_ENV_AUTH": "true",
            "RCLONE_CONFIG_STORE_REGION": "us-east-1",
            "RCLONE_CONFIG_STORE_ENDPOINT": self.store_url,
        }
        place = self._place_of("rclone", folder).removeprefix("s3://")
        parts = ["--s3-upload-concurrency", str(PARALLEL), "--s3-chunk-size", f"{PART_MIB}Mi"]
        options = ["--transfers", str(PARALLEL), "--checkers", str(PARALLEL), "--no-check-dest", "--s3-no-check-bucket"]
        return run([str(PEERS / "bin/rclone"), "copy", str(folder), f"store:{place}", *options, *parts], environment)

    def aws(self, folder: Path) -> Spent:
        """https://aws.amazon.com/cli, version 1."""
        config = self.scratch / "aws.config"
        config.write_text(AWS_CONFIG)
        options = ["--endpoint-url", self.store_url, "--recursive", "--only-show-errors"]
        command = [str(PEERS / "bin/aws"), "s3", "cp", str(folder), self._place_of("aws", folder), *options]
        return run(command, {**self._key, "AWS_CONFIG_FILE": str(config)})

    @property
    def _key(self) -> Mapping[str, str]:
        environment = self.product.environment
        return {
            "AWS_ACCESS_KEY_ID": environment["S3_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": environment["S3_SECRET_ACCESS_KEY"],
            "AWS_REGION": environment["S3_REGION"],
            "HOME": str(self.scratch),
        }

    @staticmethod
    def _place_of(peer: str, folder: Path) -> str:
        return f"s3://{BUCKET}/peers/{peer}/{folder.name}/"


@dataclass(frozen=True)
class Task:
    """Some files of one size."""

    name: str
    number: int
    size: int

    def make(self, folder: Path) -> Path:
        """A new folder of the files, of bytes that were never there before."""
        place = Path(tempfile.mkdtemp(dir=folder))
        for number in range(self.number):
            with (place / f"{number:05}.bin").open("wb") as file:
                for start in range(0, self.size, 1 << 20):
                    file.write(os.urandom(min(1 << 20, self.size - start)))
        os.sync()
        return place


WARM_UP = Task("before anything is measured", 20, SMALL)


def run(command: Sequence[str], environment: Mapping[str, str]) -> Spent:
    """Run it to its end; raises RuntimeError with its words if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            command, env={"PATH": os.defpath, **environment}, stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            words.seek(0)
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {words.read().decode()[-2000:]}")
    return Spent(seconds, usage.ru_utime + usage.ru_stime)


@contextmanager
def ready(folder: Path, round_trip: float) -> Iterator[Bench]:
    """A product of its own, behind links if there is a round trip, that has served an upload already."""
    web, store = (Link(round_trip=round_trip) for _ in range(2))
    settings = {"S3_PUBLIC_ENDPOINT_URL": store.url} if round_trip else {}
    product = running_product(folder, database_url="sqlite://", settings=settings, seaweedfs_flags=ROOM)
    with web.running(), store.running(), product as running:
        web.target, store.target = running.place.port, running.place.s3_port
        web_url = web.url if round_trip else running.base_url
        store_url = store.url if round_trip else running.environment["S3_ENDPOINT_URL"]
        bench = Bench(running, web_url, store_url, running.token(), folder)
        bench.satchel(WARM_UP.make(folder))
        yield bench


def measure(task: Task, round_trip: float, rounds: int) -> dict[str, list[Spent]]:
    """What each client spends on the task, round by round."""
    spent: dict[str, list[Spent]] = defaultdict(list)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name, ready(Path(name), round_trip) as bench:
            clients: dict[str, Callable[[Path], Spent]] = {
                "satchel, verifying": bench.satchel,
                "satchel": bench.satchel,
            }
            clients |= {"s5cmd": bench.s5cmd, "rclone": bench.rclone, "aws s3 cp": bench.aws}
            for client, send in clients.items():
                if client == "satchel":
                    stop_workers(bench.product)
                folder = task.make(Path(name))
                spent[client].append(send(folder))
                for path in folder.iterdir():
                    path.unlink()
    return spent


def stop_workers(product: Product) -> None:
    """Nobody reads what is sent from now on."""
    for name in WORKERS:
        product.processes[name].stop()


def compare(task: Task, round_trip: float, rounds: int) -> Mapping[str, object]:
    """Medians of all clients, printed; the ratios that the targets are about."""
    spent = measure(task, round_trip, rounds)
    medians = {name: statistics.median(one.seconds for one in values) for name, values in spent.items()}
    cpu = {name: statistics.median(one.cpu for one in values) for name, values in spent.items()}
    print(f"{task.name}, {round_trip * 1000:.0f} ms")
    for name, seconds in medians.items():
        each = " ".join(f"{one.seconds:.2f}" for one in spent[name])
        rate = task.number * task.size / seconds / 1e6
        print(f"  {name:20} {seconds:7.2f} s   {rate:6.0f} MB/s   {cpu[name]:6.2f} s of processor   ({each})")
    own = medians["satchel"]
    fastest = min(seconds for name, seconds in medians.items() if not name.startswith("satchel"))
    ratios = {"ofTheFastest": fastest / own, "timesAws": medians["aws s3 cp"] / own}
    print(f"  of the fastest peer {ratios['ofTheFastest']:.2f}, times aws s3 cp {ratios['timesAws']:.2f}")
    return {
        "seconds": {name: round(seconds, 2) for name, seconds in medians.items()},
        "cpuSeconds": {name: round(seconds, 2) for name, seconds in cpu.items()},
        **{name: round(ratio, 2) for name, ratio in ratios.items()},
    }


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client")
    parser.add_argument("--size", type=int, default=2048, help="of the large file, in MiB")
    parser.add_argument("--files", type=int, default=2000, help="how many small ones")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    tasks = (
        Task(f"{arguments.size:,} MiB in one file", 1, arguments.size << 20),
        Task(f"{arguments.files:,} files of 100 kB", arguments.files, SMALL),
    )
    found = {
        f"{task.name}, {round_trip * 1000:.0f} ms": compare(task, round_trip, arguments.rounds)
        for task in tasks
        for round_trip in ROUND_TRIPS
    }
    print(json.dumps({"targets": TARGETS, **found}))


if __name__ == "__main__":
    main()
