"""The command-line client of Satchel."""

__version__ = "0.1.0"
