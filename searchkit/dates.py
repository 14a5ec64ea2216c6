"""Dates as spans of time that compare as plain integers.

A date becomes two numbers, the first and the last second that it may stand for, written as
the decimal digits YYYYMMDDhhmmss. A part that is not given is the lowest possible in the
first and the highest in the last, so no calendar is needed and any two spans compare:

>>> parse_span("2011-05")
(20110500000000, 20110599999999)
>>> parse_span("2025-09-24T08:30:00+03:00")
(20250924083000, 20250924083000)

A time counts by the clock it is written in: a newsroom's day is its own.
"""

import re
from datetime import date, datetime
from functools import lru_cache

from searchkit.errors import DateError

Span = tuple[int, int]
DateLike = date | datetime | str

_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    # Kyiv's own time before 1924 was +02:02:04.
    r"(?:Z|[+-]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)?)?)?)?",
    re.ASCII,
)
_HINT = "write 2025, 2025-09 or 2025-09-24."


def iso_day(moment: int) -> str:
    """Return the day, month or year of one end of a span, as precise as it is.

    >>> iso_day(20250924083000), iso_day(20110000000000)
    ('2025-09-24', '2011')
    """
    digits = f"{moment:014}"
    parts = (digits[:4], digits[4:6], digits[6:8])
    return "-".join(part for part in parts if part not in ("00", "99"))


def parse_span(value: DateLike) -> Span:
    """Return the first and the last second of a date, as YYYYMMDDhhmmss integers.

    Raises:
        DateError: the text is not a year, month, day or time of ISO 8601, or no such day exists.
    """
    return _span(value.isoformat() if isinstance(value, date) else value.strip())


@lru_cache(10_000)  # many articles have the same day
def _span(text: str) -> Span:
    match = _ISO.fullmatch(text)
    if not match:
        raise DateError(f"{text!r} is not a date; {_HINT}")
    try:
        datetime(*map(int, match.groups("1")))  # type: ignore[arg-type]  # noqa: DTZ001 - a check
    except ValueError as error:
        raise DateError(f"{text!r} is not a date: {error}; {_HINT}") from None
    digits = "".join(match.groups(""))
    return int(digits.ljust(14, "0")), int(digits.ljust(14, "9"))
