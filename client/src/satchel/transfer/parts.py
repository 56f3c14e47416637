"""Into which parts a file goes."""

from __future__ import annotations

MIB = 1024 * 1024
MULTIPART_FROM = 16 * MIB  # below, one PUT; from here on several connections at once pay
SMALLEST_PART = 5 * MIB  # S3 takes no smaller one, but for the last
MOST_PARTS = 9_999  # S3 takes 10,000; part 10000 breaks the listing of parts in SeaweedFS
LEAST_USUAL, MOST_USUAL = 8 * MIB, 64 * MIB
USUAL_NUMBER = 128
FEW_ROUNDS = 10  # with so few parts a connection it shows when some are done before the others


def part_size_for(size: int, parallel: int) -> int:
    """Bytes of each part but the last, for a file of `size` bytes from `MULTIPART_FROM` up to 5 TiB.

    A small part costs little when it has to be sent again, a large one costs few requests. Where the parts are few,
    their number is a multiple of the connections', so that these are done together.
    """
    usual = min(max(size // USUAL_NUMBER, LEAST_USUAL), MOST_USUAL)
    parts = min(_divided(size, usual), MOST_PARTS)
    if parts <= FEW_ROUNDS * parallel:
        parts = min(_divided(parts, parallel) * parallel, size // SMALLEST_PART)
    return _divided(size, parts)


def number_of_parts(size: int, part_size: int) -> int:
    """How many parts of this size, the last one perhaps smaller, a file of `size` bytes has."""
    return _divided(size, part_size)


def bounds_of(number: int, part_size: int | None, size: int) -> tuple[int, int]:
    """From and to which byte part `number` (from 1) of a file of `size` bytes goes; all of it where there are none."""
    if part_size is None:
        return 0, size
    return (number - 1) * part_size, min(number * part_size, size)


def _divided(number: int, by: int) -> int:
    """Rounded up."""
    return -(-number // by)
