"""What people type, and the records that must come first; `make relevance` prints how well they do.

Each question of relevance.json names its records in `first`: all of them belong at the top. Each counts 1, discounted
by its place (Järvelin and Kekäläinen 2002), over the first ten.
"""

import json
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import make_url
from starlette.testclient import TestClient

from app.cli.seed import seed_database
from app.db.database import Database
from app.main import create_app
from app.settings import Settings
from app.store.examples import SEED
from tests.conftest import PATIENT, new_postgresql_database, running_postgresql

QUESTIONS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "relevance.json").read_text(encoding="utf-8"))
DEPTH = 10


def found(client: TestClient, question: dict[str, Any]) -> list[str]:
    """The first ten records of an answer."""
    answer = client.get("/v1/search", params={"q": question["q"], "limit": DEPTH, "fields": "title"})
    return [f"{hit['kind']}/{hit['id']}" for hit in answer.json()["items"]]


def ndcg(first: list[str], given: list[str]) -> float:
    """The normalised discounted cumulative gain: 1 when all that must come first does."""
    gain = sum(1 / log2(place + 2) for place, record in enumerate(given[:DEPTH]) if record in first)
    return gain / sum(1 / log2(place + 2) for place in range(min(len(first), DEPTH)))


def measured(client: TestClient) -> tuple[float, float, list[str]]:
    """The mean nDCG@10, the share of names whose first record is right, and a line for each question that is not."""
    gains, names, lines = [], [], []
    for question in QUESTIONS:
        given = found(client, question)
        gains.append(ndcg(question["first"], given))
        if question["is_name"]:
            names.append(given[:1] != [] and given[0] in question["first"])
        if gains[-1] < 1:
            lines.append(f"{gains[-1]:.3f}  {question['q']!r}: {given[:4]}")
    return sum(gains) / len(gains), sum(names) / len(names), lines


def test_the_set_asks_as_patients_clinicians_and_developers_do() -> None:
    assert len(QUESTIONS) >= 60
    assert {question["as"] for question in QUESTIONS} == {"patient", "clinician", "developer"}


def test_what_must_come_first_exists(seed_client: TestClient) -> None:
    for record in {record for question in QUESTIONS for record in question["first"]}:
        assert seed_client.get(f"/v1/{record}").status_code == 200, record


def test_what_people_look_for_comes_first(seed_client: TestClient) -> None:
    gain, success, lines = measured(seed_client)
    assert gain >= 0.95, lines
    assert success >= 0.9, lines


def main() -> None:
    """Print the figures over the seed on each engine."""
    with TemporaryDirectory() as folder, running_postgresql() as address:
        for url in (f"sqlite:///{folder}/seed.db", new_postgresql_database(address)):
            database = Database(url)
            database.migrate()
            seed_database(database, SEED)
            database.close()
            settings = Settings(database_url=url, query_seconds=PATIENT)
            with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as client:
                gain, success, lines = measured(client)
            figures = f"questions {len(QUESTIONS)}, nDCG@10 {gain:.3f}, success@1 for names {success:.3f}"
            print("\n".join([*lines, f"{make_url(url).get_backend_name()}: {figures}"]))


if __name__ == "__main__":
    main()
