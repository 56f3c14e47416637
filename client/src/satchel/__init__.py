"""The command-line client of Satchel."""
