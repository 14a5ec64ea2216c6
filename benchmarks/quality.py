"""Measure how good the ranking is, on sets of queries whose relevant articles are known.

python benchmarks/quality.py FOLDER
python benchmarks/quality.py FOLDER --untitled news.jsonl
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from searchkit import Archive, SearchkitError

BEST = 10  # hits that nDCG and MRR look at
MANY = 100  # hits that recall looks at

_DOCS, _QUERIES = ".docs.jsonl", ".queries.jsonl"


class Query(NamedTuple):
    """What is asked, and the ids of the articles that should be found."""

    text: str
    relevant: frozenset[str]


class Quality(NamedTuple):
    """The mean of three measures over the queries of a set, each from 0 to 1."""

    ndcg: float
    mrr: float
    recall: float


class BadSetError(Exception):
    """A set of queries that cannot be used, in one sentence."""


def measure(found: Sequence[str], relevant: frozenset[str]) -> Quality:
    """Return how good the answer to one query is.

    Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques (2002), where an
    article is relevant or not; the reciprocal rank of the first relevant article among BEST; the
    share of the relevant articles that is among MANY.

    Args:
        found: ids, best first.
        relevant: ids, at least one.

    >>> measure(["a", "b"], frozenset("b"))
    Quality(ndcg=0.6309297535714575, mrr=0.5, recall=1.0)
    """
    ranks = [rank for rank, each in enumerate(found[:BEST], 1) if each in relevant]
    gain = sum(1 / math.log2(rank + 1) for rank in ranks)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(BEST, len(relevant)) + 1))
    recall = len(relevant.intersection(found[:MANY])) / len(relevant)
    return Quality(gain / ideal, 1 / ranks[0] if ranks else 0.0, recall)


def mean(measured: Sequence[Quality]) -> Quality:
    """Return the mean of the measures of some queries, at least one."""
    return Quality(*(sum(column) / len(measured) for column in zip(*measured, strict=True)))


def queries(path: Path) -> list[Query]:
    """Read `{"query": "…", "relevant": ["id", …]}` a line; other keys do not matter.

    Raises:
        BadSetError: a line is none, or there is none.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            query = Query(record["query"], frozenset(map(str, record["relevant"])))
        except (ValueError, TypeError, KeyError):
            query = Query("", frozenset())
        if not isinstance(query.text, str) or not query.relevant:
            raise BadSetError(f'{path}:{number} is no {{"query": "…", "relevant": ["id", …]}}.')
        found.append(query)
    if not found:
        raise BadSetError(f"{path} has no queries.")
    return found


def ask(archive: Archive, asked: Iterable[Query]) -> Iterator[Quality]:
    """Yield how good the answer to each query is, asked as anybody would."""
    for query in asked:
        hits = archive.search(query.text, limit=MANY, passages=0)
        yield measure([hit.id for hit in hits], query.relevant)


def untitled(path: Path, copy: Path) -> Path:
    """Copy JSON Lines without the titles, so that these can be asked for."""
    with path.open(encoding="utf-8") as lines, copy.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps({**json.loads(line), "title": None}, ensure_ascii=False) + "\n")
    return copy


def sets(folder: Path, pool: Path | None) -> Iterator[tuple[str, Path, Path]]:
    """Yield name, articles and queries of each set; say which has no articles."""
    for path in sorted(folder.glob(f"*{_QUERIES}")):
        name = path.name.removesuffix(_QUERIES)
        docs = folder / f"{name}{_DOCS}"
        if docs.exists() or pool:
            yield name, docs if docs.exists() or not pool else pool, path
        else:
            print(f"{name} is left out: there is no {docs}.", file=sys.stderr)


def run(folder: Path, source: Path | None) -> dict[str, dict[str, Any]]:
    """Build an index of each set of a folder, ask it, and print a line of a table.

    Args:
        folder: with NAME.docs.jsonl and NAME.queries.jsonl.
        source: JSON Lines whose articles, without titles, a NAME without docs gets.

    Returns:
        What was measured, by name.
    """
    figures: dict[str, dict[str, Any]] = {}
    print(f"| set | articles | queries | nDCG@{BEST} | MRR@{BEST} | recall@{MANY} |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        pool = source and untitled(source, Path(work, "pool.jsonl"))
        for name, docs, path in sets(folder, pool):
            asked = queries(path)
            index = Path(work, name)
            Archive.build(docs, index)
            with Archive.open(index) as archive:
                found = mean(list(ask(archive, asked)))
                articles = len(archive)
            print(
                f"| {name} | {articles:,} | {len(asked):,} |"
                f" {found.ndcg:.4f} | {found.mrr:.4f} | {found.recall:.4f} |",
                flush=True,
            )
            figures[name] = {"articles": articles, "queries": len(asked), **found._asdict()}
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every set of a folder; 2 if there is none, or one cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="has NAME.docs.jsonl and NAME.queries.jsonl")
    parser.add_argument(
        "--untitled", type=Path, metavar="FILE",
        help="JSON Lines; a NAME without docs asks for its articles, whose titles are left out",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args(arguments)
    try:
        figures = run(given.folder, given.untitled)
    except (BadSetError, SearchkitError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if not figures:
        print(f"{given.folder} has no NAME{_QUERIES} with its NAME{_DOCS}.", file=sys.stderr)
        return 2
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
