"""Table of contents: the file with which Whoosh begins to open a generation (`codec.host`).

    4, 8, 4     bytes of an int, a long and a float
    -12345      by which Whoosh knows the order of bytes
    -111        the version of the format
    3, 54, 0    the release of Whoosh that knows it
    schema      pickled, its length before it
    1, 0        the number in the file's name; not used
    segments    pickled

The pickles are written as they stand: they name what `codec.host` has. For Whoosh to write them it
would have to be imported, which takes as long as 50 articles do. searchkit never reads this file.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

INDEX = "MAIN"  # what Whoosh calls an index that was given no name
NUMBER = 1

_SCHEMA = b"csearchkit.codec.host\nwhoosh_schema\n(tR."  # the function, called without arguments
_SEGMENT = "csearchkit.codec.host\nHostedSegment\n(V{}\ntRa"  # one is made, and put into the list


def write_toc(folder: Path, segments: Sequence[str]) -> None:
    """Write the table of contents with which Whoosh opens the segments in a folder.

    It does not tell which articles were removed: that is read from the file REMOVED.

    Args:
        folder: of the generation.
        segments: the names of their files, in ASCII.
    """
    head = struct.pack(">BBBiiBBBB", 4, 8, 4, -12345, -111, 3, 54, 0, len(_SCHEMA))
    listed = f"(l{''.join(map(_SEGMENT.format, segments))}.".encode("ascii")
    toc = head + _SCHEMA + struct.pack(">ii", NUMBER, 0) + listed
    (folder / f"_{INDEX}_{NUMBER}.toc").write_bytes(toc)
