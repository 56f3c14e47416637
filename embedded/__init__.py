"""Everything on one machine: stores, web, workers and beat, for `make run` and for the tests."""
