"""Timestamps: RFC 3339 text in UTC, to the second, so that they sort as text in order of time."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """The timestamp of the present moment."""
    return ago(0)


def ago(seconds: float) -> str:
    """The timestamp `seconds` before the present moment."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
