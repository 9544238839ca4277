"""The search page: hits by kind with highlighted snippets, filters with counts, and spelling corrections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from app.models.indications import Indication
from app.models.treatments import Treatment
from app.pages.context import SHOWN_ON, Link, PageContext
from app.pages.layout import PageSettings, as_of_words
from app.pages.lists import Filter
from app.pages.wording import spaced, titled
from app.reports.search.page import FoundRecords

EXAMPLES = ("botox migraine", "chronic neck pain", "dysphagia", '"muscle weakness"', "NCT00156910")
IndicationIds = Mapping[tuple[str, str], str]
"""Ids of indications by (treatment, condition)."""
Segments = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Hit:
    """One search hit: its title and snippet in segments, of which those that match are highlighted."""

    href: str
    title: Segments
    snippet: Segments
    is_data: bool
    """Whether the link is to JSON, because no page shows the record."""


@dataclass(frozen=True)
class Kind:
    """One option of the filter by kind."""

    name: str
    count: str
    href: str
    is_chosen: bool


def blank_values(settings: PageSettings) -> dict[str, Any]:
    """The template values of the search page without a query."""
    context = PageContext({}, release=settings.release, today=settings.today)
    return {
        "is_asked": False,
        "query": "",
        "examples": [Link(example, context.to("/search", q=example)) for example in EXAMPLES],
    }


def found_values(
    found: FoundRecords, text: str, filters: Mapping[str, str], settings: PageSettings, *, is_later: bool
) -> dict[str, Any]:
    """The template values of the search page with results."""
    answer = found.answer
    context = PageContext(answer["included"], release=settings.release, today=settings.today)
    params = {"q": text, **filters}
    hidden = {name: value for name, value in params.items() if name not in found.names}
    return {
        "is_asked": True,
        "query": text,
        "corrected": list(answer["corrected"].items()),
        "followed": list(answer["followed"].items()),
        "is_partial": answer["matched"] == "some",
        "kinds": _kinds(answer["groups"], params, context),
        "fields": list(_fields(found, filters)),
        "hidden": list((hidden | ({"release": settings.release} if settings.release else {})).items()),
        "everything": context.to("/search", q=text) if filters else None,
        "groups": _groups(answer["items"], found.uses, context),
        "first": context.to("/search", **params) if is_later else None,
        "next": context.to("/search", **params, cursor=answer["next"]) if answer["next"] else None,
        "json": context.to("/v1/search", **params),
        "today": f"/search?{urlencode(params)}",
        "as_of": as_of_words(found.as_of, settings.release),
    }


def _fields(found: FoundRecords, filters: Mapping[str, str]) -> Iterator[Filter]:
    """The facet filters with the count of each value; a chosen value is always an option."""
    for name, names in found.names.items():
        facet = found.answer["facets"][name]
        counts = {value["value"]: f"{value['count']}{'+' if facet['is_at_least'] else ''}" for value in facet["values"]}
        ids = [*counts, *(value_id for value_id in [filters.get(name, "")] if value_id and value_id not in counts)]
        options = [
            (value_id, f"{names.get(value_id, spaced(value_id))} ({counts.get(value_id, '0')})") for value_id in ids
        ]
        if options:
            yield Filter(name, titled(name), options, filters.get(name, ""))


def _kinds(counts: Sequence[Mapping[str, Any]], params: Mapping[str, str], context: PageContext) -> list[Kind]:
    """The options of the filter by kind: all, and each kind with hits; the chosen kind is shown even with none."""
    chosen, other_params = params.get("kind"), {name: value for name, value in params.items() if name != "kind"}
    shown = {
        group["kind"]: f"{group['count']}{'+' if group['is_at_least'] else ''}" for group in counts if group["count"]
    }
    if not shown and not chosen:
        return []
    if chosen:
        shown.setdefault(chosen, "0")
    kinds = [
        Kind(titled(kind), count, context.to("/search", **other_params, kind=kind), kind == chosen)
        for kind, count in shown.items()
    ]
    return [Kind("All", "", context.to("/search", **other_params), chosen is None), *kinds]


def _groups(items: Sequence[Mapping[str, Any]], uses: IndicationIds, context: PageContext) -> list[dict[str, Any]]:
    """The hits grouped by kind: the kind of the best hit first, and the best hit first in each."""
    order = list(dict.fromkeys(item["kind"] for item in items))
    groups = groupby(sorted(items, key=lambda item: order.index(item["kind"])), key=lambda item: item["kind"])
    return [{"name": titled(kind), "hits": [_hit(item, uses, context) for item in hits]} for kind, hits in groups]


def _hit(item: Mapping[str, Any], uses: IndicationIds, context: PageContext) -> Hit:
    """The view of a hit; a snippet that only repeats the title, or a name that the title implies, is left out."""
    href = _page(item["kind"], item["id"], uses, context)
    title, snippet = [{"text": item["title"], "is_match": False}], item["snippet"]
    if "".join(segment["text"] for segment in snippet) == item["title"]:
        title, snippet = snippet, []
    elif item["match"] == "about" and all(segment["is_match"] for segment in snippet):
        snippet = []
    return Hit(href, title, snippet, href.startswith("/v1/"))


def _page(kind: str, record_id: str, uses: IndicationIds, context: PageContext) -> str:
    """The path of the page that shows a record: its indication's if any, since a treatment's page is cut."""
    record = context.record(kind, record_id) or {}
    use = uses.get((record.get("treatment", ""), record.get("condition", "")))
    if use and kind in SHOWN_ON and SHOWN_ON[kind][0] is Treatment:
        return context.to(f"/{Indication.plural}/{use}", record_id)
    return context.page(kind, record_id)
