"""The reads that the recorder asks: every operation with good and bad parameters, every record, every page.

They follow from what the service says itself: its OpenAPI document, its records and the links of its pages.
They come in the same order each time; nothing is drawn by lot.
"""

import re
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from tests.recording.values import (
    ACCEPTS,
    BAD_ADDRESSES,
    BAD_BODIES,
    BAD_HEADERS,
    CURSORS,
    KEPT,
    METHODS,
    NO_HTTP,
    PUBLIC_URL,
    QUERIES,
    RELEASE,
    SLUGS,
    STUDY_OF,
    Answer,
    Asker,
)


class Service:
    """A running service, with what it says of itself."""

    def __init__(self, asker: Asker) -> None:
        self.asker, self.ask = asker, asker.ask
        self.document = self.ask("GET", "/openapi.json").json
        self.paths: dict[str, Any] = dict(sorted(self.document["paths"].items()))
        self.resources = [path.split("/")[2] for path in self.paths if re.fullmatch(r"/v1/[a-z-]+/{id}/history", path)]
        self.items = {name: self.ask("GET", f"/v1/{name}?limit=200").json["items"] for name in self.resources}

    def get(self, path: str, asked: Any = None, **named: str) -> Answer:
        """The answer to a read with query parameters."""
        return self.ask("GET", path + (f"?{urlencode(asked, doseq=True)}" if asked else ""), **named)

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        """A part of the OpenAPI document, which may stand elsewhere in it."""
        if "$ref" not in value:
            return value
        found: Any = self.document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return {**found, **{name: other for name, other in value.items() if name != "$ref"}}

    def parameters(self, path: str, place: str = "query", method: str = "get") -> dict[str, dict[str, Any]]:
        """The parameters of an operation by their names, sorted: the schema of each, and whether it is required."""
        found = [self.resolved(one) for one in self.paths[path].get(method, {}).get("parameters", [])]
        return {
            one["name"]: {**self.resolved(one["schema"]), "is_required": one.get("required", False)}
            for one in sorted(found, key=lambda one: str(one["name"]))
            if one["in"] == place
        }

    def address(self, path: str) -> str:
        """A path of the OpenAPI document with its examples in it."""
        method = next(iter(self.paths[path]))
        examples = {name: schema["examples"][0] for name, schema in self.parameters(path, "path", method).items()}
        return path.format(**examples)

    def needed(self, path: str) -> dict[str, Any]:
        """What an operation cannot do without, from the examples of the OpenAPI document."""
        return {name: one["examples"][0] for name, one in self.parameters(path).items() if one["is_required"]}

    def values(self, schema: dict[str, Any]) -> tuple[list[Any], list[str]]:
        """Good and bad values of a parameter, as far as its schema tells."""
        schema = self.resolved(schema.get("items", schema))
        words = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
        if words:
            return words[:8], [f"{words[0]}x"]
        kind = schema.get("type")
        bounds = [schema[name] for name in ("minimum", "maximum") if name in schema]
        if kind in ("integer", "number"):
            outside = [str(bound + step) for bound, step in zip(bounds, (-1, 1), strict=False)]
            return bounds, [*outside, "abc", "1e999"]
        if kind == "boolean":
            return ["true", "false"], ["maybe"]
        return [], ["%\x01", "a" * 4001] if "pattern" in schema else []

    # Reads

    def operations(self) -> None:
        """Every path with every method; every read with its parameters, each kind of Accept, HEAD and If-None-Match."""
        for path in self.paths:
            address, needed = self.address(path), self.needed(path)
            for method in METHODS:
                if method in ("GET", "HEAD", "OPTIONS") or method.lower() not in self.paths[path]:
                    self.ask(method, f"{address}?{urlencode(needed, doseq=True)}" if needed else address)
            self.ask("GET", f"{address}/")
            if "get" not in self.paths[path]:
                continue
            self.get(address, {**needed, "no_such_parameter": "1"})
            for name in needed:
                self.get(address, {other: value for other, value in needed.items() if other != name})
            if path.rsplit("/", 1)[-1] in self.resources:
                continue  # lists have a plan of their own
            for accept in ACCEPTS[:8]:
                self.get(address, needed, Accept=accept)
            for name, schema in self.parameters(path).items():
                good, bad = self.values(schema)
                if name == "release":
                    good, bad = [RELEASE], ["no-such", "Bad Release"]
                good = [*good, *[one for one in schema.get("examples", []) if one not in good]]
                for value in (*good, *bad, [good[0], good[-1]] if good else "unknown", "unknown"):
                    self.get(address, {**needed, name: value})
            tag = self.get(address, needed).header("etag")
            for named in (tag, f"W/{tag}", f'"x", {tag}', '"x"', "*"):
                self.get(address, needed, If_None_Match=named)

    def lists(self) -> None:
        """Every list by every filter with values of its records; sorted, faceted, paged, and in every format."""
        for path in self.paths:
            plural = path.rsplit("/", 1)[-1]
            if plural not in self.resources or "get" not in self.paths[path]:
                continue
            address, parameters = self.address(path), self.parameters(path)
            items = self.items[plural]
            self._pages_of(address, {"sort": "-id", "limit": 2})
            for asked in ({"limit": 0}, {"limit": 201}, {"limit": 200, "fields": "id"}, {"limits": 1}, {"cursor": "x"}):
                self.get(address, asked)
            for form in ("csv", "ndjson", "xml"):
                self.get(address, {"format": form, "fields": ",".join(list(items[0])[:6])})
            self.get(address, {"release": RELEASE, "limit": 2, "count": "exact"})
            if path.count("/") > 2:
                for parent in ("no-such-record-anywhere", "Bad_Slug"):
                    self.get(f"/v1/{path.split('/')[2]}/{parent}/{plural}")
                for name in (path.split("/")[2].removesuffix("s"), "verification", "jurisdiction", "created_at_gte"):
                    self.get(address, {name: "x"})
                continue
            for name, schema in parameters.items():
                good, bad = self.values(schema)
                real = _values_of(items, re.sub(r"_(gte|lte)$", "", name))
                for value in (*(real[:2] or good[:2]), *bad[-2:]):
                    self.get(address, {name: value, "count": "exact", "fields": "id", "limit": 5} | {name: value})
                self.get(address, [(name, value) for value in (real or good or ["a", "b"])[:2] * 2][:2])
            for name in items[0]:
                self.get(address, {"sort": f"-{name},id", "fields": f"id,{name}", "limit": 3})
                self.get(address, {"facet": name, "limit": 1, "fields": "id"})
            self.get(address, {"facet": "id,no_such"})
            for sort in ("id,id", "--id", "+id", "", "id desc", "*"):
                self.get(address, {"sort": sort})
            self._included(address, items)
            for cursor in CURSORS:
                self.get(address, {"cursor": cursor})
            for accept in ACCEPTS:
                self.get(address, {"limit": 1}, Accept=accept)
            for coding in ("gzip", "br", "zstd", "identity", "gzip;q=0, br", "*"):
                tag = self.get(address, {"release": RELEASE}, Accept_Encoding=coding).header("etag")
                self.get(address, {"release": RELEASE}, Accept_Encoding=coding, If_None_Match=tag)
            self.get(address, [("id", items[0]["id"]), ("id", items[-1]["id"]), ("id", "no-such")])
            self.get(address, {"id": [f"a{number}" for number in range(201)], "limit": 1})

    def _pages_of(self, address: str, asked: dict[str, Any]) -> None:
        """The first three pages of a list, and the cursor of the second in another question."""
        cursor = self.get(address, asked).json.get("next")
        if cursor:
            self.get(address, {**asked, "sort": "id", "cursor": cursor})
            second = self.get(address, {**asked, "cursor": cursor})
            if second.json.get("next"):
                self.get(address, {**asked, "cursor": second.json["next"], "limit": 5})

    def _included(self, address: str, items: list[dict[str, Any]]) -> None:
        """What a list and a record can include, which the refusal of a wrong name tells."""
        refused = self.get(address, {"include": "no-such"}).json.get("errors", [{}])
        known = refused[0].get("known", [])
        for names in (*known, ",".join(known), f"{known[0]},{known[0]}" if known else "x"):
            self.get(address, {"include": names, "limit": 2})
            self.get(f"{address}/{items[0]['id']}", {"include": names})

    def records(self) -> None:
        """Every record; of some their history, versions, formats, pages, cards and badges, too."""
        for plural in self.resources:
            items = self.items[plural]
            path = f"/v1/{plural}/{{id}}"
            for item in items:
                self.get(f"/v1/{plural}/{item['id']}")
            for item in (items[0], items[len(items) // 2], items[-1]):
                address = f"/v1/{plural}/{item['id']}"
                for asked in (
                    *({"format": form} for form in self.values(self.parameters(path)["format"])[0]),
                    *({"version": version} for version in (1, 2, 99, 0, "x")),
                    *({"fields": names} for names in ("id", "id,version", "no_such", "id,id", "")),
                    *({"release": RELEASE}, {"release": RELEASE, "version": 1}),
                ):
                    tag = self.get(address, asked).header("etag")
                self.get(address, asked, If_None_Match=tag)
                self._pages_of(f"{address}/history", {"limit": 1})
                for under in (
                    f"/v1/{plural}/{item['id']}/card",
                    f"/{plural}/{item['id']}",
                    f"/embed/{plural}/{item['id']}",
                ):
                    for asked in ({}, {"release": RELEASE}, {"theme": "dark", "lang": "de"}, {"theme": "no"}):
                        self.get(under, asked)
                self.get(f"/{plural}/{item['id']}", Accept="application/ld+json")
                self.get(f"/badge/{plural}/{item['id']}.svg")
                self.get("/oembed", {"url": f"{PUBLIC_URL}/{plural}/{item['id']}", "maxwidth": 300})
            for slug in (*SLUGS, f"{items[0]['id']}x", f"{items[0]['id']}/"):
                self.ask("GET", f"/v1/{plural}/{quote(slug, safe='%/')}")
                self.ask("GET", f"/{plural}/{quote(slug, safe='%/')}")

    def reports(self) -> None:
        """What joins records: dossiers, gaps, comparisons, search, lookups, changes, releases, drafts, syntheses."""
        treatments = [item["id"] for item in self.items["treatments"]]
        conditions = [item["id"] for item in self.items["conditions"]]
        for treatment in treatments:
            for name in ("dossier", "completeness", "benefit-harm"):
                for condition in (conditions if treatment == treatments[0] else conditions[:2]) + [""]:
                    self.get(f"/v1/treatments/{treatment}/{name}", {"condition": condition} if condition else None)
            self.get("/v1/gaps", {"treatment": treatment, "limit": 2})
            self.get("/v1/scorecard", {"treatment": treatment})
            self.get("/v1/compare", {"treatments": f"{treatments[0]},{treatment}", "condition": conditions[0]})
            for place in ("US", "GB", "DE"):
                asked = {"treatment": treatment, "condition": conditions[0], "jurisdiction": place}
                self.get("/v1/regulatory-status", asked)
                self.get("/v1/regulatory-status", {**asked, "on": "2010-10-14"})
        self._searches()
        self._changes()
        self._files()
        self._syntheses()

    def _searches(self) -> None:
        for words in QUERIES:
            self.get("/v1/search", {"q": words})
            self.get("/v1/suggest", {"q": words})
            self.get("/search", {"q": words})
            self.get("/v1/search", {"q": words, "release": RELEASE, "limit": 2, "facet": "kind", "fields": "id"})
        self._pages_of("/v1/search", {"q": "botox", "limit": 2})
        codes = [code for name in self.resources for item in self.items[name] for code in item.get("codes") or []]
        for code in codes[:40]:
            self.get("/v1/lookup", {"system": code["system"], "code": code["code"]})
        for system, text in (("pmid", "11376175"), ("DOI", "https://doi.org/10.1212/WNL.56.10.1290"), ("doy", "x")):
            self.get("/v1/lookup", {"system": system, "code": text})

    def _changes(self) -> None:
        for asked in ({"since": 1}, {"since": 1, "until": 2}, {"since": 99}, {"order": "newest-first", "limit": 3}):
            for form in ("json", "ndjson", "atom"):
                self.get("/v1/changes", {**asked, "format": form})
        self._pages_of("/v1/changes", {"limit": 2})
        for change in self.get("/v1/changes", [("type", "record-withdrawn"), ("type", "renamed")]).json["items"]:
            for name in dict.fromkeys((change["id"], change.get("old") or change["id"])):
                one = f"/{change['kind']}/{name}"
                for rest in (
                    "",
                    "/history",
                    "?version=1",
                    f"?release={RELEASE}",
                    "/card",
                    "/study-results",
                    "?fields=id",
                ):
                    self.get(f"/v1{one}{rest}")
                for page in (one, f"/embed{one}", f"/badge{one}.svg", f"/embed/builder?id={one}"):
                    self.get(page)

    def _files(self) -> None:
        file = f"/v1/releases/{RELEASE}/dataset.sqlite3"
        self.ask("HEAD", file)
        for piece in ("0-99", "-100", "100-", "5-1", "0-0,10-19", "999999999-", "x"):
            self.get(file, Range=f"bytes={piece}")
        tag = self.get(file).header("etag")
        self.get(file, If_None_Match=tag)
        self.get(file, Range="bytes=0-9", If_Range=tag)
        self.get(file, Range="bytes=0-9", If_Range='"x"')

    def _syntheses(self) -> None:
        conditions = [item["id"] for item in self.items["conditions"]]
        question = self.needed("/v1/syntheses")
        for outcome in [item["id"] for item in self.items["outcomes"]]:
            for condition in conditions[:6]:
                self.get("/v1/syntheses", {**question, "outcome": outcome, "condition": condition})
        kept = self.get(KEPT).json.get("input_hash", "")
        for form in ("json", "csv", "svg", "svg&plot=funnel"):
            self.ask("GET", f"{KEPT}&format={form}")
            self.ask("GET", f"/v1/syntheses/{kept}?format={form}")
        for key in ("", "read", "write", "other", "admin", "revoked", "expired", "unknown"):
            for path in ("/v1/drafts", "/v1/drafts/1", "/v1/treatments?limit=1", "/"):
                self.ask("GET", path, key=key)

    def calculator(self) -> None:
        """The pooling of studies that are sent: every measure, model, method and estimator, and wrong bodies."""
        schemas = self.document["components"]["schemas"]
        also = schemas["SynthesisAddition"]["enum"]
        for measure in schemas["SynthesisMeasure"]["enum"]:
            body = {"measure": measure, "studies": _studies(STUDY_OF[measure])}
            choices: list[dict[str, Any]] = [{"method": word} for word in schemas["SynthesisMethod"]["enum"]]
            choices += [{"estimator": word} for word in schemas["SynthesisEstimator"]["enum"]]
            choices += [{"model": "common-effect", "method": word} for word in schemas["SynthesisMethod"]["enum"]]
            choices += [{"interval": "knapp-hartung", "level": 90}, {"also": also}, {"level": 100}, {"n": 1}]
            for choice in choices:
                self.ask("POST", "/v1/syntheses", {**body, **choice})
            for form in ("csv", "svg", "svg&plot=funnel", "pdf"):
                self.ask("POST", f"/v1/syntheses?format={form}", {**body, "title": "Made up", "arm1": "A & <b>"})
            first, *rest = body["studies"]
            for name, value in ((name, value) for name in first for value in (-1, "1", None, True, 1e300)):
                self.ask("POST", "/v1/syntheses", {**body, "studies": [{**first, name: value}, *rest]})
        for content in BAD_BODIES:
            self.ask("POST", "/v1/syntheses", content)
        for media_type in ("text/plain", "application/json; charset=latin-1", "", "application/x-www-form-urlencoded"):
            self.ask("POST", "/v1/syntheses", {}, Content_Type=media_type)

    def pages(self) -> None:
        """Whatever pages for people lead to, and what no page names."""
        waiting = ["/", "/docs", "/guide", "/problems", "/llms.txt", "/search", "/embed/builder", "/embed/element.json"]
        waiting += ["/treatments", "/claims", "/syntheses", KEPT.removeprefix("/v1"), "/healthz", "/readyz", "/metrics"]
        waiting += [f"/treatments?kind={word}" for word in ("biologic", "no", "")]
        waiting += [
            f"/claims?{word}" for word in ("verdict=contradicted", "safety_flag=true", "verdict=no", "cursor=x")
        ]
        waiting += [f"/embed/builder?{word}" for word in ("kind=claims&id=c20", "id=no-such", "theme=dark&size=280")]
        waiting += ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/start.js", "/assets/style.css"]
        seen = set(waiting)
        for path in waiting:  # which grows meanwhile
            answer = self.ask("GET", path)
            if answer.header("etag") and len(seen) < 200:
                self.ask("GET", path, If_None_Match=answer.header("etag"))
                self.ask("HEAD", path)
            if not answer.header("content-type").startswith("text/html"):
                continue
            for link in re.findall(r'(?:href|src|action)="([^"#]+)', answer.text):
                address = urljoin(f"{PUBLIC_URL}{path}", link.replace("&amp;", "&")).removeprefix(PUBLIC_URL)
                if address.startswith("/") and address not in seen and len(seen) < 600:
                    seen.add(address)
                    waiting.append(address)
        for url in (
            "",
            "x",
            f"{PUBLIC_URL}/claims/c20?release={RELEASE}",
            f"{PUBLIC_URL}/claims/no-such",
            "//evil.test",
        ):
            for form in ("json", "xml", "yaml"):
                self.get("/oembed", {"url": url, "format": form})
        for pixels in ("0", "-1", "x", "99999999"):
            self.get("/oembed", {"url": f"{PUBLIC_URL}/claims/c20", "maxwidth": pixels, "maxheight": 50})
        for path in ("/", "/treatments", "/claims/c20", "/docs", "/problems", "/guide", "/search", "/no-such"):
            for accept in ACCEPTS:
                self.ask("GET", path, Accept=accept)

    def wrong(self) -> None:
        """Addresses, methods, headers and bytes that nobody should send."""
        for path in BAD_ADDRESSES:
            for method in ("GET", "HEAD", "POST"):
                self.ask(method, path)
        for path in ("/v1/treatments?limit=1", "/v1/treatments?limit=0", "/no-such", "/"):
            for name, value in BAD_HEADERS:
                self.ask("GET", path, **{name: value})
            for asked in ("Authorization", "x-a, x-b", "", "<script>"):
                named = {"Origin": "https://a.test", "Access-Control-Request-Headers": asked}
                self.ask("OPTIONS", path, **named, **{"Access-Control-Request-Method": "PATCH"})
            for method in METHODS:
                self.ask(method, path, b"{")
        for content in NO_HTTP:
            self.asker.ask_raw(content)


def _values_of(items: list[dict[str, Any]], name: str) -> list[Any]:
    """The different values that records have in a field, the first and the last of them, as a filter takes them."""
    found: list[Any] = []
    for item in items:
        value = item.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | int | float) and one not in found:
                found.append(str(one).lower() if isinstance(one, bool) else one)
    return found[:1] + found[1:][-1:]


def _studies(numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """Made-up studies with these numbers, a little different in each."""
    whole = ("events1", "events2", "events", "n1", "n2", "n", "time1", "time2")
    return [
        {"label": f"Made-up {step}", "subgroup": "ab"[step % 2]}
        | {
            name: value + step if name in whole else round(value * (1 + step / 10), 3)
            for name, value in numbers.items()
        }
        for step in range(5)
    ]
