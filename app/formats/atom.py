"""Changes as an Atom feed (RFC 4287, paged after RFC 5005): one entry a change, for feed readers and notifiers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from app.json_codec import to_json

ATOM = "http://www.w3.org/2005/Atom"
UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that an XML 1.0 document may not contain, not even escaped (XML 1.0, section 2.2)."""
LONGEST_VALUE = 60
"""Most characters of a value in an entry's title; longer values appear in the entry's content only."""
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
"""Title texts of change types; titles of all other types give the field with its old and new value."""


@dataclass(frozen=True)
class FeedEntry:
    """One change as an Atom entry; `mark` is unique among all changes of the dataset and makes the entry's id."""

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
    """URLs of a feed page: the service (`root`), the whole feed, this page, the next page, this page as JSON."""

    root: str
    feed: str
    page: str
    next: str | None
    json: str


def render_feed(entries: Sequence[FeedEntry], addresses: FeedAddresses, *, updated: str) -> bytes:
    """Render the Atom document as UTF-8; `updated` (RFC 3339) is the feed's timestamp when it has no entries."""
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
    """The title of an entry: `claims/c20: verdict changed from contradicted to supported`."""
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
    """A value as text: strings unchanged, an empty string for null, JSON for any other value."""
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
    """A permanent entry id derived from a URL: a version 5 UUID (RFC 9562), a valid IRI for any URL."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, address)}"


def _text(parent: Element, name: str, content: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = UNFIT.sub("\ufffd", content)


def _link(parent: Element, rel: str, href: str, media_type: str) -> None:
    SubElement(parent, "link", {"rel": rel, "href": href, "type": media_type})
