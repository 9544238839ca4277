"""HTTP responses for lists, single records and exports, in the negotiated format, with ETag and Link headers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from app.db.database import Database
from app.errors import InvalidParameter
from app.fields import id_filters, uses
from app.formats.csv_ndjson import csv_header, csv_lines, ndjson_lines, project
from app.formats.registry import Representation, extra_formats
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from app.models.base import Row
from app.store.read.facets import facets
from app.store.read.included import Included, included_json, included_texts, json_object, parsed
from app.store.read.lists import Page, export_chunk, list_now, list_rows, unknown_ids
from app.store.read.missing import refuse_unknown_ids
from app.store.read.query import Address, Query
from app.store.read.records import fetch
from app.store.read.units import compared, refuse_mixed_units
from app.store.read.versions import fetch_version
from app.web import etags
from app.web.addresses import RequestAddress, address_of
from app.web.negotiation import accepted, choose
from app.web.read_source import ReleaseReads, database_of

JSON = "application/json"
MEDIA_TYPES = {"json": JSON, "csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


def format_of(request: Request, params: BaseModel, offered: Mapping[str, str] = MEDIA_TYPES) -> str:
    """The name of the response format: the `format` parameter, else content negotiation by Accept.

    `offered` gives the media type of each format name. NotAcceptable when Accept allows none of them.
    """
    requested: str | None = getattr(params, "format", None)
    if requested is not None:
        return requested
    chosen = choose(accepted(request), list(offered.values()))
    return next(name for name, media_type in offered.items() if media_type == chosen)


async def list_answer(request: Request, query: Query, params: Any) -> Response:
    """One page of a list in the negotiated format; CSV and NDJSON without `limit` give the whole result."""
    form = format_of(request, params)
    extras = [name for name, is_requested in _extras(query).items() if is_requested]
    if form != "json" and extras:
        raise _needs(extras[0], "json")
    source = database_of(request)
    if isinstance(source, ReleaseReads):
        await source.refuse_later_fields(query)
    if compared(query):
        public_url = request.app.state.settings.public_url
        await source.fetch(lambda connection: refuse_mixed_units(connection, query, public_url))
    if form != "json" and params.limit is None:
        return await export_answer(request, query, form)
    page = list_now(source, query) if isinstance(source, Database) else None
    if page is None or page.unknown:
        shape = (query.resource.plural, query.order, query.count, query.scope, *sorted(query.filters), *query.facets)
        page = await source.fetch(partial(_page, query=query), shape=shape)
    if page.unknown:
        await _refuse_unknown(request, query, page.unknown)
    address = address_of(request)
    content = (
        envelope(page, query, address.absolute) if form == "json" else table(page.documents, query, form, first=True)
    )
    links = address.next_links(page.next)
    return etags.response_with_etag(request, content.encode(), MEDIA_TYPES[form], links=links)


async def _refuse_unknown(request: Request, query: Query, unknown: Mapping[str, Sequence[str]]) -> None:
    """InvalidParameter for ids in filters that no record has or had.

    A release may lack an id that the live dataset has, so that one is asked: such a list is empty and says `unknown`.
    """
    kinds = id_filters(query.resource)
    named = {name: (RESOURCES[kinds[name]], ids) for name, ids in unknown.items()}
    database: Database = request.app.state.database
    await database.fetch(lambda connection: refuse_unknown_ids(connection, named))


def _extras(query: Query) -> dict[str, bool]:
    """Whether the query requests more than the records, by the parameter that does: `include`, `count` or `facet`."""
    return {"include": bool(query.include), "count": query.count, "facet": bool(query.facets)}


def _page(connection: Connection, query: Query) -> Page:
    page = list_rows(connection, query, is_answer=True)
    return replace(page, facets=facets(connection, query)) if query.facets else page


async def single_answer(request: Request, query: Query, record_id: str, params: Any) -> Response:
    """One record, current or in a past version, as JSON, CSV, NDJSON or one of the extra formats of its resource."""
    extras = extra_formats(query.resource)
    media_types = MEDIA_TYPES | {name: extra.media_type for name, extra in extras.items()}
    form = format_of(request, params, media_types)
    _refuse_combinations(query, params.version, form, extras)
    names = extras[form].reads if form in extras else query.include

    def read(connection: Connection) -> tuple[str, int, Included]:
        if params.version is not None:
            return fetch_version(connection, query.resource, record_id, params.version), params.version, {}
        document, version = fetch(connection, query.resource, record_id)
        return document, version, included_texts(connection, query.resource, [record_id], names) if names else {}

    document, version, related = await database_of(request).fetch(read, short=True)
    if form in extras:
        content = extras[form].render(from_json(document), parsed(related), request.app.state.settings.public_url)
    elif form != "json":
        content = table([document], query, form, first=True)
    else:
        content = project(document, query.fields) if query.fields else document
        if query.include:
            content = f'{content[:-1]},"included":{included_json(related)}}}'
    links = record_links(address_of(request), query.resource, record_id, version, form)
    return etags.response_with_etag(request, content.encode(), media_types[form], version=version, links=links)


def record_links(
    address: RequestAddress, resource: type[Row], record_id: str, version: int, form: str = "json"
) -> list[str]:
    """Link header values of one record: its versions, where to report an error, and its other formats."""
    return [
        *address.version_links(resource.plural, record_id, version),
        *address.report_links(resource.plural, record_id, version),
        *other_links(address, extra_formats(resource), form),
    ]


def _refuse_combinations(query: Query, version: int | None, form: str, extras: Mapping[str, Representation]) -> None:
    """InvalidParameter for parameters of a single record that cannot be combined."""
    if form != "json" and query.include:
        raise _needs("include", "json")
    if form in extras and query.fields:
        raise _needs("fields", *MEDIA_TYPES)
    if form in extras and version is not None:
        raise _needs("version", *MEDIA_TYPES)
    if version is not None and query.include:
        detail = "it shows records as they are now, which does not fit a past version; leave one of the two out"
        raise InvalidParameter(f"include: {detail}.", errors=[{"parameter": "include", "detail": detail}])


def _needs(parameter: str, *forms: str) -> InvalidParameter:
    detail = f"{parameter} needs format={' or '.join(forms)}"
    return InvalidParameter(f"{detail}.", errors=[{"parameter": parameter, "detail": detail}])


async def export_answer(request: Request, query: Query, form: str) -> Response:
    """The whole result of a query as CSV or NDJSON, streamed in constant memory; each chunk is a read of its own."""
    database = database_of(request)
    documents, following = await database.fetch(lambda connection: export_chunk(connection, query))
    if id_filters(query.resource).keys() & query.filters.keys() - {"id"}:
        unknown = await database.fetch(lambda connection: unknown_ids(connection, query))
        await _refuse_unknown(request, query, unknown)
    first = table(documents, query, form, first=True)
    if following is None:
        return etags.response_with_etag(request, first.encode(), MEDIA_TYPES[form])

    async def stream(following: Query | None) -> AsyncIterator[str]:
        yield first
        while following is not None:
            chunk, following = await database.fetch(partial(export_chunk, query=following))
            yield table(chunk, query, form, first=False)

    mark = f"{query.fingerprint()}.{','.join(query.fields)}.{request.scope.get('marks')}"
    return etags.streamed(request, stream(following), MEDIA_TYPES[form], mark=mark)


def envelope(page: Page, query: Query, address: Address) -> str:
    """A page as a JSON text: the stored documents joined unparsed, `next`, and the extras that were requested."""
    documents = [project(document, query.fields) for document in page.documents] if query.fields else page.documents
    members = {"items": f"[{','.join(documents)}]", "next": _text(page.next)}
    if page.total is not None:
        members["total"] = _text(page.total)
    if page.facets is not None:
        members["facets"] = _text(page.facets)
    if page.included is not None:
        members["included"] = included_json(page.included)
    if page.not_found is not None:
        members["not_found"] = _text(page.not_found)
    if page.applies is not None:
        members["applies"] = _text(page.applies)
    if page.inherited:
        members["inherited"] = _text([part.entry(address) for part in page.inherited])
    if page.unknown:
        members["unknown"] = _text(sorted({record_id for ids in page.unknown.values() for record_id in ids}))
    return json_object(members.items())


def table(documents: Sequence[str], query: Query, form: str, *, first: bool) -> str:
    """Documents as lines of CSV or NDJSON; with `first` a CSV begins with its header row."""
    if form == "ndjson":
        return ndjson_lines(project(document, query.fields) if query.fields else document for document in documents)
    columns = query.fields or tuple(uses(query.resource))
    return (csv_header(columns) if first else "") + csv_lines(documents, columns)


def other_links(address: RequestAddress, extras: Mapping[str, Representation], form: str) -> list[str]:
    """Link header values for the other extra formats of this record (`alternate`, HTML Living Standard 4.6.7.1)."""
    return [
        f'<{address.absolute(f"{address.path}?format={name}")}>; rel="alternate"; type="{extra.media_type}"'
        for name, extra in extras.items()
        if name != form
    ]


def _text(content: Any) -> str:
    return to_json(content).decode()
