"""The OpenAPI document as it is served: the file that `make openapi` wrote, with the public URL of this service.

Nothing else in it depends on settings; `tests/contract/test_openapi.py` holds it equal to what the program derives.
"""

from pathlib import Path

from fastapi import FastAPI

from app.json_codec import Json, from_json

FILE = Path(__file__).parent / "document.json"


def install_openapi(app: FastAPI) -> None:
    """Make `app.openapi` return the document, read at the first request for it."""

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _served_document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _served_document(app: FastAPI) -> Json:
    content: Json = from_json(FILE.read_bytes())
    content["servers"] = [{"url": app.state.settings.public_url}]
    return content
