"""Bibliographic references of sources, rendered in Vancouver style and as CSL-JSON.

A part that the record does not have is left out; nothing is guessed. Vancouver: Citing Medicine (NLM, 2nd edition),
with six authors before "et al." as the ICMJE recommends. CSL-JSON: the schema `csl-data.json` of CSL 1.0.2.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.formats.dataset_citation import MONTHS
from app.json_codec import to_json

MOST_AUTHORS = 6
PERIODICALS = frozenset({"journal-article", "systematic-review"})
MAY_BE_ARTICLES = PERIODICALS | {"guideline"}
PLACE = re.compile(
    r"(?P<journal>.*[^\d\s,]) (?P<volume>\d+)"
    r"(?:(?:\((?P<issue>[^()]+)\))?:(?P<pages>[A-Za-z]*\d[\w.]*(?:-\w+)?)|\((?P<only_issue>[^()]+)\))"
)
"""Regular expression for journal, volume, issue and pages in a `container` such as `Neurology 56(10):1290-3`."""
INITIALS = re.compile(r"(?P<family>.+) (?P<given>[A-Z]{1,4})")
CSL_TYPES = {"guideline": "report", "registry-record": "webpage", "web-article": "webpage"}
"""CSL types of source kinds outside periodicals; any other kind is a `document`."""


@dataclass(frozen=True)
class Author:
    """One author: family name and initials of a person, or an unparsed name as `family` alone."""

    family: str
    given: str | None = None


@dataclass(frozen=True)
class BibliographicReference:
    """The parts of a source's bibliographic reference, parsed from its record."""

    id: str
    kind: str
    title: str
    authors: tuple[Author, ...]
    container: str | None
    """The journal's name where volume and pages could be parsed, else the record's whole `container`."""
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
        """Whether the source is an article in a periodical."""
        return self.kind in PERIODICALS or self.volume is not None

    @property
    def first_page(self) -> str | None:
        """The first page."""
        return None if self.pages is None else self.pages.split("-")[0]

    @property
    def last_page(self) -> str | None:
        """The last page with all its digits: 1293 for `1290-3`; None where `pages` is one page or article number."""
        first, _, last = (self.pages or "").partition("-")
        if not last:
            return None
        is_short = first.isdigit() and last.isdigit() and len(last) < len(first)
        return first[: len(first) - len(last)] + last if is_short else last


def reference_of(source: Mapping[str, Any]) -> BibliographicReference:
    """Parse a record of `sources` into a bibliographic reference."""
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


def vancouver(reference: BibliographicReference) -> str:
    """A reference in Vancouver style, in one line: authors, title, journal or site, date, identifiers."""
    parts = [
        _author_list(reference.authors),
        _with_full_stop(reference.title + _retraction_mark(reference)),
        _publication(reference),
    ]
    if reference.doi:
        parts.append(f"doi: {reference.doi}.")
    if reference.pmid:
        parts.append(f"PMID: {reference.pmid}.")
    if reference.url and not reference.doi:
        parts.append(f"Available from: {reference.url}")
    return " ".join(part for part in parts if part)


def short(reference: BibliographicReference) -> str:
    """A short reference for footnotes: first author, title, journal or site, date."""
    parts = [
        _author_list(reference.authors, most=1),
        _with_full_stop(reference.title + _retraction_mark(reference)),
        _publication(replace(reference, accessed=None)),
    ]
    return " ".join(part for part in parts if part)


def _author_list(authors: tuple[Author, ...], most: int = MOST_AUTHORS) -> str:
    names = [" ".join(part for part in (author.family, author.given) if part) for author in authors[:most]]
    return _with_full_stop(", ".join(names) + (", et al" if len(authors) > most else "")) if names else ""


def _retraction_mark(reference: BibliographicReference) -> str:
    """The retraction status in brackets, or an empty string."""
    return f" [{reference.retraction}]" if reference.retraction else ""


def _publication(reference: BibliographicReference) -> str:
    """Journal or site, date, volume and pages; for what is no article also the day of retrieval, as it may change."""
    when = "" if reference.issued is None else _citation_date(reference.issued)
    numbers = (
        (reference.volume or "")
        + (f"({reference.issue})" if reference.issue else "")
        + (f":{reference.pages}" if reference.pages else "")
    )
    if reference.is_article:
        where = _with_full_stop(reference.container or "")
        return f"{where} {_with_full_stop(';'.join(part for part in (when, numbers) if part))}".strip()
    details = "; ".join(part for part in (reference.container, when) if part)
    cited = f"[cited {_citation_date(reference.accessed)}]" if reference.accessed else ""
    return _with_full_stop(" ".join(part for part in (details, cited) if part))


def _citation_date(day: str) -> str:
    """A partial date as Citing Medicine writes it: `2010 Oct 15`."""
    year, *month_and_day = day.split("-")
    month = [MONTHS[int(part) - 1][:3] for part in month_and_day[:1]]
    return " ".join([year, *month, *(str(int(part)) for part in month_and_day[1:])])


def _with_full_stop(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def csl_item(reference: BibliographicReference) -> dict[str, Any]:
    """A reference as one CSL-JSON item."""
    item = {
        "id": reference.id,
        "type": "article-journal" if reference.is_article else CSL_TYPES.get(reference.kind, "document"),
        "title": reference.title,
        "author": [
            {"family": name.family, "given": name.given} if name.given else {"literal": name.family}
            for name in reference.authors
        ],
        "container-title": reference.container,
        "volume": reference.volume,
        "issue": reference.issue,
        "page": reference.pages,
        "issued": _date_parts(reference.issued),
        "accessed": _date_parts(reference.accessed),
        "DOI": reference.doi,
        "PMID": reference.pmid,
        "PMCID": reference.pmcid,
        "URL": reference.url,
        "note": reference.retraction and f"Status: {reference.retraction}",
    }
    return {name: value for name, value in item.items() if value not in (None, [])}


def _date_parts(day: str | None) -> dict[str, Any] | None:
    return None if day is None else {"date-parts": [[int(part) for part in day.split("-")]]}


def vancouver_text(references: Iterable[BibliographicReference]) -> str:
    """References in Vancouver style, one a line."""
    return "".join(f"{vancouver(reference)}\n" for reference in references)


def csl_text(references: Iterable[BibliographicReference]) -> str:
    """References as a CSL-JSON array."""
    return to_json([csl_item(reference) for reference in references], indent=2).decode()
