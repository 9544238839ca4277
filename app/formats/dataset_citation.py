"""How a release of the dataset is cited: as text, as BibTeX and as CSL-JSON."""

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
"""What a BibTeX field of an address must not hold as it is; percent-encoded it is the same address (RFC 3986, 2.1)."""


@dataclass(frozen=True)
class Cited:
    """What is said of a release where it is cited."""

    name: str
    day: str
    """The day on which it was made, `2026-11-22`."""
    revision: int
    sha256: str
    url: str

    @property
    def key(self) -> str:
        """Its key in a list of references."""
        return f"treatment-evidence-api-{self.name}"

    @property
    def note(self) -> str:
        """What makes sure that somebody else holds the same bytes."""
        return f"Dataset revision {self.revision}, SHA-256 {self.sha256}"


def text(cited: Cited) -> str:
    """One line of plain text, in the order of the APA style for data sets (7th edition, section 10.9)."""
    year, month, day = cited.day.split("-")
    when = f"{year}, {MONTHS[int(month) - 1]} {int(day)}"
    return f"{PUBLISHER}. ({when}). {TITLE} (Version {cited.name}) [Data set]. {cited.url} ({cited.note})"


def bibtex(cited: Cited) -> str:
    """One BibTeX entry; `@misc`, because classic styles know no `@dataset`."""
    year, month, _ = cited.day.split("-")
    fields = {
        "author": f"{{{_latex(PUBLISHER)}}}",
        "title": f"{{{_latex(TITLE)}}}",
        "year": year,
        "month": str(int(month)),
        "date": cited.day,
        "version": _latex(cited.name),
        "publisher": _latex(PUBLISHER),
        "howpublished": "Data set",
        "url": cited.url.translate(IN_BRACES),
        "note": _latex(f"Version {cited.name}. {cited.note}"),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{cited.key},\n{lines}}}\n"


def dataset_csl_item(cited: Cited) -> dict[str, Any]:
    """One item of CSL-JSON 1.0 (`csl-data.json`), of type `dataset`."""
    return {
        "id": cited.key,
        "type": "dataset",
        "title": TITLE,
        "author": [{"literal": PUBLISHER}],
        "publisher": PUBLISHER,
        "issued": {"date-parts": [[int(part) for part in cited.day.split("-")]]},
        "version": cited.name,
        "URL": cited.url,
        "note": cited.note,
    }


def _latex(words: str) -> str:
    return words.translate(LATEX)
