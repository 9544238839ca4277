"""The API for tests that write: the application over a database that may be written to, and a key of every kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from app.api_keys import SCOPES, new_key
from app.clock import ago
from app.db.database import Database
from app.json_codec import to_json
from app.main import create_app
from app.settings import Settings
from app.store.write.keys import create_key, revoke_key
from tests.support.client import Client

ADDRESS = "http://127.0.0.1:8000"
MERGE_PATCH = "application/merge-patch+json"


class Api:
    """Asks the application with a key, and makes records that nobody takes for real ones."""

    def __init__(self, client: TestClient, database: Database, keys: dict[str, str]) -> None:
        self.client = client
        self.database = database
        self.keys = keys

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "write",
        content_type: str = "application/json",
        **headers: str,
    ) -> Response:
        """The answer to a request; a body that is not bytes yet is sent as JSON, `If_Match` is the header If-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named["Authorization"] = f"Bearer {self.keys[key]}"
        if body is not None:
            named["Content-Type"] = content_type
        content = body if isinstance(body, bytes) or body is None else to_json(body)
        return self.client.request(method, path, content=content, headers=named)

    def condition(self, **fields: Any) -> dict[str, Any]:
        """A new condition, as it was saved."""
        values = {"id": f"made-up-{token_hex(4)}", "name": "made-up ache", **fields}
        answer = self.ask("POST", "/v1/conditions", values)
        assert answer.status_code == 201, answer.text
        saved: dict[str, Any] = answer.json()
        return saved

    def revision(self) -> int:
        """The dataset's revision."""
        return int(self.client.get("/v1").headers["dataset-revision"])


@contextmanager
def open_api(url: str, **settings: Any) -> Iterator[Api]:
    """The API over a migrated database; wrong keys, which tests send by the hundred, are not counted unless asked."""
    database = Database(url)
    try:
        usual: dict[str, Any] = {"rate_failures": "off", "query_seconds": 20}
        app = create_app(Settings(database_url=url, **usual | settings))
        with Client(app, base_url=ADDRESS, raise_server_exceptions=False) as client:
            yield Api(client, database, made_keys(database))
    finally:
        database.close()


def made_keys(database: Database) -> dict[str, str]:
    """A key of every scope by its name, one that was revoked, one that has expired, and one that nobody made."""
    keys: dict[str, str] = {scope: create_key(database, f"made-up {scope}", scope) for scope in SCOPES}
    keys["revoked"] = create_key(database, "made-up revoked", "admin")
    revoke_key(database, "made-up revoked")
    keys["expired"] = create_key(database, "made-up expired", "admin", expires_at=ago(1))
    keys["wrong"] = new_key()[1]
    return keys


def problem_of(answer: Response, status: int, name: str, pointer: str | None = None) -> dict[str, Any]:
    """The problem of an answer, which must be of this kind and, with `pointer`, name that place."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"{ADDRESS}/problems/{name}", problem
    assert problem["status"] == status
    if pointer is not None:
        assert pointer in [error.get("pointer", error.get("parameter")) for error in problem["errors"]], problem
    return problem
