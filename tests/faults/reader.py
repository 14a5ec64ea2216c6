"""A reader: `python reader.py INDEX THREADS` asks an index, until standard input ends.

It prints "reading" when it begins and, when it ends, what its threads have seen, in JSON: how many
generations answered, what the answers were, what went wrong.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from workshop import QUERIES, found

from searchkit import Archive


def main(index: str, threads: int) -> None:
    """Read until there is no more standard input."""
    generations, seen, errors, over = set[str](), set[tuple[str, str]](), list[str](), Event()

    def read(archive: Archive) -> None:
        while not over.is_set():
            try:
                archive.refresh()
                generations.add(archive.index.generation.name)
                seen.update([(query, found(archive.search(query, limit=50))) for query in QUERIES])
            except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
                errors.append(repr(error))

    with Archive.open(index) as archive, ThreadPoolExecutor(threads) as pool:
        for _ in range(threads):
            pool.submit(read, archive)
        sys.stdout.write("reading\n")
        sys.stdout.flush()
        sys.stdin.read()
        over.set()
    told = {"generations": len(generations), "errors": errors, "seen": [*seen]}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
