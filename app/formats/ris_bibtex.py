"""References for reference managers: RIS (Reference Manager, 2011 specification) and BibTeX."""

from collections.abc import Iterable, Iterator

from app.formats.citations import Author, BibliographicReference
from app.formats.dataset_citation import IN_BRACES, LATEX


def ris_text(references: Iterable[BibliographicReference]) -> str:
    """References as RIS: tagged lines, each reference from TY to ER."""
    return "".join(f"{tag}  - {_line(value)}\r\n" for reference in references for tag, value in _ris(reference))


def _ris(reference: BibliographicReference) -> Iterator[tuple[str, str]]:
    yield "TY", "JOUR" if reference.is_article else "RPRT" if reference.kind == "guideline" else "ELEC"
    yield "ID", reference.id
    for author in reference.authors:
        yield "AU", f"{author.family}, {author.given}" if author.given else author.family
    day = (reference.issued or "").split("-")
    fields = {
        "TI": reference.title,
        "T2": reference.container,
        "VL": reference.volume,
        "IS": reference.issue,
        "SP": reference.first_page,
        "EP": reference.last_page,
        "PY": None if reference.issued is None else reference.issued[:4],
        "DA": "/".join([*day, "", ""][:4]) if len(day) > 1 else None,
        "DO": reference.doi,
        "AN": reference.pmid,
        "DB": reference.pmid and "PubMed",
        "C2": reference.pmcid,
        "UR": reference.url,
        "Y2": None if reference.accessed is None else reference.accessed.replace("-", "/"),
        "N1": reference.retraction and f"Status: {reference.retraction}",
    }
    yield from ((tag, value) for tag, value in fields.items() if value)
    yield "ER", ""


def _line(value: str) -> str:
    """A value on one line, because a line break would start a new tag."""
    return " ".join(value.split())


def bibtex_text(references: Iterable[BibliographicReference]) -> str:
    """References as BibTeX entries that classic BibTeX and biblatex both read."""
    return "\n".join(_bibtex(reference) for reference in references)


def _bibtex(reference: BibliographicReference) -> str:
    year, *month_and_day = (reference.issued or "").split("-")
    last = reference.last_page
    fields = {
        "author": " and ".join(_bibtex_name(author) for author in reference.authors),
        "title": f"{{{_latex(reference.title)}}}",
        "journal" if reference.is_article else "howpublished": _latex(reference.container or ""),
        "volume": reference.volume,
        "number": reference.issue and _latex(reference.issue),
        "pages": reference.pages and (f"{reference.first_page}--{last}" if last else reference.pages),
        "year": year,
        "month": str(int(month_and_day[0])) if month_and_day else None,
        "doi": reference.doi and reference.doi.translate(IN_BRACES),
        "url": reference.url and reference.url.translate(IN_BRACES),
        "urldate": reference.url and reference.accessed,
        "pmid": reference.pmid,
        "note": reference.retraction and f"Status: {reference.retraction}",
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{'article' if reference.is_article else 'misc'}{{{reference.id},\n{lines}}}\n"


def _bibtex_name(author: Author) -> str:
    """`Family, Given`, or a name without given names in braces, so that BibTeX does not parse it."""
    return f"{_latex(author.family)}, {author.given}" if author.given else f"{{{_latex(author.family)}}}"


def _latex(value: str) -> str:
    return value.translate(LATEX)
