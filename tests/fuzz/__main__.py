"""`make fuzz`, `python -m tests.fuzz`: send bad input to every entry of a running server, and count the faults.

The exit status is 1 if there was any fault: 5xx, a traceback, an end without a code, a hang, or memory that is not
released. It is also a fault if another client gets no answer or waits too long. Input N of seed S is the same each
time.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.fuzz.laps import Options, laps
from tests.fuzz.report import as_text
from tests.fuzz.run import AT_ONCE

__all__ = ["main"]


def main() -> None:
    """Run both laps and print the report."""
    options = _options()
    print(f"seed {options.seed}", flush=True)
    tallies = list(laps(options))
    print(as_text(options.seed, tallies), flush=True)
    if any(tally.faults for tally in tallies):
        sys.exit(1)


def _options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Send bad input to every entry of a server."
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long in all (default: 60)")
    parser.add_argument("--seed", type=int, default=None, help="of the inputs (default: any)")
    parser.add_argument("--only", default="", metavar="N,N", help="numbers of inputs to be run, one at a time")
    parser.add_argument("--anonymous", action="store_true", help="only the server that wants no tokens")
    parser.add_argument("--tokens", action="store_true", help="only the server that wants tokens")
    parser.add_argument(
        "--at-once",
        type=int,
        default=AT_ONCE,
        metavar="N",
        help=f"most inputs at the same time (default: {AT_ONCE})",
    )
    chosen = parser.parse_args()
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    only = tuple(int(number) for number in chosen.only.split(",") if number)
    modes = (False,) if chosen.anonymous else (True,) if chosen.tokens or only else (True, False)
    return Options(chosen.seconds, seed, only, modes, chosen.at_once)


if __name__ == "__main__":
    main()
