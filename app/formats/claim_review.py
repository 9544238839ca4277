"""Claims as schema.org ClaimReview in JSON-LD, for fact-check aggregators and search engines.

Only what the record supports: a value that is absent is left out, never guessed. Vocabulary: https://schema.org/ClaimReview.
"""

from collections.abc import Mapping
from typing import Any

from app import LICENCE
from app.json_codec import to_json
from app.models.vocabulary import Verdict

NAME = "Treatment Evidence API"
LANGUAGE = "en"
RATINGS: dict[Verdict, int] = {"contradicted": 1, "partly-supported": 3, "supported": 5}
"""The `ratingValue` of each verdict, from 1 to 5; `unverifiable` is not on that scale and has none."""
WORKS = {
    "journal-article": "ScholarlyArticle",
    "systematic-review": "ScholarlyArticle",
    "web-article": "Article",
}
"""schema.org types of source kinds; any other kind is a CreativeWork."""

Node = dict[str, Any]


def claim_review(claim: Mapping[str, Any], included: Mapping[str, Mapping[str, Node]], public_url: str) -> str:
    """Render a claim as JSON-LD; `included` has its source by plural and id, `public_url` is the service's base URL."""
    us = {"@type": "Organization", "name": NAME, "url": public_url}
    review = {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": f"{public_url}/claims/{claim['id']}",
        "datePublished": _day(claim["created_at"]),
        "dateModified": _day(claim["updated_at"]),
        "inLanguage": LANGUAGE,
        "license": LICENCE,
        "author": us,
        "publisher": us,
        "claimReviewed": claim["quote"],
        "itemReviewed": _without_absent(
            {"@type": "Claim", "appearance": _work(included.get("sources", {}).get(claim["source"]))}
        ),
        "reviewRating": _rating(claim["verdict"]),
        "reviewBody": claim["rationale"],
        "isBasedOn": [f"{public_url}/v1/{record['kind']}/{record['id']}" for record in claim["evidence"]],
    }
    # `<` is escaped: a page may put the JSON between script tags, which no text in it may close
    return to_json(_without_absent(review)).decode().replace("<", "\\u003c")


def _day(moment: str) -> str:
    return moment[:10]


def _rating(verdict: Verdict) -> Node:
    scale = {"bestRating": 5, "worstRating": 1, "ratingValue": RATINGS[verdict]} if verdict in RATINGS else {}
    return {"@type": "Rating", "alternateName": verdict} | scale


def _work(source: Mapping[str, Any] | None) -> Node | None:
    """The document that makes the claim, as a node; None where the source was withdrawn."""
    if source is None:
        return None
    doi = source["doi"] and f"https://doi.org/{source['doi']}"
    return _without_absent(
        {
            "@type": WORKS.get(source["kind"], "CreativeWork"),
            "name": source["title"],
            "url": source["url"] or doi,
            "author": [{"@type": "Person", "name": name} for name in source["authors"]],
            "datePublished": source["issued"],
        }
    )


def _without_absent(node: Node) -> Node:
    """The node without null values and empty lists."""
    return {name: value for name, value in node.items() if value not in (None, [])}
