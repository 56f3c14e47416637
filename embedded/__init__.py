"""Everything on one machine: stores, web, worker and beat, for `make run` and for the tests."""
