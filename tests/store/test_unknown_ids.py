"""An id in a filter that no record has is told with the nearest id or name; it is never an empty list."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.db.database import Database
from app.fields import id_filters, words_beside_ids
from app.main import create_app
from app.models import RESOURCES
from app.models.treatments import TreatmentRecord
from app.releases.build import build_release
from app.settings import Settings
from app.store.examples import RELEASE
from app.store.write.save import rename, save_all, withdraw
from tests.conftest import ENGINES, DatabaseTemplates
from tests.support.api import problem_of

BOTOX = "onabotulinumtoxina"
FILTERS = [(plural, name) for plural, row in RESOURCES.items() for name in id_filters(row) if name != "id"]


def refused(client: TestClient, address: str) -> dict[str, str]:
    """The one error of a 422 about a parameter."""
    (error,) = problem_of(client.get(address), 422, "invalid-parameter")["errors"]
    found: dict[str, str] = error
    return found


@pytest.mark.parametrize(("plural", "name"), FILTERS)
def test_every_filter_of_ids_refuses_an_unknown_one(seed_client: TestClient, plural: str, name: str) -> None:
    for more in ("", "&limit=1", "&count=exact", "&format=csv", "&format=ndjson"):
        assert refused(seed_client, f"/v1/{plural}?{name}=made-up-and-unknown{more}")["parameter"] == name
    known = seed_client.get(f"/v1/{id_filters(RESOURCES[plural])[name]}?limit=1").json()["items"][0]["id"]
    assert refused(seed_client, f"/v1/{plural}?{name}={known}&{name}=made-up-and-unknown")["parameter"] == name
    for word in words_beside_ids(RESOURCES[plural]).get(name, ()):
        assert seed_client.get(f"/v1/{plural}?{name}={word}").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("botox", BOTOX), ("onabotulinumtoxin", BOTOX), ("dysport", "abobotulinumtoxina"), ("botoxx", BOTOX)],
)
def test_a_name_a_brand_and_a_slip_lead_to_the_id(seed_client: TestClient, wrong: str, meant: str) -> None:
    error = refused(seed_client, f"/v1/warnings?treatment={wrong}")
    assert error["nearest"] == meant
    assert f"Did you mean {meant!r}?" in error["detail"]
    told = problem_of(seed_client.get(f"/v1/treatments/{wrong}"), 404, "not-found")["detail"]
    assert f"Did you mean {meant!r}? It is at /v1/treatments/{meant}." in told


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        (f"/v1/treatments/{BOTOX}/warnings?condition=migrane", "condition"),
        ("/v1/search?q=pain&treatment=botox", "treatment"),
        ("/v1/gaps?treatment=botox", "treatment"),
        (f"/v1/gaps?treatment={BOTOX}&condition=migrane", "condition"),
        (f"/v1/treatments/{BOTOX}/dossier?condition=migrane", "condition"),
        (f"/v1/treatments/{BOTOX}/completeness?condition=migrane", "condition"),
        (f"/v1/treatments/{BOTOX}/benefit-harm?condition=migrane", "condition"),
        (f"/v1/compare?treatments={BOTOX},dysport&condition=chronic-migraine", "treatments"),
        (f"/v1/compare?treatments={BOTOX},abobotulinumtoxina&condition=migrane", "condition"),
        ("/v1/regulatory-status?treatment=botox&condition=chronic-migraine&jurisdiction=US", "treatment"),
        (f"/v1/regulatory-status?treatment={BOTOX}&condition=migrane&jurisdiction=US", "condition"),
    ],
)
def test_reports_refuse_an_unknown_id_as_lists_do(seed_client: TestClient, address: str, parameter: str) -> None:
    assert refused(seed_client, address)["parameter"] == parameter


def test_ids_of_a_batch_get_stay_not_found(seed_client: TestClient) -> None:
    found = seed_client.get(f"/v1/treatments?id={BOTOX}&id=botox").json()
    assert ([item["id"] for item in found["items"]], found["not_found"]) == ([BOTOX], ["botox"])


@pytest.fixture(scope="module", params=ENGINES)
def changed_client(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The seed with a release, and since then a new treatment that was renamed, and a new one that was withdrawn."""
    folder = tmp_path_factory.mktemp("unknown")
    database = Database(database_templates.copy(request.param, folder, is_seeded=True))
    build_release(database, folder, RELEASE)
    made_up = [TreatmentRecord(id=f"made-up-{n}", name=f"made-up thing {n}", kind="device") for n in range(2)]
    save_all(database, made_up, author="made-up")
    rename(database, "treatments", "made-up-0", "made-up-renamed", author="made-up")
    withdraw(database, "treatments", "made-up-1", author="made-up", reason="made up")
    with TestClient(create_app(Settings(database_url=database.url, releases=str(folder)))) as client:
        yield client
    database.close()


@pytest.mark.parametrize("record_id", ["made-up-0", "made-up-renamed", "made-up-1"])
def test_a_former_and_a_withdrawn_id_are_known(changed_client: TestClient, record_id: str) -> None:
    for path in ("/v1/warnings?", "/v1/warnings?format=csv&", "/v1/studies?count=exact&", "/v1/search?q=pain&"):
        answer = changed_client.get(f"{path}treatment={record_id}")
        assert answer.status_code == 200, answer.text
        assert "unknown" not in answer.text


def test_a_release_names_the_ids_that_it_lacks(changed_client: TestClient) -> None:
    for record_id in ("made-up-renamed", "made-up-1"):
        page = changed_client.get(f"/v1/warnings?treatment={record_id}&release={RELEASE}").json()
        assert page == {"items": [], "next": None, "unknown": [record_id]}
        assert changed_client.get(f"/v1/warnings?treatment={record_id}&release={RELEASE}&format=csv").status_code == 200
    error = refused(changed_client, f"/v1/warnings?treatment=botox&release={RELEASE}")
    assert error["nearest"] == BOTOX
