"""Lean reads: one record by its id, a list and a nested list as JSON, answered without ASGI, FastAPI or a thread.

The declared routes (`app/web/resources.py`) answer every request; this module answers the plain ones among them with
the same parameter models, the same query and the same statements of the store, on the event loop's own connection to
the SQLite file. It gives None for whatever is not plain (other formats, releases, errors, reads that no index bounds):
then the declared route answers. tests/web/test_lean_reads.py asks both ways the same and compares the bytes.
"""

import re
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from app.db.database import Database
from app.errors import Problem
from app.formats.csv_ndjson import project
from app.models import RESOURCES
from app.models.base import Row
from app.store.read.lists import list_now
from app.store.read.query import query_from, query_model, single_model, split
from app.store.read.records import fetch_now
from app.store.read.units import compared
from app.web.addresses import RequestAddress
from app.web.cache import CachedResponse, Key
from app.web.etags import headers_with_etag, tag_of
from app.web.middleware.headers import revision_header
from app.web.parameters import repeatable
from app.web.resources import parents
from app.web.responses import JSON, envelope, record_links

_TARGET = re.compile(rb"/v1/([a-z-]+)(?:/([a-z0-9-]{1,120})(?:/([a-z-]+))?)?(?:\?([A-Za-z0-9_.,=&-]+))?")
"""The targets that may be lean: no part of them is percent-encoded."""
_ACCEPTS_JSON = frozenset({b"", b"*/*", b"application/json", b"application/json, */*"})
LEAST_COMPRESSED = 500
"""Smallest body in bytes that is compressed where Accept-Encoding allows it; the declared route does that."""


class LeanRead(NamedTuple):
    """A parsed target of a plain read."""

    resource: type[Row]
    record_id: str | None
    parent: tuple[str, type[Row]] | None
    """For a nested list, the filter that its path fixes, and the resource of the parent."""
    path: str
    query: str


class LeanReads:
    """Answers plain reads from one SQLite database."""

    def __init__(self, database: Database, *, public_url: str, contact_url: str) -> None:
        self.database = database
        self.public_url = public_url
        self.contact_url = contact_url

    def read_of(self, key: Key) -> LeanRead | None:
        """The read that a request asks for, when it may be plain."""
        match = _TARGET.fullmatch(key.target) if key.accept in _ACCEPTS_JSON else None
        if match is None:
            return None
        plural, record_id, nested, query = (None if part is None else part.decode() for part in match.groups())
        path = match[0].split(b"?")[0].decode()
        if nested is None:
            resource = RESOURCES.get(str(plural))
            return None if resource is None else LeanRead(resource, record_id, None, path, query or "")
        found = _nested().get((str(plural), nested))
        return None if found is None else LeanRead(found[0], record_id, found[1], path, query or "")

    def answer(self, key: Key, read: LeanRead, revision: int) -> CachedResponse | None:
        """The response to a read; None when the declared route is to answer."""
        try:
            found = self._record(read) if read.record_id and not read.parent else self._list(read)
        except Problem:
            return None  # the declared route makes the problem of it
        if found is None:
            return None
        content, version, links = found
        if key.coding and len(content) >= LEAST_COMPRESSED:
            return None
        headers = headers_with_etag(tag_of(content, JSON, version), links)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        raw += [(b"content-length", b"%d" % len(content)), (b"content-type", JSON.encode())]
        return CachedResponse(key, read.path, raw, revision_header(revision), content)

    def _record(self, read: LeanRead) -> tuple[bytes, int, list[str]] | None:
        params = parsed_parameters(single_model(read.resource), read.query)
        if params is None or not _is_plain(params) or params.version is not None or params.include:
            return None
        found = fetch_now(self.database, read.resource, read.record_id or "")
        if found is None:
            return None
        document, version = found
        content = project(document, split(params.fields)) if params.fields else document
        links = record_links(self._address(read), read.resource, read.record_id or "", version)
        return content.encode(), version, links

    def _list(self, read: LeanRead) -> tuple[bytes, None, list[str]] | None:
        params = parsed_parameters(query_model(read.resource, parent=read.parent and read.parent[0]), read.query)
        if params is None or not _is_plain(params):
            return None
        fixed: dict[str, Any] = {}
        if read.parent is not None:
            name, parent = read.parent
            if fetch_now(self.database, parent, read.record_id or "") is None:
                return None
            fixed = {name: read.record_id}
        query = query_from(read.resource, params, **fixed)
        page = None if compared(query) else list_now(self.database, query)
        if page is None or page.unknown:
            return None
        address = self._address(read)
        return envelope(page, query, address.absolute).encode(), None, address.next_links(page.next)

    def _address(self, read: LeanRead) -> RequestAddress:
        return RequestAddress(self.public_url, self.contact_url, read.path, parameters_of(read.query))


@cache
def _nested() -> dict[tuple[str, str], tuple[type[Row], tuple[str, type[Row]]]]:
    """The resource and the fixed filter of every nested list, by the plurals in its path."""
    return {
        (parent.plural, resource.plural): (resource, (name, parent))
        for resource in RESOURCES.values()
        for name, parent in parents(resource).items()
    }


def parameters_of(query: str) -> list[tuple[str, str]]:
    """Names and values of a query string in which nothing is percent-encoded."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(name, value) for name, _, value in pairs]


def parsed_parameters(model: type[BaseModel], query: str) -> Any:
    """The validated parameters, as FastAPI gives them to the declared route; None when it would refuse them."""
    if not query:
        return _without_parameters(model)
    several = repeatable(model)
    values: dict[str, Any] = {}
    for name, value in parameters_of(query):
        if name in several:
            values.setdefault(name, []).append(value)
        elif name in values:
            return None
        else:
            values[name] = value
    try:
        return model.model_validate(values)
    except ValidationError:
        return None


@cache
def _without_parameters(model: type[BaseModel]) -> BaseModel:
    return model.model_validate({})


def _is_plain(params: Any) -> bool:
    """Whether the answer is JSON of the live database."""
    return params.format in (None, "json") and params.release is None
