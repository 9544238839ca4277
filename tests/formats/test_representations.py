"""Further representations of a record: by `format` and by Accept; a claim as ClaimReview in schema.org's words."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.db.database import Database
from app.fields import includable
from app.formats.claim_review import claim_review
from app.formats.registry import REPRESENTATIONS, Representation, extra_formats
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Record, Row
from app.models.claims import Claim
from app.models.treatments import Treatment
from app.models.vocabulary import SourceKind, Verdict
from app.settings import Settings
from app.store.read.query import Format
from app.store.write.save import save_all
from tests.support.schema_org import check

LD = "application/ld+json"
ADDRESS = "http://127.0.0.1:8000"

SHOWN = [
    representation
    for representation in REPRESENTATIONS
    if representation.word == "jsonld" or representation.resource in (Claim, Treatment)
]
"""Citations come from one function for every resource: two of them stand for all."""
every_representation = pytest.mark.parametrize("other", SHOWN, ids=lambda one: f"{one.resource.plural}-{one.word}")
every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def review(client: TestClient, claim: str) -> dict[str, Any]:
    answer = client.get(f"/v1/claims/{claim}", params={"format": "jsonld"})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


# A claim as ClaimReview


def test_every_claim_is_a_claim_review_in_the_words_of_schema_org(seed_client: TestClient) -> None:
    for claim in seed_client.get("/v1/claims?limit=200").json()["items"]:
        found = review(seed_client, claim["id"])
        check(found, {"ClaimReview"})
        assert found["@context"] == "https://schema.org"
        assert found["url"] == f"{ADDRESS}/claims/{claim['id']}"
        assert (found["claimReviewed"], found["reviewBody"]) == (claim["quote"], claim["rationale"])
        assert found["reviewRating"]["alternateName"] == claim["verdict"]
        assert found["datePublished"] == claim["created_at"][:10]
        assert found["dateModified"] == claim["updated_at"][:10]
        assert found["publisher"] == {"@type": "Organization", "name": "Treatment Evidence API", "url": ADDRESS}
        assert found["license"] == seed_client.get("/v1").json()["licence"]
        assert len(found.get("isBasedOn", [])) == len(claim["evidence"])
        for address in found.get("isBasedOn", []):
            assert seed_client.get(address.removeprefix(ADDRESS)).status_code == 200


@pytest.mark.parametrize("verdict", get_args(Verdict.__value__))
def test_a_verdict_is_a_rating_and_unverifiable_has_no_number(seed_client: TestClient, verdict: str) -> None:
    claim = seed_client.get("/v1/claims", params={"verdict": verdict, "limit": 1}).json()["items"][0]["id"]
    value = {"contradicted": 1, "partly-supported": 3, "supported": 5}.get(verdict)
    scale = {} if value is None else {"ratingValue": value, "bestRating": 5, "worstRating": 1}
    assert review(seed_client, claim)["reviewRating"] == {"@type": "Rating", "alternateName": verdict, **scale}


def test_what_the_record_of_the_source_does_not_hold_is_left_out(seed_client: TestClient) -> None:
    source = seed_client.get("/v1/sources/metropolmed-botox-neck-back-pain").json()
    assert (source["url"], source["authors"], source["issued"]) == (None, [], None)
    appearance = review(seed_client, "c20")["itemReviewed"]["appearance"]
    assert appearance == {"@type": "Article", "name": source["title"]}


def test_a_source_is_described_as_far_as_its_record_goes(database: Database) -> None:
    source = {
        "id": "example-article",
        "kind": "journal-article",
        "title": "An example </script><b>article</b>",
        "authors": ["Example A", "Sample B"],
        "issued": "2001-05",
        "doi": "10.1000/example",
    }
    claim = {
        "id": "example-claim",
        "source": "example-article",
        "quote": "words",
        "kind": "background",
        "verdict": "unverifiable",
        "rationale": "Nothing decides it.",
        "searched": {"looked_for": "Made-up pages.", "on": "2026-11-22"},
    }
    save_all(database, [record("sources", source), record("claims", claim)], author="test")
    settings = Settings(database_url=database.url, public_url="https://evidence.example.org")
    with TestClient(create_app(settings)) as client:
        answer = client.get("/v1/claims/example-claim", headers={"Accept": LD})
    found = answer.json()
    check(found, {"ClaimReview"})
    assert found["url"] == "https://evidence.example.org/claims/example-claim"
    assert found["itemReviewed"]["appearance"] == {
        "@type": "ScholarlyArticle",
        "name": source["title"],
        "url": "https://doi.org/10.1000/example",
        "author": [{"@type": "Person", "name": "Example A"}, {"@type": "Person", "name": "Sample B"}],
        "datePublished": "2001-05",
    }
    assert "isBasedOn" not in found
    assert "<" not in answer.text, "a page may put it between script tags"


def record(plural: str, values: dict[str, Any]) -> Record:
    return RESOURCES[plural].record_class().model_validate(values)


maybe = st.none() | st.text(min_size=1, max_size=20)
sources = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(get_args(SourceKind.__value__)),
        "title": st.text(min_size=1, max_size=20),
        "url": maybe,
        "doi": maybe,
        "issued": maybe,
        "authors": st.lists(st.text(min_size=1, max_size=9), max_size=3),
    }
)
claims = st.fixed_dictionaries(
    {
        "id": st.just("c"),
        "source": st.just("s"),
        "quote": st.text(min_size=1, max_size=30),
        "rationale": st.text(min_size=1, max_size=30),
        "verdict": st.sampled_from(get_args(Verdict.__value__)),
        "evidence": st.lists(st.fixed_dictionaries({"kind": st.just("studies"), "id": st.just("x")}), max_size=2),
        "created_at": st.just("2026-11-22T00:00:00Z"),
        "updated_at": st.just("2026-11-23T00:00:00Z"),
    }
)


@given(claims, st.none() | sources)
def test_any_claim_of_any_source_is_rendered_in_the_vocabulary(
    claim: dict[str, Any], source: dict[str, Any] | None
) -> None:
    text = claim_review(claim, {"sources": {"s": source}} if source else {}, ADDRESS)
    found = json.loads(text)
    check(found, {"ClaimReview"})
    assert "<" not in text
    assert found["claimReviewed"] == claim["quote"]
    assert ("appearance" in found["itemReviewed"]) == (source is not None)


# Negotiation, tags and problems, for every further representation


def one_of(client: TestClient, resource: type[Row]) -> str:
    return f"/v1/{resource.plural}/{client.get(f'/v1/{resource.plural}?limit=1').json()['items'][0]['id']}"


@every_representation
def test_format_and_accept_give_the_same_answer(seed_client: TestClient, other: Representation) -> None:
    path = one_of(seed_client, other.resource)
    named = seed_client.get(path, params={"format": other.word}, headers={"Accept": "application/json"})
    accepted = seed_client.get(path, headers={"Accept": f'{other.media_type};profile="x", application/json;q=0.9'})
    for answer in (named, accepted):
        assert answer.headers["content-type"].split(";")[0] == other.media_type
        assert answer.headers["vary"] == "Accept, Accept-Encoding"
        assert answer.headers["dataset-revision"]
    assert named.content == accepted.content
    assert named.headers["etag"] == accepted.headers["etag"] != seed_client.get(path).headers["etag"]


@every_representation
@pytest.mark.parametrize("accept", ["*/*", "application/*", "OTHER;q=0.5, application/json;q=0.6", "OTHER;q=0, */*"])
def test_json_comes_first_where_the_reader_does_not_ask_for_more(
    seed_client: TestClient, other: Representation, accept: str
) -> None:
    answer = seed_client.get(
        one_of(seed_client, other.resource), headers={"Accept": accept.replace("OTHER", other.media_type)}
    )
    assert answer.headers["content-type"] == "application/json"


@every_representation
def test_a_further_representation_has_a_tag_by_version_304_and_head(
    seed_client: TestClient, other: Representation
) -> None:
    path, asked = one_of(seed_client, other.resource), {"format": other.word}
    get = seed_client.get(path, params=asked)
    assert get.headers["etag"].startswith(f'"{seed_client.get(path).json()["version"]}.')
    again = seed_client.get(path, params=asked, headers={"If-None-Match": get.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = seed_client.head(path, params=asked)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", get.headers["etag"])
    assert seed_client.get(path, headers={"If-None-Match": get.headers["etag"]}).status_code == 200


@every_representation
def test_the_other_formats_of_a_record_are_linked(seed_client: TestClient, other: Representation) -> None:
    path = one_of(seed_client, other.resource)
    link = f'<{ADDRESS}{path}?format={other.word}>; rel="alternate"; type="{other.media_type}"'
    assert link in seed_client.get(path).headers["link"]
    assert link not in seed_client.get(path, params={"format": other.word}).headers.get("link", "")


@every_representation
def test_what_a_further_format_cannot_hold_is_refused(seed_client: TestClient, other: Representation) -> None:
    path = one_of(seed_client, other.resource)
    for asked in ({"fields": "id"}, *({"include": word} for word in [*includable(other.resource)][:1])):
        for headers, form in (({"Accept": other.media_type}, {}), ({}, {"format": other.word})):
            answer = seed_client.get(path, params={**asked, **form}, headers=headers)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["parameter"] in asked


@every_representation
def test_an_unknown_record_is_a_problem_in_any_format(seed_client: TestClient, other: Representation) -> None:
    answer = seed_client.get(f"/v1/{other.resource.plural}/no-such-record", params={"format": other.word})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@every_resource
def test_a_resource_gives_its_own_formats_and_no_other(seed_client: TestClient, resource: type[Row]) -> None:
    path, lists = one_of(seed_client, resource), f"/v1/{resource.plural}"
    known = [*get_args(Format), *extra_formats(resource)]
    for other in {representation.word: representation for representation in REPRESENTATIONS}.values():
        expected = 200 if other.word in extra_formats(resource) else 422
        assert seed_client.get(path, params={"format": other.word}).status_code == expected
        answer = seed_client.get(path, headers={"Accept": other.media_type})
        assert answer.status_code == (200 if expected == 200 else 406)
        told = seed_client.get(path, params={"format": f"{other.word}x"}).json()["errors"][0]
        assert told["known"] == known
        assert seed_client.get(lists, params={"format": other.word}).status_code == 422
        assert seed_client.get(lists, headers={"Accept": other.media_type}).status_code == 406


@every_representation
def test_the_document_shows_the_format_with_an_example_of_the_seed(
    seed_client: TestClient, other: Representation
) -> None:
    document = seed_client.get("/openapi.json").json()
    operation = document["paths"][f"/v1/{other.resource.plural}/{{id}}"]["get"]
    names = [entry["$ref"].split("/")[-1] for entry in operation["parameters"]]
    assert f"`{other.word}`" in str([document["components"]["parameters"][name] for name in names])
    name = operation["responses"]["200"]["content"][other.media_type]["examples"]["seed"]["$ref"].split("/")[-1]
    assert document["components"]["examples"][name]["value"]
