"""Citations of a release of the dataset: as text, as BibTeX and as CSL-JSON."""

from dataclasses import dataclass
from typing import Any

PUBLISHER = "Treatment Evidence API"
TITLE = "Treatment Evidence API dataset"
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "{}$&#%_"},
    }
)
IN_BRACES = str.maketrans({"{": "%7B", "}": "%7D", "\\": "%5C"})
"""Characters that a URL in a BibTeX field must percent-encode; the URL stays the same (RFC 3986, section 2.1)."""


@dataclass(frozen=True)
class CitedRelease:
    """The particulars of a release that its citation needs."""

    name: str
    day: str
    """The day of the release, `2026-11-22`."""
    revision: int
    sha256: str
    url: str

    @property
    def key(self) -> str:
        """The citation key."""
        return f"treatment-evidence-api-{self.name}"

    @property
    def note(self) -> str:
        """The note of a citation: revision and SHA-256 of the release's file, by which a reader verifies a copy."""
        return f"Dataset revision {self.revision}, SHA-256 {self.sha256}"


def text(release: CitedRelease) -> str:
    """The citation in one line of text, in the order of the APA style for data sets (7th edition, section 10.9)."""
    year, month, day = release.day.split("-")
    when = f"{year}, {MONTHS[int(month) - 1]} {int(day)}"
    return f"{PUBLISHER}. ({when}). {TITLE} (Version {release.name}) [Data set]. {release.url} ({release.note})"


def bibtex(release: CitedRelease) -> str:
    """The citation as a BibTeX entry; `@misc`, because classic styles know no `@dataset`."""
    year, month, _ = release.day.split("-")
    fields = {
        "author": f"{{{_latex(PUBLISHER)}}}",
        "title": f"{{{_latex(TITLE)}}}",
        "year": year,
        "month": str(int(month)),
        "date": release.day,
        "version": _latex(release.name),
        "publisher": _latex(PUBLISHER),
        "howpublished": "Data set",
        "url": release.url.translate(IN_BRACES),
        "note": _latex(f"Version {release.name}. {release.note}"),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{release.key},\n{lines}}}\n"


def dataset_csl_item(release: CitedRelease) -> dict[str, Any]:
    """The citation as an item of CSL-JSON 1.0 (`csl-data.json`), of type `dataset`."""
    return {
        "id": release.key,
        "type": "dataset",
        "title": TITLE,
        "author": [{"literal": PUBLISHER}],
        "publisher": PUBLISHER,
        "issued": {"date-parts": [[int(part) for part in release.day.split("-")]]},
        "version": release.name,
        "URL": release.url,
        "note": release.note,
    }


def _latex(value: str) -> str:
    return value.translate(LATEX)
