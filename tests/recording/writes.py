"""The writes that the recorder asks, and the reads that see what was written."""

import json
from typing import Any

from tests.recording.reads import Service
from tests.recording.values import BAD_BODIES, KEPT, MERGE_PATCH, NDJSON, PUBLIC_URL, RELEASE, Answer

FREE_TEXTS = ("name", "title", "note", "term", "statement", "scope", "rationale", "population")
"""Fields that take any text; every resource has one of them."""
Seed = dict[str, list[dict[str, Any]]]


class Writes:
    """Writes to a running service, with the records of a seed under made-up ids."""

    def __init__(self, service: Service, seed: Seed) -> None:
        self.service, self.ask, self.seed = service, service.ask, seed

    def life(self, plural: str) -> None:
        """The life of two records of a resource, with every mistake on the way, and of drafts of them."""
        path, body = f"/v1/{plural}", {**self.seed[plural][0], "id": f"made-up-{plural}"}
        one = f"{path}/{body['id']}"
        field = self._text_field(path)
        for key in ("", "read", "revoked", "expired", "unknown"):
            self.ask("POST", path, body, key=key)
        for content in BAD_BODIES:
            self.ask("POST", path, content, key="write")
        for media_type in ("text/plain", NDJSON, "application/json; charset=utf-16"):
            self.ask("POST", path, body, key="write", Content_Type=media_type)
        known = {item["id"] for items in self.service.items.values() for item in items}
        dangling = {name: "no-such" if value in known else value for name, value in body.items() if _is_text(value)}
        self.ask("POST", path, {**body, **dangling}, key="write")
        for name in body:
            self.ask("POST", path, {**body, name: {"a": 1}}, key="write")
            self.ask("POST", path, {other: value for other, value in body.items() if other != name}, key="write")
        for asked in ("?reason=Made+up.", "", "?raeson=x", "?reason=", "?draft=maybe"):
            self.ask("POST", f"{path}{asked}", body, key="write")
        again = {**body, "id": f"{body['id']}-2"}
        for other in (again, again, {**again, "id": "other"}):
            self.ask("POST", path, other, key="write", Idempotency_Key=f"key-{plural}")
        self.ask("POST", path, again, key="write", Idempotency_Key="a b")
        tag = self.ask("GET", one).header("etag")
        for method, change in (("PUT", body), ("PATCH", {}), ("DELETE", None)):
            for named in ({}, {"If_Match": '"9.0123456789abcdef"'}, {"If_Match": "garbage"}, {"If_Match": f"W/{tag}"}):
                self.ask(method, f"{one}?reason=x", change, key="write", **named)
            self.ask(method, one, change, key="read", If_Match="*")
            self.ask(method, f"{path}/no-such-record-anywhere?reason=x", change, key="write", If_Match="*")
        for content in BAD_BODIES:
            self.ask("PUT", one, content, key="write", If_Match="*")
            self.ask("PATCH", one, content, key="write", If_Match="*", Content_Type=MERGE_PATCH)
        for change in ({}, {field: f"{body.get(field)} (changed)"}, {"id": "other"}, {"no_such": 1}, {"version": 9}):
            tag = self.ask("GET", one).header("etag")
            self.ask("PATCH", f"{one}?reason=Made+up.", change, key="write", If_Match=tag, Content_Type=MERGE_PATCH)
        for name in body:
            self.ask("PATCH", f"{one}?draft=true", {name: None}, key="write", If_Match="*", Content_Type=MERGE_PATCH)
        self.ask("PUT", one, self.ask("GET", one).content, key="write", If_Match='"2"')
        self.ask("PUT", one, body, key="write", If_Match="*")
        self._drafts(path, {**body, "id": f"made-up-draft-{plural}"}, field)
        for asked in ("", "?reason=", "?reason=a&reason=b", "?reason=Entered+twice."):
            self.ask("DELETE", f"{one}{asked}", key="write", If_Match="*")
        for method, change in (("GET", None), ("HEAD", None), ("PUT", body), ("PATCH", {}), ("DELETE", None)):
            self.ask(method, f"{one}?reason=x" if change is not None else one, change, key="write", If_Match="*")
        self.ask("POST", path, body, key="write")

    def _text_field(self, path: str) -> str:
        """A field of a resource that takes any text."""
        content = self.service.paths[path]["post"]["requestBody"]["content"]["application/json"]
        fields = self.service.resolved(content["schema"])["properties"]
        return next(name for name in FREE_TEXTS if name in fields)

    def _drafts(self, path: str, body: dict[str, Any], field: str) -> None:
        """A draft that is published, one that is discarded, one that came too late."""
        one, change = f"{path}/{body['id']}", {field: f"{body.get(field)} (drafted)"}
        created = _path(self.ask("POST", f"{path}?draft=true&reason=Made+up.", body, key="write"))
        self.ask("GET", one)
        self._decided(created, "publish?note=Checked.")
        late = _path(
            self.ask("PATCH", f"{one}?draft=true", {"curator_checked": None, **change}, key="write", If_Match="*")
        )
        gone = _path(self.ask("DELETE", f"{one}?draft=true&reason=Made+up.", key="other", If_Match='"1"'))
        self.ask("DELETE", f"{gone}?reason=No.", key="write")
        self.ask("DELETE", f"{gone}?reason=No.", key="other")
        self.ask("PATCH", one, {field: f"{body.get(field)} (meanwhile)"}, key="write", If_Match="*")
        self._decided(late, "publish?note=Late.")
        self.ask("GET", f"{path}/{body['id']}/history")

    def _decided(self, draft: str, decision: str) -> None:
        for key in ("", "other", "write", "admin"):
            self.ask("GET", draft, key=key)
            self.ask("POST", f"{draft}/{decision}", key=key)
        self.ask("POST", f"{draft}/publish", key="admin")
        self.ask("POST", f"{draft}/{decision}", key="admin")

    def batches(self) -> None:
        """Many records at once: all are saved or none."""
        lines = [
            {"kind": name, "record": {**record, "id": f"made-up-batch-{number}-{record['id']}"[:120]}}
            for name in self.service.resources
            for number, record in enumerate(self.seed[name][:3])
        ]
        stale = {"kind": "conditions", "record": {"id": "made-up-draft-conditions", "name": "made up", "version": 99}}
        dangling = {"kind": "conditions", "record": {"id": "made-up-part", "name": "made up", "part_of": "no-such"}}
        cases = (lines, lines, [*lines, stale], [dangling], [{"kind": "condition", "record": {}}], [lines[0]] * 2)
        for key in ("", "read", "write"):
            for case in cases:
                content = "".join(json.dumps(line) + "\n" for line in case).encode()
                for asked in ("", "?replace=true", "?kind=conditions", "?kind=no"):
                    self.ask("POST", f"/v1/batch{asked}", content, key=key, Content_Type=NDJSON)
        changed = json.dumps({"kind": "conditions", "record": {"id": "made-up-batch", "name": "made up"}}).encode()
        for content in (changed, changed, changed.replace(b"made up", b"other")):
            self.ask("POST", "/v1/batch", content, key="write", Content_Type=NDJSON, Idempotency_Key="batch")
        for content in BAD_BODIES:
            self.ask("POST", "/v1/batch?kind=conditions", content, key="write", Content_Type=NDJSON)
        self.ask("POST", "/v1/batch", changed, key="write")
        for plural in self.service.resources:
            exported = self.ask("GET", f"/v1/{plural}?format=ndjson").content
            for content in (exported, exported.replace(b"made up", b"made-up"), exported.replace(b"a", b"A", 9)):
                self.ask("POST", f"/v1/batch?kind={plural}", content, key="write", Content_Type=NDJSON)

    def after_writes(self) -> None:
        """The reads that see what was written."""
        for plural in self.service.resources:
            for asked in (
                "limit=200",
                "format=csv",
                f"release={RELEASE}",
                "sort=-id&limit=3",
                "count=exact&facet=state",
            ):
                self.ask("GET", f"/v1/{plural}?{asked}")
            for name in (f"made-up-{plural}", f"made-up-{plural}-2", f"made-up-draft-{plural}"):
                for rest in ("", "/history", "?version=1", "?version=2", f"?release={RELEASE}"):
                    self.ask("GET", f"/v1/{plural}/{name}{rest}")
                for page in (f"/{plural}/{name}", f"/embed/{plural}/{name}", f"/badge/{plural}/{name}.svg"):
                    self.ask("GET", page)
            self.ask("GET", f"/v1/drafts?kind={plural}", key="admin")
        for key in ("write", "other", "admin"):
            self.ask("GET", "/v1/drafts?limit=200", key=key)
            self.ask("GET", "/v1/drafts?state=published&state=discarded&limit=3", key=key)
        for path in (
            "/v1",
            "/v1/scorecard",
            "/v1/search?q=made-up",
            "/v1/suggest?q=made",
            "/llms.txt",
            "/treatments",
            "/",
        ):
            self.ask("GET", path)
        for asked in (
            "since=4",
            "since=4&format=atom",
            "since=4&format=ndjson",
            "type=record-withdrawn&limit=5",
            "id=c20",
        ):
            self.ask("GET", f"/v1/changes?{asked}")
        for path in (
            "/v1/treatments/onabotulinumtoxina/dossier",
            "/v1/gaps?treatment=onabotulinumtoxina",
            KEPT,
            "/metrics",
        ):
            self.ask("GET", path)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _path(answer: Answer) -> str:
    """The address that an answer names, without the host; of no draft when it names none."""
    return answer.header("location").removeprefix(PUBLIC_URL) or "/v1/drafts/999"
