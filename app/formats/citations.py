"""Sources as a reader cites them: what a source's record holds, taken apart once, and as Vancouver text and CSL-JSON.

A part that the record does not hold is left out; nothing is guessed. Vancouver: Citing Medicine (NLM, 2nd edition),
with six authors before "et al." as the ICMJE recommends. CSL-JSON: the schema `csl-data.json` of CSL 1.0.2.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import to_json

from app.formats.dataset_citation import MONTHS

MOST_AUTHORS = 6
PERIODICALS = frozenset({"journal-article", "systematic-review"})
MAY_BE_ARTICLES = PERIODICALS | {"guideline"}
PLACE = re.compile(
    r"(?P<journal>.*[^\d\s,]) (?P<volume>\d+)"
    r"(?:(?:\((?P<issue>[^()]+)\))?:(?P<pages>[A-Za-z]*\d[\w.]*(?:-\w+)?)|\((?P<only_issue>[^()]+)\))"
)
"""A journal with volume, issue and pages, as `container` holds them: `Neurology 56(10):1290-3`."""
INITIALS = re.compile(r"(?P<family>.+) (?P<given>[A-Z]{1,4})")
CSL_TYPES = {"guideline": "report", "registry-record": "webpage", "web-article": "webpage"}
"""What CSL calls a kind of source outside periodicals; whatever else a source may be is a `document`."""


@dataclass(frozen=True)
class Author:
    """One author: a person with initials, or a name that is taken as it stands."""

    family: str
    given: str | None = None


@dataclass(frozen=True)
class BibliographicReference:
    """What a citation says of one source."""

    id: str
    kind: str
    title: str
    authors: tuple[Author, ...]
    container: str | None
    """The journal's name where volume and pages could be told apart from it, else all that the record says."""
    volume: str | None
    issue: str | None
    pages: str | None
    issued: str | None
    """A partial date: `2001`, `2010-10`, `2010-10-15`."""
    accessed: str | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    url: str | None
    retraction: str | None

    @property
    def is_article(self) -> bool:
        """Whether it stands in a periodical."""
        return self.kind in PERIODICALS or self.volume is not None

    @property
    def first_page(self) -> str | None:
        """The page on which it begins."""
        return None if self.pages is None else self.pages.split("-")[0]

    @property
    def last_page(self) -> str | None:
        """The page on which it ends, written out: 1293 for `1290-3`; None where one page or number stands alone."""
        first, _, last = (self.pages or "").partition("-")
        if not last:
            return None
        is_short = first.isdigit() and last.isdigit() and len(last) < len(first)
        return first[: len(first) - len(last)] + last if is_short else last


def reference_of(source: Mapping[str, Any]) -> BibliographicReference:
    """The parts of a record of `sources`."""
    container = source["container"]
    found = PLACE.fullmatch(container) if container and source["kind"] in MAY_BE_ARTICLES else None
    place = found.groupdict() if found else {}
    retraction = source["retraction"]
    return BibliographicReference(
        id=source["id"],
        kind=source["kind"],
        title=source["title"],
        authors=tuple(_author(name) for name in source["authors"]),
        container=place.get("journal", container),
        volume=place.get("volume"),
        issue=place.get("issue") or place.get("only_issue"),
        pages=place.get("pages"),
        issued=source["issued"],
        accessed=source["retrieved_on"],
        doi=source["doi"],
        pmid=source["pmid"],
        pmcid=source["pmcid"],
        url=source["url"],
        retraction=None if retraction is None else retraction["status"],
    )


def _author(name: str) -> Author:
    found = INITIALS.fullmatch(name)
    return Author(found["family"], found["given"]) if found else Author(name)


def vancouver(one: BibliographicReference) -> str:
    """One line of plain text: authors, title, where and when it appeared, its identifiers."""
    parts = [_named(one.authors), _ended(one.title + _standing(one)), _place(one)]
    if one.doi:
        parts.append(f"doi: {one.doi}.")
    if one.pmid:
        parts.append(f"PMID: {one.pmid}.")
    if one.url and not one.doi:
        parts.append(f"Available from: {one.url}")
    return " ".join(part for part in parts if part)


def short(one: BibliographicReference) -> str:
    """The same in short, for a note that leads to the rest: first author, title, where and when it appeared."""
    told = [_named(one.authors, most=1), _ended(one.title + _standing(one)), _place(replace(one, accessed=None))]
    return " ".join(part for part in told if part)


def _named(authors: tuple[Author, ...], most: int = MOST_AUTHORS) -> str:
    names = [" ".join(part for part in (author.family, author.given) if part) for author in authors[:most]]
    return _ended(", ".join(names) + (", et al" if len(authors) > most else "")) if names else ""


def _standing(one: BibliographicReference) -> str:
    """What a reader must know before citing it."""
    return f" [{one.retraction}]" if one.retraction else ""


def _place(one: BibliographicReference) -> str:
    """Where and when it appeared, and when we read it where it may have changed since."""
    when = "" if one.issued is None else _spaced(one.issued)
    numbers = (one.volume or "") + (f"({one.issue})" if one.issue else "") + (f":{one.pages}" if one.pages else "")
    if one.is_article:
        where = _ended(one.container or "")
        return f"{where} {_ended(';'.join(part for part in (when, numbers) if part))}".strip()
    told = "; ".join(part for part in (one.container, when) if part)
    cited = f"[cited {_spaced(one.accessed)}]" if one.accessed else ""
    return _ended(" ".join(part for part in (told, cited) if part))


def _spaced(day: str) -> str:
    """A partial date as Citing Medicine writes it: `2010 Oct 15`."""
    year, *rest = day.split("-")
    return " ".join([year, *([MONTHS[int(rest[0]) - 1][:3]] if rest else []), *(str(int(part)) for part in rest[1:])])


def _ended(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def csl_item(one: BibliographicReference) -> dict[str, Any]:
    """One item of CSL-JSON."""
    item = {
        "id": one.id,
        "type": "article-journal" if one.is_article else CSL_TYPES.get(one.kind, "document"),
        "title": one.title,
        "author": [
            {"family": name.family, "given": name.given} if name.given else {"literal": name.family}
            for name in one.authors
        ],
        "container-title": one.container,
        "volume": one.volume,
        "issue": one.issue,
        "page": one.pages,
        "issued": _date_parts(one.issued),
        "accessed": _date_parts(one.accessed),
        "DOI": one.doi,
        "PMID": one.pmid,
        "PMCID": one.pmcid,
        "URL": one.url,
        "note": one.retraction and f"Status: {one.retraction}",
    }
    return {name: value for name, value in item.items() if value not in (None, [])}


def _date_parts(day: str | None) -> dict[str, Any] | None:
    return None if day is None else {"date-parts": [[int(part) for part in day.split("-")]]}


def vancouver_text(references: Iterable[BibliographicReference]) -> str:
    """One line a source."""
    return "".join(f"{vancouver(reference)}\n" for reference in references)


def csl_text(references: Iterable[BibliographicReference]) -> str:
    """A JSON array of items."""
    return to_json([csl_item(reference) for reference in references], indent=2).decode()
