"""Sources as files for reference managers: RIS (Reference Manager, 2011 specification) and BibTeX."""

from collections.abc import Iterable, Iterator

from app.formats.citations import Author, BibliographicReference
from app.formats.dataset_citation import IN_BRACES, LATEX


def ris_text(references: Iterable[BibliographicReference]) -> str:
    """Records of tagged lines, each from TY to ER."""
    return "".join(f"{tag}  - {_line(value)}\r\n" for reference in references for tag, value in _ris(reference))


def _ris(one: BibliographicReference) -> Iterator[tuple[str, str]]:
    yield "TY", "JOUR" if one.is_article else "RPRT" if one.kind == "guideline" else "ELEC"
    yield "ID", one.id
    for author in one.authors:
        yield "AU", f"{author.family}, {author.given}" if author.given else author.family
    day = (one.issued or "").split("-")
    told = {
        "TI": one.title,
        "T2": one.container,
        "VL": one.volume,
        "IS": one.issue,
        "SP": one.first_page,
        "EP": one.last_page,
        "PY": None if one.issued is None else one.issued[:4],
        "DA": "/".join([*day, "", ""][:4]) if len(day) > 1 else None,
        "DO": one.doi,
        "AN": one.pmid,
        "DB": one.pmid and "PubMed",
        "C2": one.pmcid,
        "UR": one.url,
        "Y2": None if one.accessed is None else one.accessed.replace("-", "/"),
        "N1": one.retraction and f"Status: {one.retraction}",
    }
    yield from ((tag, value) for tag, value in told.items() if value)
    yield "ER", ""


def _line(value: str) -> str:
    """A value in one line: a line break would begin a tag of its own."""
    return " ".join(value.split())


def bibtex_text(references: Iterable[BibliographicReference]) -> str:
    """Entries that classic BibTeX and biblatex read alike."""
    return "\n".join(_bibtex(reference) for reference in references)


def _bibtex(one: BibliographicReference) -> str:
    year, *rest = (one.issued or "").split("-")
    last = one.last_page
    fields = {
        "author": " and ".join(_bibtex_name(author) for author in one.authors),
        "title": f"{{{_latex(one.title)}}}",
        "journal" if one.is_article else "howpublished": _latex(one.container or ""),
        "volume": one.volume,
        "number": one.issue and _latex(one.issue),
        "pages": one.pages and (f"{one.first_page}--{last}" if last else one.pages),
        "year": year,
        "month": str(int(rest[0])) if rest else None,
        "doi": one.doi and one.doi.translate(IN_BRACES),
        "url": one.url and one.url.translate(IN_BRACES),
        "urldate": one.url and one.accessed,
        "pmid": one.pmid,
        "note": one.retraction and f"Status: {one.retraction}",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{'article' if one.is_article else 'misc'}{{{one.id},\n{lines}}}\n"


def _bibtex_name(author: Author) -> str:
    """A name in braces where BibTeX would take it apart."""
    return f"{_latex(author.family)}, {author.given}" if author.given else f"{{{_latex(author.family)}}}"


def _latex(words: str) -> str:
    return words.translate(LATEX)
