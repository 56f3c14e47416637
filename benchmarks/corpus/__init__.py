"""Files of every kind that people hand in, good and bad, and what the product makes of each: `make corpus`."""
