"""Sources: the documents that factual records cite."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, StringConstraints
from pydantic import Field as Nested
from sqlmodel import Field

from app.models.base import Part, Record, Row, several, structured, word
from app.models.registries import NctSpelling
from app.models.types import Day, Line, PartialDate, Prose
from app.models.vocabulary import RetractionStatus, SourceKind, TextServed, Tier


def canonical_doi(value: str) -> str:
    """A DOI in lower case without its resolver (DOI Handbook 2.4: comparison ignores case)."""
    return re.sub(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", value.strip(), flags=re.IGNORECASE).lower()


Doi = Annotated[
    str,
    AfterValidator(canonical_doi),
    StringConstraints(pattern=r"^(https?://(dx\.)?doi\.org/|doi:\s*)?10\.[0-9]{4,9}/\S+$", max_length=300),
]
Pmid = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
Pmcid = Annotated[str, StringConstraints(pattern=r"^PMC[1-9][0-9]{0,9}$")]
Nct = Annotated[str, StringConstraints(pattern=r"^NCT[0-9]{8}$"), NctSpelling]
SetId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, StringConstraints(pattern=r'^https?://[^\s<>"]+$', max_length=2000)]


class Retraction(Part):
    """A correction, expression of concern or retraction of a source."""

    status: RetractionStatus = Nested(description="Corrected, under an expression of concern, or retracted.")
    on: PartialDate | None = Nested(default=None, description="When that was announced.")
    notice: Line | None = Nested(default=None, description="Where it was announced: a DOI or an address.")


class SourceRecord(Record):
    """A document: an article, a review, a label, a notice, a registry record, a guideline, a web page."""

    core: ClassVar[frozenset[str]] = frozenset({"kind", "title"})
    kind: SourceKind = word("What sort of document it is.", index=True)
    title: Line = Field(description="Its title.")
    authors: list[Line] = several("Its authors, family name first.")
    container: Line | None = Field(
        default=None, description="What it appeared in: journal with volume and pages, site, register."
    )
    issued: PartialDate | None = Field(default=None, description="When it appeared.")
    doi: Doi | None = Field(default=None, description="DOI, in lower case.")
    pmid: Pmid | None = Field(default=None, description="PubMed id.")
    pmcid: Pmcid | None = Field(default=None, description="PubMed Central id.")
    nct: Nct | None = Field(default=None, description="ClinicalTrials.gov id.")
    set_id: SetId | None = Field(default=None, description="Set id of a structured product label.")
    url: Url | None = Field(default=None, description="Where it can be read.")
    licence: Line | None = Field(default=None, description="Under which licence it may be used.")
    tier: Tier | None = word(
        "Primary (the study or decision itself), secondary (a report of it) or tertiary.", default=None
    )
    retrieved_on: Day | None = Field(default=None, description="The day on which we read it.")
    retired_on: PartialDate | None = Field(
        default=None, description="When its publisher withdrew it from use, for a guideline."
    )
    retraction: Retraction | None = structured("A correction, expression of concern or retraction after publication.")
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of the text, where we hold it.")
    text_served: TextServed | None = word("Whether readers get the whole text, or quotes only.", default=None)
    note: Prose | None = Field(default=None, description="What a reader should know of it.")

    def codes_held(self) -> Iterator[tuple[str, str]]:
        """Its identifiers: DOI, PMID, PMCID, NCT and set id."""
        codes = {"doi": self.doi, "pmid": self.pmid, "pmcid": self.pmcid, "nct": self.nct, "spl-set-id": self.set_id}
        yield from ((system, code) for system, code in codes.items() if code is not None)


class Source(Row, SourceRecord, table=True):
    """The table row of a source."""

    plural: ClassVar[str] = "sources"
    search_rank: ClassVar[int] = 12
