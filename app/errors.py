"""Exceptions that become RFC 9457 problem details, with status and title on the class."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

MEDIA_TYPE = "application/problem+json"
EXAMPLE_ADDRESS = "http://127.0.0.1:8000"
"""The public URL in examples."""
REALM = "treatment-evidence"
"""The `realm` of the WWW-Authenticate header (RFC 6750, section 3)."""
MOST_ERRORS = 20
"""Most entries of a problem's `errors`."""
LONGEST_NAME_REPEATED = 100
"""Most characters that a problem repeats of a name sent by the caller."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word closest to a misspelt one (difflib ratio of at least 0.6), or None."""
    from difflib import get_close_matches  # noqa: PLC0415  # only mistakes need it

    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower()[:200], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


class BrokenSetting(Exception):  # noqa: N818  # names the invalid setting
    """A setting is unknown or has an invalid value; the program does not start."""


class Moved(Exception):  # noqa: N818  # a redirect, not an error
    """The record was renamed: its former id redirects to the present one (308)."""

    def __init__(self, plural: str, former: str, present: str) -> None:
        super().__init__(f"{plural}/{former} is {plural}/{present} now")
        self.plural = plural
        self.former = former
        self.present = present


class Problem(Exception):  # noqa: N818  # RFC 9457 calls it a problem
    """A problem details response (RFC 9457). Subclasses set the HTTP status, the title and the advice."""

    status: ClassVar[int] = 500
    name: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"
    advice: ClassVar[str] = "Try again; if it happens again, report it with the address that you asked for."

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    @classmethod
    def example(cls) -> Self:
        """A sample problem of this class, for the OpenAPI document."""
        return cls(f"{cls.title}.")

    def links(self, public_url: str) -> list[str]:  # noqa: ARG002  # most problems have none
        """Values of the Link header (RFC 8288) that lead to related resources."""
        return []

    def body(self, public_url: str, instance: str) -> dict[str, Any]:
        """The problem details object: type, title, status, detail, instance, and `errors` where there are several."""
        content: dict[str, Any] = {
            "type": f"{public_url}/problems/{self.name}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            content["errors"] = self.errors
        return content


class Unauthorized(Problem):
    """The request needs an API key and has none, or its key is not valid."""

    status = 401
    name = "unauthorized"
    title = "This needs a key that is valid"
    advice = "Send your key in the header Authorization, after the word Bearer. Whoever runs the service makes keys."

    def __init__(self, detail: str, *, error: str | None = None) -> None:
        challenge = f'Bearer realm="{REALM}"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """The key is valid, but its scope does not suffice."""

    status = 403
    name = "forbidden"
    title = "This key may not do that"
    advice = "Use a key of the scope that `detail` names."


class NotFound(Problem):
    """The page or record does not exist."""

    status = 404
    name = "not-found"
    title = "There is nothing here"
    advice = "Check the address. A list such as /v1/treatments gives the ids that exist."


class RequestTimeout(Problem):
    """The request did not arrive completely in time."""

    status = 408
    name = "request-timeout"
    title = "The rest of this request did not come"
    advice = "Send the whole request without pauses. Nothing was done; it can be sent again."


class Conflict(Problem):
    """A record with this id exists already."""

    status = 409
    name = "conflict"
    title = "There is such a record already"
    advice = "Change the record with PUT or PATCH, or choose another id."


class Decided(Problem):
    """The draft was published or discarded already."""

    status = 409
    name = "already-decided"
    title = "This draft was decided already"
    advice = "Read the draft: it says who decided, when and how. A new draft can be sent at any time."


class Gone(Problem):
    """The record was withdrawn; its last version can still be read."""

    status = 410
    name = "gone"
    title = "This record was withdrawn"
    advice = "Do not use it any more: `detail` says why. What it said is at `last_version`, marked as withdrawn."

    def __init__(self, detail: str, *, record: str, version: int) -> None:
        super().__init__(detail)
        self.record = record
        self.version = version

    @classmethod
    def example(cls) -> Self:
        """A sample problem of this class, for the OpenAPI document."""
        return cls(f"{cls.title}.", record="claims/c20", version=2)

    def links(self, public_url: str) -> list[str]:
        """The last version and the history of the record (RFC 5829)."""
        address = f"{public_url}/v1/{self.record}"
        return [
            f'<{address}?version={self.version}>; rel="predecessor-version"',
            f'<{address}/history>; rel="version-history"',
        ]

    def body(self, public_url: str, instance: str) -> dict[str, Any]:
        """The problem details object, with the address of the last version."""
        address = f"{public_url}/v1/{self.record}?version={self.version}"
        return super().body(public_url, instance) | {"last_version": address}


class MethodNotAllowed(Problem):
    """The path exists, but does not support the method."""

    status = 405
    name = "method-not-allowed"
    title = "This method is not allowed here"
    advice = "Use a method that the Allow header names."


class NotAcceptable(Problem):
    """None of the media types in Accept is available."""

    status = 406
    name = "not-acceptable"
    title = "We cannot answer in a format that you accept"
    advice = "Send one of the media types that the answer names in Accept, or leave the header out."


class BadCursor(Problem):
    """The cursor cannot be decoded, or belongs to another query."""

    status = 400
    name = "bad-cursor"
    title = "This cursor does not belong to this query"
    advice = "Start again without a cursor, and keep filters and sort unchanged while you follow `next`."


class BadRequest(Problem):
    """The request cannot be decoded."""

    status = 400
    name = "bad-request"
    title = "This request cannot be read"
    advice = "Send UTF-8, percent-encoded, without NUL characters."


class PreconditionFailed(Problem):
    """Somebody else changed the record since the caller read it."""

    status = 412
    name = "precondition-failed"
    title = "The record has another version by now"
    advice = "Read it again, decide again, and send the ETag that you get in If-Match."


class ContentTooLarge(Problem):
    """The body is larger than the limit."""

    status = 413
    name = "content-too-large"
    title = "This body is too large"
    advice = "Send less at a time."


class TooLong(Problem):
    """The address is too long."""

    status = 414
    name = "uri-too-long"
    title = "This address is too long"
    advice = "Ask for fewer ids at a time: 200 are enough for one request."


class UnsupportedMediaType(Problem):
    """The body has a media type or encoding that is not supported."""

    status = 415
    name = "unsupported-media-type"
    title = "We cannot read a body of this format"
    advice = "Send one of the media types that the answer names in Content-Type, without a Content-Encoding."


class RangeNotSatisfiable(Problem):
    """The requested range lies beyond the end of the file."""

    status = 416
    name = "range-not-satisfiable"
    title = "The file has no such range"
    advice = "Content-Range says how long the file is. Ask for a range below that, or leave Range out."


class Misdirected(Problem):
    """The request names a host that this service does not answer for."""

    status = 421
    name = "misdirected-request"
    title = "This service does not answer under that name"
    advice = "Use the address under which the service is published. Operators: TEV_ALLOWED_HOSTS names the hosts."


class InvalidParameter(Problem):
    """A parameter is unknown, malformed or out of range."""

    status = 422
    name = "invalid-parameter"
    title = "A parameter is wrong"
    advice = (
        "Each entry of `errors` names the parameter, what was wrong, and the nearest known name where there is one."
    )


class InvalidBody(Problem):
    """The body is well-formed JSON, but invalid."""

    status = 422
    name = "invalid-body"
    title = "The body is wrong"
    advice = "Each entry of `errors` names the place as a JSON pointer, what was wrong, and what would be right."


class NotComparable(Problem):
    """The query compares or pools values of different units, outcomes or time frames."""

    status = 422
    name = "not-comparable"
    title = "These cannot be compared"
    advice = (
        "Narrow the query. Each entry of `errors` names the parameter, what would be right, and why: the warnings that "
        "forbid the comparison, or the reason with the records on each side."
    )


class IdempotencyMismatch(Problem):
    """The idempotency key was used before for another request."""

    status = 422
    name = "idempotency-mismatch"
    title = "This Idempotency-Key belongs to another request"
    advice = "Send a new key with each new request; the same key only to send the same request again."


class InvalidRecord(Problem):
    """A record breaks a validation rule; nothing was stored."""

    status = 422
    name = "invalid-record"
    title = "A record breaks a rule"
    advice = "Each entry of `errors` names the record, the JSON pointer and the rule. Nothing was stored."


class PreconditionRequired(Problem):
    """A change must say which version of the record it changes."""

    status = 428
    name = "precondition-required"
    title = "This needs If-Match"
    advice = "Read the record, and send the ETag of that answer in If-Match, so that nobody's change is lost."


class TooManyRequests(Problem):
    """The caller exceeded a rate limit."""

    status = 429
    name = "too-many-requests"
    title = "That was too often"
    advice = "Wait for as many seconds as Retry-After says. RateLimit-Policy says how often you may ask."


class HeadTooLarge(Problem):
    """Address and headers together are too long."""

    status = 431
    name = "head-too-large"
    title = "The headers of this request are too large"
    advice = "Send fewer or shorter headers. Cookies are not needed here."


class FormatNotOffered(Problem):
    """oEmbed was requested in a format that is not supported."""

    status = 501
    name = "format-not-offered"
    title = "We do not write this format"
    advice = "Ask for `format=json` or `format=xml`."


class Unavailable(Problem):
    """The database is unavailable, or the query took too long."""

    status = 503
    name = "unavailable"
    title = "We cannot answer this now"
    advice = "Wait a moment and try again; narrow the query if it was cut off for taking too long."


class InsufficientStorage(Problem):
    """The disk of the database is full: writes fail, reads work."""

    status = 507
    name = "insufficient-storage"
    title = "There is no room to save this"
    advice = "Nothing was saved. Whoever runs the service must make room; then send the same request again."


def invalid(errors: list[dict[str, Any]]) -> InvalidBody:
    """The 422 problem for errors with `pointer` and `detail`; its `detail` is that of the first error."""
    first = errors[0]
    return InvalidBody(f"{first['pointer'] or 'The body'}: {first['detail']}.", errors=errors[:MOST_ERRORS])


def pointer(*steps: str | int) -> str:
    """The JSON pointer (RFC 6901) of steps; a name sent by the caller may be as long as the body, so it is cut off."""
    return "".join(f"/{escaped_step(shorten_name(str(step)))}" for step in steps)


def escaped_step(name: str) -> str:
    """A name as a reference token of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def shorten_name(name: str) -> str:
    """A name, cut off with … after 100 characters."""
    return name if len(name) <= LONGEST_NAME_REPEATED else f"{name[:LONGEST_NAME_REPEATED]}…"


def problems() -> Iterator[type[Problem]]:
    """Every class of problem by status and name, for the pages that explain them."""
    every: list[type[Problem]] = [Problem, *Problem.__subclasses__()]
    yield from sorted(every, key=lambda kind: (kind.status, kind.name))
