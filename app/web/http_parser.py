"""Which parser reads HTTP: httptools, or the program does not start."""

from importlib.util import find_spec

from app.errors import BrokenSetting


def require_httptools() -> None:
    """BrokenSetting without httptools: uvicorn would take h11, which answers requests that were smuggled in."""
    if find_spec("httptools") is None:
        raise BrokenSetting("The package httptools is missing, and no other parser of HTTP is safe; run `make setup`.")
