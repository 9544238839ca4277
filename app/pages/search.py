"""The search page: what was found by kind, each with the words that matched, and what was searched for instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from app.models.indications import Indication
from app.models.treatments import Treatment
from app.pages.context import SHOWN_ON, Around, Link
from app.pages.layout import Where, as_of_words
from app.pages.lists import Filter
from app.pages.wording import spaced, titled
from app.reports.search.page import FoundRecords

EXAMPLES = ("botox migraine", "chronic neck pain", "dysphagia", '"muscle weakness"', "NCT00156910")
Uses = Mapping[tuple[str, str], str]
Segments = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Hit:
    """One found record: its name and the place that says what was asked, in segments."""

    href: str
    title: Segments
    snippet: Segments
    is_data: bool
    """Whether the link leads to JSON, because no page shows the record."""


@dataclass(frozen=True)
class Kind:
    """One choice of the filter by kind."""

    name: str
    count: str
    href: str
    is_chosen: bool


def blank_values(where: Where) -> dict[str, Any]:
    """The page before anything was asked."""
    around = Around({}, release=where.release, today=where.today)
    return {
        "is_asked": False,
        "query": "",
        "examples": [Link(example, around.to("/search", q=example)) for example in EXAMPLES],
    }


def found_values(
    found: FoundRecords, text: str, filters: Mapping[str, str], where: Where, *, is_later: bool
) -> dict[str, Any]:
    """What was found."""
    answer = found.answer
    around = Around(answer["included"], release=where.release, today=where.today)
    asked = {"q": text, **filters}
    kept = {name: value for name, value in asked.items() if name not in found.names}
    return {
        "is_asked": True,
        "query": text,
        "corrected": list(answer["corrected"].items()),
        "followed": list(answer["followed"].items()),
        "is_partial": answer["matched"] == "some",
        "kinds": _kinds(answer["groups"], asked, around),
        "fields": list(_fields(found, filters)),
        "hidden": list((kept | ({"release": where.release} if where.release else {})).items()),
        "everything": around.to("/search", q=text) if filters else None,
        "groups": _groups(answer["items"], found.uses, around),
        "first": around.to("/search", **asked) if is_later else None,
        "next": around.to("/search", **asked, cursor=answer["next"]) if answer["next"] else None,
        "json": around.to("/v1/search", **asked),
        "today": f"/search?{urlencode(asked)}",
        "as_of": as_of_words(found.as_of, where.release),
    }


def _fields(found: FoundRecords, filters: Mapping[str, str]) -> Iterator[Filter]:
    """The filters by what records are about, with how many there are of each; without those that have no choice."""
    for name, names in found.names.items():
        facet = found.answer["facets"][name]
        counts = {value["value"]: f"{value['count']}{'+' if facet['is_at_least'] else ''}" for value in facet["values"]}
        ids = [*counts, *(one for one in [filters.get(name, "")] if one and one not in counts)]
        options = [(one, f"{names.get(one, spaced(one))} ({counts.get(one, '0')})") for one in ids]
        if options:
            yield Filter(name, titled(name), options, filters.get(name, ""))


def _kinds(counts: Sequence[Mapping[str, Any]], asked: Mapping[str, str], around: Around) -> list[Kind]:
    """All kinds, and each that has something; the chosen one stays although it has nothing."""
    chosen, rest = asked.get("kind"), {name: value for name, value in asked.items() if name != "kind"}
    shown = {one["kind"]: f"{one['count']}{'+' if one['is_at_least'] else ''}" for one in counts if one["count"]}
    if not shown and not chosen:
        return []
    if chosen:
        shown.setdefault(chosen, "0")
    kinds = [
        Kind(titled(kind), count, around.to("/search", **rest, kind=kind), kind == chosen)
        for kind, count in shown.items()
    ]
    return [Kind("All", "", around.to("/search", **rest), chosen is None), *kinds]


def _groups(items: Sequence[Mapping[str, Any]], uses: Uses, around: Around) -> list[dict[str, Any]]:
    """The records by kind; the kind of the best one first, and the best first in each."""
    order = list(dict.fromkeys(item["kind"] for item in items))
    alike = groupby(sorted(items, key=lambda one: order.index(one["kind"])), key=lambda one: one["kind"])
    return [{"name": titled(kind), "hits": [_hit(one, uses, around) for one in some]} for kind, some in alike]


def _hit(item: Mapping[str, Any], uses: Uses, around: Around) -> Hit:
    """A record; a title that matched is marked and not said twice, and neither is a name that the title implies."""
    href = _page(item["kind"], item["id"], uses, around)
    title, snippet = [{"text": item["title"], "is_match": False}], item["snippet"]
    if "".join(one["text"] for one in snippet) == item["title"]:
        title, snippet = snippet, []
    elif item["match"] == "about" and all(one["is_match"] for one in snippet):
        snippet = []
    return Hit(href, title, snippet, href.startswith("/v1/"))


def _page(kind: str, record_id: str, uses: Uses, around: Around) -> str:
    """The page that shows a record: of the use that it is about, since a treatment's page does not show every row."""
    record = around.record(kind, record_id) or {}
    use = uses.get((record.get("treatment", ""), record.get("condition", "")))
    if use and kind in SHOWN_ON and SHOWN_ON[kind][0] is Treatment:
        return around.to(f"/{Indication.plural}/{use}", record_id)
    return around.page(kind, record_id)
