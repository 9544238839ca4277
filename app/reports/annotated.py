"""The text of a source with its claims marked; for a text that may not be served in full, only the quotes."""

from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Connection, select

from app.db.tables import SOURCE_TEXT
from app.errors import NotFound
from app.evidence.citations.segments import Marked, segments
from app.json_codec import from_json, to_json
from app.models.claims import Claim
from app.models.sources import Source
from app.models.vocabulary import ClaimKind, TextServed, Verdict
from app.store.read.lists import export_chunk
from app.store.read.query import Query
from app.store.read.records import fetch


class AnnotatedClaim(BaseModel):
    """A claim with its span in the text, for highlighting."""

    id: str = Field(description="The claim's id.")
    kind: ClaimKind = Field(description="What the statement is about.")
    verdict: Verdict = Field(description="The verdict on the claim.")
    safety_flag: bool = Field(description="Whether following the statement could do harm.")
    start: int = Field(description="Its first character in the text, counted from 0.")
    end: int = Field(description="The character after its last one.")


class AnnotatedSegment(BaseModel):
    """A stretch of the text in which the claims do not change."""

    start: int = Field(description="Its first character, counted from 0.")
    end: int = Field(description="The character after its last one.")
    text: str | None = Field(description="Its text; null for a gap in a text that is served as quotes only.")
    claims: list[str] = Field(description="The ids of the claims that it belongs to; empty in a gap.")


class AnnotatedText(BaseModel):
    """A source's text in order: every character is in exactly one segment, even where claims overlap."""

    source: str = Field(description="The source's id.")
    sha256: str = Field(description="SHA-256 of the whole text.")
    length: int = Field(description="Characters of the whole text.")
    text_served: TextServed = Field(description="Whether gaps are served with their words, or only claimed words.")
    claims: list[AnnotatedClaim] = Field(description="The claims, by where they begin.")
    segments: list[AnnotatedSegment] = Field(description="The text in order.")


def read_annotated(connection: Connection, source: str) -> bytes:
    """The annotated text as JSON (`AnnotatedText`); NotFound for an unknown source or one without a stored text."""
    record: dict[str, Any] = from_json(fetch(connection, Source, source)[0])
    text = connection.execute(select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)).scalar()
    if text is None:
        raise NotFound(f"We do not hold the text of source {source!r}.")
    claims = sorted(_claims_of(connection, source), key=lambda claim: (claim.start, claim.end, claim.id))
    is_whole = record["text_served"] == "full"
    marked = [Marked(claim.start, claim.end, claim.id) for claim in claims]
    answer = AnnotatedText(
        source=source,
        sha256=record["sha256"],
        length=len(text),
        text_served="full" if is_whole else "quotes-only",
        claims=claims,
        segments=[
            AnnotatedSegment(
                start=segment.start,
                end=segment.end,
                text=text[segment.start : segment.end] if is_whole or segment.owners else None,
                claims=list(segment.owners),
            )
            for segment in segments(len(text), marked)
        ],
    )
    return to_json(answer)


def _claims_of(connection: Connection, source: str) -> list[AnnotatedClaim]:
    """The claims of a source that have a span in its text."""
    found: list[AnnotatedClaim] = []
    query: Query | None = Query(Claim, {"source": [source]})
    while query is not None:
        documents, query = export_chunk(connection, query)
        for claim in map(from_json, documents):
            if claim["span"] is not None:
                shown = {name: claim[name] for name in ("id", "kind", "verdict", "safety_flag")}
                found.append(AnnotatedClaim(**shown, **claim["span"]))
    return found
