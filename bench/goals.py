"""What ./dev bench has to reach, and how a figure is judged by it.

One line a goal; a goal that is missed says so in docs/BENCHMARKS.md, with by how much, and `why`:
what a profile said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple, Union

Limit = Union[str, float]


@dataclass(frozen=True)
class Goal:
    """`side` is at most (or at least) `factor` times `limit`: the best peer of the row (BEST), a
    side of it, or a number in its unit. `otherwise` is a second limit with its factor: one of the
    two suffices.
    """

    row: str
    side: str
    limit: Limit
    factor: float = 1.0
    at_least: bool = False
    why: str = ""
    of: str = "median"  # or "p99"
    otherwise: Union[Tuple[Limit, float], None] = None

    def name(self) -> str:
        """What is asked, in words."""
        name = self.side if self.of == "median" else f"{self.side}: {self.of}"
        beside = [limit for limit, _ in self.limits() if isinstance(limit, str)]
        return name + (f", beside {' or '.join(beside)}" if beside else "")

    def limits(self) -> list[Tuple[Limit, float]]:
        """Each limit with its factor."""
        return [(self.limit, self.factor), *([self.otherwise] if self.otherwise else [])]


def is_peer(side: str) -> bool:
    """Whether a side is another product, or stands in for one, and does the same work."""
    return not side.startswith(("otolith", *LIMITS)) and not side.endswith(NOT_SYNCED)


BEST = "the best peer"  # of a row, whichever it is in this run
LIMITS = ("probe", "plain ")  # what the machine could do, of which no side is a product
NOT_SYNCED = ", not synced"  # a peer that does not wait for the disk where the others do

PLAIN_LOOP = "plain loop: out[i] = in[i] + base"
VERIFIES = (
    "bytes are read from the files anew, into memory that stays in the cache: this alone takes as "
    "long as the sum; then they are checksummed, decoded, judged and summed up for zone maps, each "
    "pass at 35 GB/s or more: two threads cannot do all of it in the time of one addition"
)
ENCODES = (
    "on two threads a third of the processors' time is the system's, which takes the bytes over "
    "and gives them to the disk; of the rest a quarter hashes, a quarter encodes, a sixth weighs "
    "codecs"
)
FILTERS = "a third of the time unpacks words of 53 bits, value1 twice: to test and to gather it"
LOADS = (
    "a quarter of the time numbers texts for the dictionary, twice a chunk: to choose the codec "
    "and to encode; a tenth hashes the leaves"
)
WASTES = (
    "as it comes, DuckDB gives a row group of small values a block of 256 KiB of its own, whatever "
    "it fills; with its least blocks, which nobody has unless he asks, it wastes nothing, and "
    "leaves integers of 64 bits plain. Lost are columns of a value or of few long runs, year, "
    "month and day: what is kept of each page takes 0.1 bits a value"
)

COMMITS_COST = (
    "of some 50 µs a commit a quarter hashes 23 leaves and their keys, a quarter is the system's, "
    "for lock, page and frame, a fifth looks at 23 arrays in Python, a sixth allocates; SQLite "
    "puts ten rows into a page in half of that, and hashes nothing"
)
ENGINES = (
    "a query of no rows takes Polars or DuckDB 1.5 to 2.5 ms by itself (adr/0071), longer than the "
    "read of a day"
)
MERGES = (
    "a day is merged out of some thirty segments, each with a few hundred late rows of it; one day "
    "alone, of which little is read, does not show it"
)
ONE_DOCUMENT = (
    "two fifths of the time are zstd's, and as much waits for memory that is in no cache: the id's "
    "bucket, end and body of a document, 100 to 160 ns each"
)
ONE_DOCUMENT_LIVE = (
    "a third of the time looks whether others committed, by a call of the system (adr/0023), a "
    "quarter is zstd's, and as much waits for memory: the id's bucket, end and body of a document"
)
ONE_ID = (
    "one wait for memory, of the id's bucket, is two thirds of the time: 100 to 160 ns where the "
    "cache is shared, and LMDB waits seven times; an id that is compared needs that one"
)
ONE_OF_MANY = (
    "two waits for memory, of the filter over all segments and of the id's bucket, whose tables "
    "are too small for huge pages, so that the table of pages is waited for, too"
)
ONE_DICT = (
    "a fifth of the time looks whether others committed, by a call of the system (adr/0023), a "
    "fifth makes the dict, a fifth unpacks, the rest is the interpreter's; a collection of a "
    "commit looks for nobody. Over 16 segments the dictionaries of 16 chunks are in no cache"
)
LOADS_DOCUMENTS = (
    "a third of the time parses JSON, a third looks ids up, sorts them and copies bodies on one "
    "thread, a third compresses bodies one by one, each by itself, and shreds them"
)
WHOLE_BODIES = (
    "bodies are kept whole, and each is compressed by itself so that one is read without others; "
    "shredded paths come on top. The peers keep values alone, by columns, and no order of fields"
)
ONE_COLUMN = (
    "all rows are decoded, then half of them picked: beside a column that is decoded in 0.3 ns a "
    "value into its place, the picking shows"
)

A_COMMIT = "one durable commit of 10 rows"
A_SCAN = "scan of the scope and a commit"

GOALS = [
    Goal("W1/1", "otolith", BEST, 0.35, why=ENCODES),
    Goal("W1/1", "otolith", "plain columns", why=ENCODES),
    Goal("W1/4", "otolith", 1e-3),
    Goal(
        "W1/4 view",
        "otolith raw",
        "plain columns",
        1.1,
        why="the system keeps what was written in chunks in smaller pieces of memory: the same "
        "segment copied by one write is summed up as fast as a bare map, at any alignment",
    ),
    Goal("W1/5", "otolith", BEST, 0.5, otherwise=("probe", 1.25)),
    Goal("W1/6", "otolith", BEST, 0.25, why=FILTERS, otherwise=("probe", 1 / 0.7)),
    Goal("W1/8", "otolith, C++", 0.3e-3),
    Goal("W1/8", "otolith, C++", BEST),
    Goal("W1/8 first", "otolith, C++", 0.3e-3),
    Goal("W1/8 range", "otolith, C++", BEST),
    Goal("W1/19", "otolith", "probe", 1 / 0.9, why=VERIFIES),
    Goal("W1/19 raw", "otolith raw", "probe", 1 / 0.9, why=VERIFIES),
    Goal("W1/19 first", "otolith", 1.25),
    Goal("W1/20", "otolith", BEST, 0.95),
    Goal("flights/21", "otolith small", BEST),
    Goal("flights/21", "otolith", BEST, 1.3),
    Goal("flights/21b", "otolith", BEST, why=LOADS),
    Goal(
        "flights/5",
        "otolith",
        BEST,
        why="the largest part compares and hashes each text to find the str it shares",
    ),
    Goal(
        "quotes/5b",
        "otolith",
        BEST,
        why="rows lie by symbol, the peers' by time already: they are sorted by slices in cache "
        "and gathered to their places",
    ),
    Goal(
        "quotes/5b stored",
        "otolith",
        BEST,
        0.5,
        why="not profiled since text is decoded into large pages",
        otherwise=("probe", 1.25),
    ),
    Goal("quotes/12", "otolith", 0.19e-3),
    Goal("quotes/12", "otolith", BEST),
    Goal(
        "quotes/12",
        "otolith, C++",
        10e-6,
        why="more than a third of the time decodes texts of the key, a sixth looks for pages to "
        "pass over, a quarter unpacks and adds up times and numbers",
    ),
    Goal("quotes/21", "otolith", BEST),
    Goal("columns/21", "otolith", "DuckDB", 0.7),
    Goal("columns/21", "otolith small", "DuckDB", 0.55),
    Goal("columns/21", "otolith", BEST, 0.7, why=WASTES),
    Goal("columns/21", "otolith small", BEST, 0.55, why=WASTES),
    Goal("versions/14", "otolith", BEST),
    Goal("versions/15", "otolith", BEST),
    Goal("versions/17b", "otolith", 1.0),
    Goal("versions/17b", "otolith", BEST),
    Goal("versions/17b read", "otolith", BEST, 0.4, otherwise=("probe", 1.25)),
    Goal("versions/17b list", "otolith", BEST),
    Goal("writing/17", "otolith", BEST, why=COMMITS_COST),
    Goal("writing/delete", "otolith", 0.5),
    Goal("writing/delete read", "otolith", "otolith before", 1.3),
    Goal("writing/delete column", "otolith", "otolith before", 1.3, why=ONE_COLUMN),
    Goal("writing/18 written", "otolith", 3.0),
    Goal("writing/18 read", "otolith", "otolith compacted", 1.3, why=MERGES),
    Goal("writing/18 day", "otolith", "otolith compacted", 1.3),
    Goal("writing/23", "otolith", "otolith, without a writer", 0.9, at_least=True),
    Goal("writing/wait", "otolith", 10e-3),
    Goal("writing/import", "otolith", 512e6),
    Goal("import/csv", "otolith, 1 thread", "DuckDB, 1 thread"),
    Goal("import/ndjson", "otolith, 1 thread", "DuckDB, 1 thread", 1 / 0.7),
    Goal("documents/13", "otolith", "LMDB", 0.6, why=ONE_DICT),
    Goal("documents/13", "otolith, 16 segments", "LMDB", 0.6, why=ONE_DICT),
    Goal("events/16 load", "otolith", BEST, why=LOADS_DOCUMENTS),
    Goal("events/16", "otolith", "DuckDB STRUCT", 0.5),
    Goal("events/16 disk", "otolith", "DuckDB STRUCT", 0.6, why=WHOLE_BODIES),
    Goal("events/16 disk", "otolith small", "Parquet zstd", 1.3, why=WHOLE_BODIES),
    Goal("interop/day", "otolith by Polars", "otolith", 1.3, why=ENGINES),
    Goal("interop/day", "otolith by DuckDB", "otolith", 1.3, why=ENGINES),
    Goal("interop/month", "otolith by Polars", "otolith", 1.3),
    Goal("interop/month", "otolith by DuckDB", "otolith", 1.3),
    Goal("interop/asof", "otolith", BEST),
    Goal("interop/import", "otolith", 60e-3),
    Goal("1", "otolith, codec raw, digest included", "plain columns, written and fsynced", 1.3),
    Goal("2", "otolith, row by row", "probe: each row copied into new memory", 4),
    Goal("2", "otolith, row by row", BEST, 1 / 20),
    Goal(
        "bulk",
        "plain writes with early write-back, then fdatasync",
        "plain writes, then fdatasync",
    ),
    Goal("crash", "crash states built a second", 35_000, at_least=True),
    Goal(
        "3",
        "otolith, one committer",
        "probe: 1 KiB append and fdatasync",
        1.3,
        why="about 35 µs a commit are not the disk: encoding, leaf keys, nine calls of the system "
        "for lock, page and frame; the faster the disk, the more they weigh",
    ),
    Goal(
        "3",
        "otolith from Python, one committer",
        "probe from Python: 1 KiB append and fdatasync",
        1.5,
        why="some 35 µs are the core's, and the interpreter takes as much to look at five arrays",
    ),
    Goal("3", "otolith from Python, one committer", BEST),
    Goal("3", "otolith from Python, one committer", BEST, of="p99"),
    Goal(
        "3",
        "8 committers: commits per fsync",
        6.4,
        at_least=True,
        why="the committer gathers for at most a fifth of the last append, and on two cores eight "
        "threads come later than that",
    ),
    Goal("13", "otolith look-up, one segment", "LMDB look-up", 0.1, why=ONE_ID),
    Goal("13", "otolith look-up, 16 segments", "LMDB look-up", 0.25, why=ONE_OF_MANY),
    Goal("13", "otolith get of a commit, one segment", 1e-6, why=ONE_DOCUMENT),
    Goal("13", "otolith get, one segment", 1e-6, why=ONE_DOCUMENT_LIVE),
    Goal("22", "unpack, 13 bits", PLAIN_LOOP, 0.9, at_least=True),
    Goal(
        "22",
        "decode alp: amounts, 2 decimals",
        PLAIN_LOOP,
        0.6,
        at_least=True,
        why="with AVX-512 one loop unpacks and converts in registers; functions for every width "
        "would be another 0.3 MB of code; AVX2 stores integers and loads them again",
    ),
    Goal(
        "22",
        "decode delta: counter, Poisson steps",
        PLAIN_LOOP,
        0.35,
        at_least=True,
        why="sums along a row are nine operations for four values, eleven for eight with AVX-512; "
        "a layout by lanes would have one, and a start for every lane: a bit a value (adr/0037)",
    ),
    Goal(
        "22",
        "decode lattice: W1 uniform(0,100)",
        PLAIN_LOOP,
        0.4,
        at_least=True,
        why="with AVX2 words of 53 bits alone are unpacked at half to 0.7x of the plain loop",
    ),
    Goal(
        "22",
        "decode alp_rd: normal(0,1)",
        PLAIN_LOOP,
        0.4,
        at_least=True,
        why="with AVX2 words of 56 bits alone are unpacked at half to 0.7x of the plain loop",
    ),
    Goal("22", "encode frame: small integers", 6, at_least=True),
    Goal(
        "22",
        "encode delta: counter, Poisson steps",
        6,
        at_least=True,
        why="orders are weighed for every block, and widths counted where outliers pay",
    ),
    Goal(
        "22",
        "encode alp: amounts, 2 decimals",
        8,
        at_least=True,
        why="every value is computed back, and exponents are found again for each chunk",
    ),
    Goal("22", "encode alp_rd: normal(0,1)", 3, at_least=True),
    Goal("15", "rollback of the database, 10,000 rows", f"{A_COMMIT}, 10,000 rows", 1.3),
    Goal("15", "rollback of a table, 10,000 rows", f"{A_COMMIT}, 10,000 rows", 1.3),
    Goal("15", "revert of a commit, 10,000 rows", f"{A_COMMIT}, 10,000 rows", 1.3),
    Goal("15", "rollback of a scope, 10,000 rows", f"{A_SCAN}, 10,000 rows", 1.3),
    Goal("15", "rollback of the database, 10,000,000 rows", f"{A_COMMIT}, 10,000,000 rows", 1.3),
    Goal("15", "rollback of a table, 10,000,000 rows", f"{A_COMMIT}, 10,000,000 rows", 1.3),
    Goal("15", "revert of a commit, 10,000,000 rows", f"{A_COMMIT}, 10,000,000 rows", 1.3),
    Goal("15", "rollback of a scope, 10,000,000 rows", f"{A_SCAN}, 10,000,000 rows", 1.3),
    Goal("15", "segment bytes of all of them, 10,000 rows", 0),
    Goal("15", "segment bytes of all of them, 10,000,000 rows", 0),
    Goal("old state", "at an old commit", "the same rows as the newest state", 1.02),
    Goal("newest state, all documents", "100 revisions behind", "no history", 1.05),
    Goal("newest state, some by id", "100 revisions behind", "no history", 1.05),
    Goal("compact, one thread", "nothing past", 300, at_least=True),
    Goal("compact, reads beside it", "otolith", "otolith, without it", 1.1),
    Goal("14", "open a random commit of 10^6", 1e-3),
    Goal("14", "open a random commit of 10^6, a rollback every ten", 1e-3),
    Goal("open", "10^6 commits, after a checkpoint", 0.05),
    Goal(
        "open",
        "10^6 commits, no checkpoint and no index",
        1.0,
        why="every record is read, checked and hashed by one thread; hashing is about a third",
    ),
]

TITLES = {
    "writing": "commits, deletes, late rows, readers beside a writer",
    "documents": "one document by its id, as a dict",
    "events": "nested events: loaded from JSON lines, filtered on nested paths, their disk",
    "import": "files into a table by the command line, durably",
    "interop": "a table asked through Polars and DuckDB, as-of rows, the import of the package",
    "W1": "10 M rows of regular time, a counter and three uniform doubles, 400 MB plain",
    "flights": "real flights of 2001",
    "quotes": "skewed symbols over five days, bid and ask in cents",
    "columns": "every numeric column of real data, alone, in bits a value, beside DuckDB",
    "versions": "1,000 small commits, and the states that they made",
    "1": "Bulk ingest of W1 (10 M rows, 5 columns, 400 MB)",
    "2": "Rows one at a time: 2 M of five columns of 8 bytes",
    "bulk": "Writing 400 MB durably",
    "crash": "Crash states",
    "3": "Durable commits of 10 rows x 5 columns",
    "13": "One document by its id, in C++",
    "22": "Codecs in cache, one thread, GB of values a second",
    "14": "Opening old commits",
    "15": "Going back, beside one durable commit",
    "old state": "A table as of an old commit, to which rows were added since",
    "newest state, all documents": "All documents, with 100 revisions of each behind a compact",
    "newest state, some by id": "Some documents by id, with 100 revisions of each behind a compact",
    "compact, one thread": "Compact",
    "compact documents": "Compact of documents",
    "compact, reads beside it": "Reads of another table beside a compact",
    "open": "Opening a database",
    "lineage": "Lineage by itself",
    "history": "A history of 10^6 commits",
    "log": "The log by itself",
}
