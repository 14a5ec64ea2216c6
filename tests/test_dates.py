from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from searchkit.dates import DateLike, parse_span
from searchkit.errors import DateError

KYIV = timezone(timedelta(hours=3))
OLD_KYIV = timezone(timedelta(hours=2, minutes=2, seconds=4))


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2011", 2011_00_00_00_00_00, 2011_99_99_99_99_99),
        ("2011-05", 2011_05_00_00_00_00, 2011_05_99_99_99_99),
        ("2025-09-24", 2025_09_24_00_00_00, 2025_09_24_99_99_99),
        ("2025-09-24T08:30", 2025_09_24_08_30_00, 2025_09_24_08_30_99),
        ("2025-09-24 08:30", 2025_09_24_08_30_00, 2025_09_24_08_30_99),
        ("2025-09-24T08:30:15", 2025_09_24_08_30_15, 2025_09_24_08_30_15),
        ("2025-09-24T08:30:15.5", 2025_09_24_08_30_15, 2025_09_24_08_30_15),
        ("2025-09-24T08:30:15Z", 2025_09_24_08_30_15, 2025_09_24_08_30_15),
        ("2025-09-24T08:30:15+03:00", 2025_09_24_08_30_15, 2025_09_24_08_30_15),
        ("2025-09-24T08:30+0300", 2025_09_24_08_30_00, 2025_09_24_08_30_99),
        ("1920-09-24T08:30:15+02:02:04", 1920_09_24_08_30_15, 1920_09_24_08_30_15),
        ("1920-09-24T08:30+020204", 1920_09_24_08_30_00, 1920_09_24_08_30_99),
        ("2025-09-24T00:00:00", 2025_09_24_00_00_00, 2025_09_24_00_00_00),
        (" 2025-09-24\n", 2025_09_24_00_00_00, 2025_09_24_99_99_99),
        ("2024-02-29", 2024_02_29_00_00_00, 2024_02_29_99_99_99),
        (date(2025, 9, 24), 2025_09_24_00_00_00, 2025_09_24_99_99_99),
        (datetime(2025, 9, 24, 8, 30, tzinfo=UTC), 2025_09_24_08_30_00, 2025_09_24_08_30_00),
        (datetime(1920, 9, 24, 8, 30, tzinfo=OLD_KYIV), 1920_09_24_08_30_00, 1920_09_24_08_30_00),
        (datetime(2025, 9, 24, 23, 59, 58, 7, KYIV), 2025_09_24_23_59_58, 2025_09_24_23_59_58),
    ],
)
def test_a_date_is_the_span_from_its_first_to_its_last_second(
    value: DateLike, first: int, last: int
) -> None:
    assert parse_span(value) == (first, last)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "вчора",
        "24.09.2025",
        "24 вересня 2025",
        "25-09-24",
        "2025-9-24",
        "2025-09-24T08",
        "2025-09-24T",
        "2025-09-24 о 8:30",
        "20250924",
        "٢٠٢٥",
    ],
)
def test_any_other_way_to_write_a_date_is_refused_with_a_hint(value: str) -> None:
    with pytest.raises(DateError) as caught:
        parse_span(value)
    assert str(caught.value) == f"{value!r} is not a date; write 2025, 2025-09 or 2025-09-24."


@pytest.mark.parametrize(
    "value",
    [
        "0000",
        "2025-00",
        "2025-13",
        "2025-09-00",
        "2025-09-31",
        "2023-02-29",
        "2025-09-24T24:00",
        "2025-09-24T08:60",
        "2025-09-24T08:30:61",
    ],
)
def test_a_day_or_time_that_does_not_exist_is_refused_with_a_hint(value: str) -> None:
    """One sentence says what is wrong and what to write."""
    hint = "write 2025, 2025-09 or 2025-09-24[.]"
    with pytest.raises(
        DateError, match=f"^'{value}' is not a date: [^.;]+([.][.][^.;]+)?; {hint}$"
    ):
        parse_span(value)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2010", "2011"),
        ("2011-05", "2011-06"),
        ("2011-05-31", "2011-06"),
        ("2011", "2012-01-01"),
        ("2025-09-24T08:30:15", "2025-09-24T08:30:16"),
    ],
)
def test_spans_compare_as_the_dates_do(earlier: str, later: str) -> None:
    assert parse_span(earlier)[1] < parse_span(later)[0]
