"""Changes as an Atom feed (RFC 4287, paged after RFC 5005): one entry a change, for feed readers and notifiers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from pydantic_core import to_json

ATOM = "http://www.w3.org/2005/Atom"
UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped (XML 1.0, section 2.2)."""
LONGEST_VALUE = 60
"""A value of at most so many characters stands in a title; longer ones in the content alone."""
EVENTS: Mapping[str, str] = {
    "created": "created",
    "source-retracted": "retracted",
    "source-corrected": "corrected",
    "source-under-concern": "under an expression of concern",
    "source-reinstated": "no longer under a notice",
    "claim-withdrawn": "withdrawn",
    "record-withdrawn": "withdrawn",
    "record-reinstated": "reinstated",
}
"""Changes that have a name of their own; every other one is told by its field, old and new."""


@dataclass(frozen=True)
class FeedEntry:
    """One change as the feed tells it; `mark` tells it from every other change of the dataset."""

    mark: str
    at: str
    author: str
    reason: str | None
    record: str
    type: str
    field: str | None
    old: Any
    new: Any
    url: str


@dataclass(frozen=True)
class FeedAddresses:
    """Where the feed is: `root` of the service, `feed` for all its pages, this page, the next one, and its JSON."""

    root: str
    feed: str
    page: str
    next: str | None
    json: str


def render_feed(entries: Sequence[FeedEntry], addresses: FeedAddresses, *, updated: str) -> bytes:
    """The feed document; `updated` (RFC 3339) is the time of a feed without entries."""
    feed = Element("feed", {"xmlns": ATOM})
    _text(feed, "id", _urn(addresses.feed))
    _text(feed, "title", "Treatment Evidence API: what changed")
    _text(feed, "updated", max((entry.at for entry in entries), default=updated))
    _text(SubElement(feed, "author"), "name", "Treatment Evidence API")
    _link(feed, "self", addresses.page, "application/atom+xml")
    _link(feed, "alternate", addresses.json, "application/json")
    if addresses.next:
        _link(feed, "next", addresses.next, "application/atom+xml")
    for entry in entries:
        _add_entry(feed, entry, addresses.root)
    document: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def title_of(entry: FeedEntry) -> str:
    """The change in words: `claims/c20: verdict changed from contradicted to supported`."""
    if entry.type in EVENTS:
        return f"{entry.record}: {EVENTS[entry.type]}"
    if entry.type == "renamed":
        return f"{entry.record}: renamed from {entry.old}"
    old, new = value_text(entry.old), value_text(entry.new)
    if max(len(old), len(new)) > LONGEST_VALUE:
        return f"{entry.record}: {entry.field} changed"
    if not old:
        return f"{entry.record}: {entry.field} set to {new}" if new else f"{entry.record}: {entry.field} added"
    return (
        f"{entry.record}: {entry.field} changed from {old} to {new}"
        if new
        else f"{entry.record}: {entry.field} removed"
    )


def value_text(value: Any) -> str:
    """A value as text: words as they are, nothing for null, JSON for the rest."""
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value).decode()


def _add_entry(feed: Element, entry: FeedEntry, root: str) -> None:
    element = SubElement(feed, "entry")
    _text(element, "id", _urn(f"{root}/v1/changes#{entry.mark}"))
    _text(element, "title", title_of(entry))
    _text(element, "updated", entry.at)
    _text(SubElement(element, "author"), "name", entry.author)
    SubElement(element, "category", {"term": entry.type})
    _link(element, "alternate", entry.url, "application/json")
    _text(element, "content", "\n".join(_content(entry)), type="text")


def _content(entry: FeedEntry) -> Iterable[str]:
    yield f"{title_of(entry)}."
    if entry.type not in ("created", "renamed"):
        yield f"{entry.field} before: {value_text(entry.old) or 'nothing'}"
        yield f"{entry.field} now: {value_text(entry.new) or 'nothing'}"
    if entry.reason:
        yield f"Reason: {entry.reason}"


def _urn(address: str) -> str:
    """A name that stays the same for ever and is a valid IRI whatever the address holds (RFC 9562, version 5)."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, address)}"


def _text(parent: Element, name: str, content: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = UNFIT.sub("\ufffd", content)


def _link(parent: Element, rel: str, href: str, media_type: str) -> None:
    SubElement(parent, "link", {"rel": rel, "href": href, "type": media_type})
