"""What a test session leans on: Valkey, SeaweedFS and, unless `DATABASE_URL` names one, PostgreSQL.

All of it is real, on free ports of 127.0.0.1, in a folder of its own, and gone afterwards however the session ends.
`SATCHEL_TEST_DATABASE=sqlite` runs the session on SQLite instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from embedded.place import Place
from embedded.programs import Lifeline
from embedded.stores import running_stores
from tests.postgres import PostgreSQL

# Many small buckets and objects, little disk.
SEAWEEDFS_FLAGS = ("-master.volumeSizeLimitMB=64", "-volume.max=200")


class Servers:
    """The servers of one test session."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="satchel-test-"))
        self.folder.chmod(0o711)  # PostgreSQL may run as another account than root
        self._stack.callback(shutil.rmtree, self.folder)
        self.postgres: PostgreSQL | None = None
        self.place = Place.at_free_ports(self.folder / "var", database_url=self._database_url())
        self.place.make_folders()

    def set_environment(self) -> None:
        """Tell the settings, which read the environment, where the servers are going to be."""
        os.environ.update(self.place.environment())
        # Playwright's event loop runs in the thread of the tests; no code of ours is asynchronous.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

    def start(self) -> None:
        """Start all of them; raises EmbeddedError when one does not come up."""
        lifeline = Lifeline(self.folder / "session.lock")
        self._stack.enter_context(running_stores(self.place, lifeline, flags=SEAWEEDFS_FLAGS))
        self._stack.callback(lifeline.release)  # kills the stores: nobody needs what they would save at the end
        if self.postgres is not None:
            self._stack.callback(self.postgres.stop)
            self.postgres.start(lifeline)

    def stop(self) -> None:
        """End them and remove their folder."""
        self._stack.close()

    def _database_url(self) -> str:
        if os.environ.get("SATCHEL_TEST_DATABASE") == "sqlite":
            return f"sqlite:///{self.folder / 'unused.sqlite3'}"
        if given := os.environ.get("DATABASE_URL"):
            return given
        self.postgres = PostgreSQL(self.folder / "postgresql")
        return self.postgres.url
