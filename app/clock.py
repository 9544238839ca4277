"""The time as we write it down: UTC, to the second, RFC 3339, so that text compares as time does."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """The present moment."""
    return ago(0)


def ago(seconds: float) -> str:
    """The moment so many seconds before the present one."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
