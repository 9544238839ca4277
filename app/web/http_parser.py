"""A startup check that uvicorn parses HTTP with httptools."""

from importlib.util import find_spec

from app.errors import BrokenSetting


def require_httptools() -> None:
    """Raise BrokenSetting without httptools: uvicorn would use h11, which allows request smuggling."""
    if find_spec("httptools") is None:
        raise BrokenSetting("The package httptools is missing, and no other parser of HTTP is safe; run `make setup`.")
