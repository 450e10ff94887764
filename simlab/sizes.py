"""Sizes: divisors, and checks before anything is built for axes beyond int32 and arrays beyond memory."""

import math
import os
import resource
from functools import lru_cache

from simlab.validation import invalid

MOST_INT32 = 2**31 - 1
# Compilation time grows in proportion to the number of layers.
MOST_LAYERS = 1000


def largest_divisor(number: int, limit: int) -> int:
    """Return the largest divisor of a number that is at most ``limit``; 1 for a number of 0."""
    small = [divisor for divisor in range(1, math.isqrt(number) + 1) if number % divisor == 0]
    return max((divisor for pair in small for divisor in (pair, number // pair) if divisor <= limit), default=1)


def check_int32(field: str, value: int, things: str) -> int:
    """Return ``value``, or raise ``ValueError`` if so many ``things`` cannot be numbered in int32."""
    if value > MOST_INT32:
        raise invalid(field, f"less than 2^31, as {things} are numbered in int32", value)
    return value


def check_array(name: str, itemsize: int = 4, **sizes: object) -> None:
    """Raise ``ValueError`` if an array is larger than memory; the message names its largest size.

    Args:
        name: what the array holds, for the message.
        itemsize: bytes per number.
        sizes: the length of each axis by field. Nothing is checked if one of them is not a positive whole number;
            another check reports it.
    """
    counts = {field: size for field, size in sizes.items() if isinstance(size, int) and size > 0}
    if len(counts) < len(sizes):
        return
    needed, available = itemsize * math.prod(counts.values()), host_memory()
    if needed <= available:
        return
    field = max(counts, key=lambda name: counts[name])
    limit = available * counts[field] // needed
    others = ", ".join(f"{other}={size}" for other, size in counts.items() if other != field)
    reason = f"as the {name} of {_gigabytes(needed)} must fit in {_gigabytes(available)} of memory"
    raise invalid(field, f"at most {limit}{f' with {others}' if others else ''}, {reason}", counts[field])


def _gigabytes(n_bytes: int) -> str:
    return f"{min(n_bytes, 10**300) / 1e9:.3g} GB"


def widest_layer() -> int:
    """Return the width of the square float32 matrix that fills the memory."""
    return math.isqrt(host_memory() // 4)


@lru_cache(maxsize=1)
def host_memory() -> int:
    """Return the memory of this host in bytes, or the address space limit of this process if that is less."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return memory if limit == resource.RLIM_INFINITY else min(memory, limit)
