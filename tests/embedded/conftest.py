"""A place for runs of the embedded stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded.place import Place
from tests import static_files
from tests.embedded.run import Runs


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One folder and its ports for the runs of a module, one after another: only the first has all to prepare."""
    place = Place.at_free_ports(tmp_path_factory.mktemp("run") / "var")
    static_files.lend(place)
    return place


@pytest.fixture(scope="module")
def runs(place: Place) -> Iterator[Runs]:
    """The runs in that place."""
    runs = Runs(place)
    yield runs
    runs.end()
