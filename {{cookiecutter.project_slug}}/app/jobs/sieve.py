"""Work for a child process, which imports this module: it imports little itself."""

import os


def count_primes(start: int, stop: int) -> int:
    """Count the primes from ``start`` up to ``stop``, which is excluded, at a low priority."""
    os.setpriority(os.PRIO_PROCESS, 0, 10)
    sieve = bytearray([1]) * (stop - start)
    for number in range(2, int(stop**0.5) + 1):
        first = max(number * number, -(-start // number) * number)
        sieve[first - start :: number] = bytes(len(range(first, stop, number)))
    return sum(sieve) - sum(1 for number in (0, 1) if start <= number < stop)
