"""The dossier gives everything about a treatment as the OpenAPI document says, with the records that it references."""

import pytest
from starlette.testclient import TestClient

from app.reports.dossier import dossier_model

TREATMENTS = ("onabotulinumtoxina", "abobotulinumtoxina", "botulinum-toxin")


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_a_dossier_is_what_its_model_says(seed_client: TestClient, treatment: str) -> None:
    answer = seed_client.get(f"/v1/treatments/{treatment}/dossier")
    assert answer.status_code == 200
    dossier_model().model_validate_json(answer.content)


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_included_records_are_the_ones_of_their_own_addresses(seed_client: TestClient, treatment: str) -> None:
    included = seed_client.get(f"/v1/treatments/{treatment}/dossier").json()["included"]
    assert "sources" in included
    for plural, records in included.items():
        for record_id in list(records)[:5]:
            assert records[record_id] == seed_client.get(f"/v1/{plural}/{record_id}").json()
