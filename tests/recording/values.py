"""What the recorder sends, as tables, and what it gets back."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

HOST = "127.0.0.1:8000"
PUBLIC_URL = f"http://{HOST}"
RELEASE = "2026-11-22"
"""The name that the documentation and the tests give to a release of the seed."""
KEPT = (
    "/v1/syntheses?treatment=onabotulinumtoxina&condition=chronic-low-back-pain&outcome=oswestry-improvement"
    f"&release={RELEASE}"
)
"""The question whose answer the documentation shows under its hash."""
NDJSON, MERGE_PATCH = "application/x-ndjson", "application/merge-patch+json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO")
ACCEPTS = (
    *("*/*", "application/*", "application/json", "text/csv", "text/html", "application/ld+json", "image/png"),
    *("application/xml, text/html;q=0.9", "application/json;q=0, text/*", "image/png\napplication/json", "*/*;q=0", ""),
)
"""What a reader accepts; a line break stands for a header on several lines."""
SLUGS = ("Bad_Slug", "no-such-record-anywhere", "a" * 121, "%00", "%FF", "..%2f..%2fetc", "é", "%3Cscript%3E", "a b")
QUERIES = (
    *("botox", "botox migraine", "botoks headache", "neck pain", "dysphagia", "ptosis", "FDA", "155 units", "onabotu"),
    *("foster 2001", "10.1212/wnl.56.10.1290", "NCT00168428", "G43.7", "M03AX01", "treatment of", "effective", "a", ""),
    *("zzzzzz", "é", "😀", "' OR 1=1", '"exact words"', "migraine -chronic", "%", "*", "dry mouth", "c20", "made-up"),
    *("x" * 501, "one two three four five six seven eight nine ten eleven twelve", "botulinum AND toxin", "\u202eabc"),
)
BAD_ADDRESSES = (
    *("/v1/", "/v2/treatments", "/V1/treatments", "/v1//treatments", "//evil.test/v1", "/treatment", "/treatments/"),
    *("/index.php", "/favicon.ico", "/.env", "/robots.txt", "/sitemap.xml", "/docs/", "/docs/../start.js", "/*", "/%"),
    *("/docs/%2e%2e%2fdocs.html", "/docs/..%5c..%5ccli.py", "/docs/%2fetc%2fpasswd", "/assets/", "/assets/base.html"),
    *("/assets/..%2fbase.html", "/problems/", "/problems/no-such", "/problems/not-fond", "/guide/no-such", "/%zz"),
    *("/embed/v1/treatment-evidence.000000000000.js", "/embed/treatments/no-such", "/badge/claims/no-such.svg"),
    *("/v1/treatments/%2e%2e%2f%2e%2e%2fopenapi.json", "/v1/treatments;a=b", "/openapi.yaml", "/v1/treatments?q=%00"),
    *("/v1/treatments?%FF=q", "/v1/treatmentsx", "/v1/TREATMENTS", "/v1/treatments?limit=%31", "/v1/treat%6Dents"),
    *("/v1/treatments?id=%ED%A0%80", "/v1/treatments?q=" + "a" * 40_000, "/v1/" + "a" * 40_000, "/v1/treatments?&&="),
    *("/v1/treatments?limit", "/v1/treatments?limit=1;fields=id", "/v1/treatments?limit=1&limit=2", "/v1?limit=1"),
)
NO_HTTP = (
    b"FOO /v1/treatments HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"get /v1/treatments HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET v1/treatments HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v1/treatments HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v1/\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /v1/treatments HTTP/1.1\r\n: a\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"POST /v1/treatments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
    b"POST /v1/syntheses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n",
    b"POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n",
)
BAD_BODIES = (
    *(b"", b"{", b"[]", b"null", b'"text"', b"1", b"{}", b'{"id": "a", "id": "b"}', b'{"id": NaN}', b'{"id": 1e999}'),
    *(b'{"id": "a\\u0000"}', b'{"id": "\\ud800"}', b"\xff\xfe", b'\xef\xbb\xbf{"id": "a"}', b'{"id": "Bad Slug"}'),
    *(b"[" * 2000, b'{"id": ' + b"9" * 400 + b"}", b'{"id": "a", "no_such_field": 1}', b'{"id": "a"} x', b"\x00"),
)
BAD_HEADERS = (
    *(("Host", "evil.test"), ("Host", "127.0.0.1:8000@evil.test"), ("Host", ""), ("Range", "bytes=5-1")),
    *(("Accept-Encoding", "*;q=0, identity;q=0"), ("If-Modified-Since", "yesterday"), ("If-None-Match", '"""')),
    *(("If-None-Match", "*"), ("Authorization", "Basic YTpi"), ("Authorization", "Bearer"), ("X-Request-ID", "a.b")),
    *(("Authorization", "Bearer x\nBearer y"), ("X-HTTP-Method-Override", "DELETE"), ("Content-Encoding", "gzip")),
    *(("X-Forwarded-Proto", "javascript"), ("Cookie", "a=;;"), ("Origin", "null"), ("X-Request-ID", "a b")),
)
CURSORS = ("x", "", "!!!!", "W10", "MQ", "bnVsbA", "IiI", "/////w", "W1tbW1tbW1s", "a" * 4001)
COUNTS = {"events1": 12, "n1": 100, "events2": 20, "n2": 98}
RATES = {"events1": 12, "time1": 100, "events2": 20, "time2": 98}
PROPORTIONS = {"events": 12, "n": 100}
MEANS = {"mean1": 5.1, "sd1": 1.2, "n1": 40, "mean2": 6.3, "sd2": 1.4, "n2": 42}
STUDY_OF: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("risk-ratio", "odds-ratio", "risk-difference"), COUNTS),
    **dict.fromkeys(("mean-difference", "standardized-mean-difference", "ratio-of-means"), MEANS),
    **dict.fromkeys(("proportion-logit", "proportion-freeman-tukey"), PROPORTIONS),
    **{"rate-ratio": RATES, "fisher-z": {"r": 0.4, "n": 40}, "generic": {"estimate": -0.4, "se": 0.2}},
}
"""The numbers of a study by the measure that they are pooled as."""


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def text(self) -> str:
        """Its body as text."""
        return self.content.decode(errors="replace")

    @cached_property
    def json(self) -> dict[str, Any]:
        """Its body when that is a JSON object; else nothing."""
        try:
            found = json.loads(self.content)
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}

    def header(self, name: str) -> str:
        """The value of a header; empty without it."""
        return next((value for known, value in self.headers if known == name), "")


class Asker(Protocol):
    """A recorder: sends requests and writes each down under the current kind."""

    kind: str
    is_after_writes: bool

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "", **named: str) -> Answer:
        """The answer to a request."""

    def ask_raw(self, content: bytes) -> Answer:
        """The answer to bytes that may be no HTTP."""
