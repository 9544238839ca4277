"""The search report: hits in rank order, named entities first, each with the matching field and a snippet."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import comb
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from app.db.tables import CODE, ENTRY
from app.fields import includable
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from app.reports.search.counts import NARROWING, Counting
from app.reports.search.highlights import Highlighter
from app.reports.search.schemas import FIELDS, RECORD, SearchQuery
from app.search.engine import places
from app.search.expressions import Expression, Without, about, about_any, all_of, any_of, holding
from app.search.identifiers import SYSTEMS, codes_in, identifiers_in, keys_in
from app.search.index_entries import kind_at, kinds_in_order
from app.search.interpretation import InterpretedQuery, anywhere, interpret, tiers
from app.search.query_parser import parse_query
from app.search.ranking import Position, RankedHit, found_from
from app.search.result_set import ResultSet, result_set_of
from app.store.read.cursors import read_cursor, unreadable, write_cursor
from app.store.read.included import included
from app.store.read.missing import present_ids, refuse_unknown_ids
from app.store.read.query import Address
from app.store.read.records import documents_of
from app.store.read.scope import above

MOST_IDENTIFIED = 20
MOST_WAYS = 12
"""How many combinations of words may be tried when not all words of a query match."""


def read_search(connection: Connection, query: SearchQuery, address: Address) -> tuple[bytes, str | None]:
    """One page of a search as JSON (`SearchPage`), and the next cursor.

    BadCursor for a cursor of another search, InvalidParameter for an unknown id in a filter.
    """
    question = parse_query(query.text)
    understood = interpret(connection, question)
    start = _start(query)
    kinds = query.kinds or kinds_in_order()
    narrowing = _filter_expressions(connection, query.narrowing)
    known = _identified(connection, query.text, [*narrowing.values()])
    identified = [place for place in known if kind_at(place) in kinds]
    needed, matches = _matches(connection, understood, [*narrowing.values()], is_strict=bool(known))
    ranked_tiers = tiers(understood, needed, [*narrowing.values()], kinds) if needed else []
    found: list[RankedHit] = []
    for hit in found_from(
        matches, start, identified=identified, tiers=ranked_tiers, query_words=question.words, chunk=query.limit + 1
    ):
        found.append(hit)
        if len(found) > query.limit:
            break
    page, is_last = found[: query.limit], len(found) <= query.limit
    rows = _entries(connection, [hit.place for hit in page])
    highlighter = None
    if {"field", "snippet"} & set(_selected_fields(query)):
        documents = {(kind, record_id): from_json(text) for kind, record_id, text in _documents(connection, rows)}
        highlighter = Highlighter(connection, understood.wanted, identifiers_in(query.text), documents)
    matching = anywhere(understood.groups, needed) if needed else None
    counts = Counting(matches, matching, known, narrowing, kinds)
    content: dict[str, Any] = {
        "items": _items(query, page, rows, highlighter, address),
        "next": None if is_last else write_cursor(query.fingerprint(), page[-1].following),
        "matched": "all" if needed == len(understood.groups) else "some",
        "groups": counts.groups(),
        "corrected": understood.corrected if matches.counts or not known else {},
        "followed": {name: others for name, others in understood.followed.items() if others},
    }
    if query.facets:
        content["facets"] = {name: counts.facet(name) for name in query.facets}
    if query.include:
        content["included"] = _included(connection, rows, query.include)
    return to_json(content), content["next"]


def _start(query: SearchQuery) -> Position:
    """The position at which the page begins; BadCursor for invalid values, since a client can forge a cursor."""
    if query.cursor is None:
        return Position()
    values = read_cursor(query.cursor, query.fingerprint())
    if len(values) != 3 or not all(type(value) is int and 0 <= value < 2**62 for value in values):
        raise unreadable()
    return Position(*values)


def _filter_expressions(connection: Connection, filters: Mapping[str, Sequence[str]]) -> dict[str, Expression]:
    """The index expression of each filter, by name; former ids are replaced by the present ones.

    As in lists by default, warnings of the classes above a treatment and of the conditions above a condition are found,
    too, and with both filters those of the treatment that name no condition.
    """
    refuse_unknown_ids(connection, {name: (RESOURCES[NARROWING[name]], ids) for name, ids in filters.items()})
    former = present_ids(connection, {NARROWING[name]: ids for name, ids in filters.items()})
    found: dict[str, Expression] = {}
    applying: dict[str, list[Expression]] = {}
    for name, ids in filters.items():
        plural = NARROWING[name]
        present = [former.get((plural, record_id), record_id) for record_id in ids]
        wider = above(connection, name, present)
        applying[name] = [holding(plural, record_id) for record_id in (*present, *wider)]
        found[name] = any_of(
            [*(about(plural, record_id) for record_id in present), *(holding(plural, record_id) for record_id in wider)]
        )
    if len(found) > 1:
        general = Without(any_of(applying["treatment"]), about_any(NARROWING["condition"]))
        found["condition"] = any_of([found["condition"], general])
    return found


def _matches(
    connection: Connection, understood: InterpretedQuery, narrowing: Sequence[Expression], *, is_strict: bool
) -> tuple[int, ResultSet]:
    """How many word groups a hit must match, and the hits: all groups, else the largest number that has a hit."""
    count = len(understood.groups)
    for needed in range(count, 0, -1):
        if comb(count, needed) <= MOST_WAYS:
            matches = result_set_of(connection, all_of([anywhere(understood.groups, needed), *narrowing]))
            if matches.counts or is_strict:
                return needed, matches
    return count, ResultSet(connection)


def _identified(connection: Connection, text: str, narrowing: Sequence[Expression]) -> list[int]:
    """The index positions of records that the query text identifies by an id, present or former, or by a code."""
    kinds, codes = kinds_in_order(), sorted(codes_in(text))
    if not codes:
        return []
    code_query = select(CODE.c.kind, CODE.c.id).where(
        CODE.c.system.in_(SYSTEMS), CODE.c.code.in_(codes), CODE.c.kind.in_(kinds)
    )
    coded = [(kind, record_id) for kind, record_id in connection.execute(code_query.limit(MOST_IDENTIFIED))]
    former = present_ids(connection, dict.fromkeys(kinds, codes)).items()
    renamed = [(kind, present) for (kind, _), present in former]
    keys = {*coded, *renamed, *((kind, code) for kind in kinds for code in codes), *keys_in(text)}
    ids = {record_id for _, record_id in keys}
    same = select(ENTRY.c.kind, ENTRY.c.id, ENTRY.c.place).where(ENTRY.c.kind.in_(kinds), ENTRY.c.id.in_(ids))
    found = {place for kind, record_id, place in connection.execute(same) if (kind, record_id) in keys}
    if narrowing:
        within = all_of(narrowing)
        found = {place for place in found if places(connection, within, after=place - 1, beyond=place + 1, most=1)}
    return sorted(found)


def _entries(connection: Connection, found_places: Sequence[int]) -> dict[int, Any]:
    query = select(ENTRY.c.place, ENTRY.c.kind, ENTRY.c.id, ENTRY.c.title).where(ENTRY.c.place.in_(found_places))
    return {row.place: row for row in connection.execute(query)}


def _items(
    query: SearchQuery,
    page: Sequence[RankedHit],
    rows: Mapping[int, Any],
    highlighter: Highlighter | None,
    address: Address,
) -> list[dict[str, Any]]:
    """The hits of a page, with the requested fields."""
    items: list[dict[str, Any]] = []
    for hit in page:
        row = rows[hit.place]
        item = {"kind": row.kind, "id": row.id, "title": row.title, "match": hit.match}
        item["url"] = address(f"/v1/{row.kind}/{row.id}")
        if highlighter is not None:
            item["field"], item["snippet"] = highlighter.of((row.kind, row.id), row.title, hit.match)
        items.append({name: item[name] for name in _selected_fields(query)})
    return items


def _selected_fields(query: SearchQuery) -> list[str]:
    """The requested fields of a hit; all by default, `kind` and `id` always."""
    return [name for name in FIELDS if name in ("kind", "id") or not query.fields or name in query.fields]


def _documents(connection: Connection, rows: Mapping[int, Any]) -> Iterator[tuple[str, str, str]]:
    """The documents of the hits, each with its kind and id."""
    keys = sorted((row.kind, row.id) for row in rows.values())
    for kind, group in groupby(keys, key=itemgetter(0)):
        for record_id, document in documents_of(connection, kind, [record_id for _, record_id in group]):
            yield kind, record_id, document


def _included(connection: Connection, rows: Mapping[int, Any], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The `included` records, by plural and id: the hits themselves for `record`, else references as in lists."""
    found: dict[str, dict[str, Any]] = {}
    for kind, group in groupby(_documents(connection, rows), key=itemgetter(0)):
        documents = {record_id: document for _, record_id, document in group}
        if RECORD in names:
            found.setdefault(kind, {}).update({record_id: from_json(text) for record_id, text in documents.items()})
        references = [name for name in names if name in includable(RESOURCES[kind])]
        for plural, records in included(connection, RESOURCES[kind], list(documents.values()), references).items():
            found.setdefault(plural, {}).update(records)
    return dict(sorted(found.items()))
