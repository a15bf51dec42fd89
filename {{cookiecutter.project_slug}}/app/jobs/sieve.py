"""CPU-bound work for a child process, which imports this module: keep its imports few."""

import os


def count_primes(start: int, stop: int) -> int:
    """Count the primes from ``start`` to below ``stop``, at a low process priority."""
    os.setpriority(os.PRIO_PROCESS, 0, 10)
    sieve = bytearray([1]) * (stop - start)
    for number in range(2, int(stop**0.5) + 1):
        first = max(number * number, -(-start // number) * number)
        sieve[first - start :: number] = bytes(len(range(first, stop, number)))
    return sum(sieve) - sum(1 for number in (0, 1) if start <= number < stop)
