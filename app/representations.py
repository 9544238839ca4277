"""What a single record can be beside JSON, CSV and NDJSON: one table, read by negotiation, by the parameter `format`
and by the OpenAPI document.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.models.base import Row
from app.models.claims import Claim
from app.render.claim_review import claim_review

Render = Callable[[Mapping[str, Any], Mapping[str, Mapping[str, dict[str, Any]]], str], str]
"""Makes the text of a record, of the records that it mentions (by plural, then by id), and of our public address."""


@dataclass(frozen=True)
class Representation:
    """One further format of the single records of a resource."""

    resource: type[Row]
    word: str
    """What `format` calls it."""
    media_type: str
    render: Render
    reads: tuple[str, ...]
    """What the renderer needs beside the record, as `include` names it."""
    schema: Mapping[str, Any]
    """What the OpenAPI document says of it."""


REPRESENTATIONS = (
    Representation(
        resource=Claim,
        word="jsonld",
        media_type="application/ld+json",
        render=claim_review,
        reads=("source",),
        schema={"type": "object", "description": "A ClaimReview of https://schema.org/ClaimReview."},
    ),
)


def further(resource: type[Row]) -> dict[str, Representation]:
    """The further formats of a resource's single records, by their words."""
    return {one.word: one for one in REPRESENTATIONS if one.resource is resource}
