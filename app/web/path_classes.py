"""Classes of URL paths, by their first segment: the security headers of their responses, and whom their errors address.

The Content-Security-Policy of a class says what its documents may load (CSP level 3), the Cross-Origin-Resource-Policy
whether pages of other sites may load them (Fetch standard, Cross-Origin-Resource-Policy header).
"""

from typing import NamedTuple

SEALED = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
DATA = f"default-src 'none'; {SEALED}"
PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
DOCS = f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; {SEALED}"
DRAWING = f"default-src 'none'; style-src 'unsafe-inline'; {SEALED}"
"""Policy for SVG opened as a document: inline style is allowed, since this service wrote all of it."""
BUILDER = "/embed/builder"
"""The one page under `/embed`; everything else there is for pages of other sites."""


class PathClass(NamedTuple):
    """What all paths with one first segment have in common."""

    content_security_policy: str
    """Data loads nothing, pages and /docs load files of the same origin only."""
    is_for_other_sites: bool = False
    """Whether pages of other sites may load the responses."""
    is_for_programs: bool = False
    """Whether errors are problem details regardless of Accept."""
    is_probe: bool = False
    """Whether supervisors and load balancers request the path by IP address, without a known Host."""
    may_be_drawing: bool = False
    """Whether a response in SVG is a drawing of our own, with inline style."""


PAGES = PathClass(PAGE)
"""The class of every path that is not in the table: pages for people."""
_PROBE = PathClass(DATA, is_for_other_sites=True, is_for_programs=True, is_probe=True)
_DOCUMENT = PathClass(DATA, is_for_other_sites=True, is_for_programs=True)
PATH_CLASSES: dict[str, PathClass] = {
    "v1": PathClass(DATA, is_for_other_sites=True, is_for_programs=True, may_be_drawing=True),
    "openapi.json": _DOCUMENT,
    "oembed": _DOCUMENT,
    "healthz": _PROBE,
    "readyz": _PROBE,
    "metrics": _PROBE,
    "assets": PathClass(PAGE, is_for_other_sites=True, is_for_programs=True),
    "badge": PathClass(PAGE, is_for_other_sites=True, may_be_drawing=True),
    "embed": PathClass(PAGE, is_for_other_sites=True),
    "docs": PathClass(DOCS),
}
"""Path classes by the first segment of the path."""


def path_class(path: str) -> PathClass:
    """The class of a URL path."""
    return PAGES if path == BUILDER else PATH_CLASSES.get(path.split("/", 2)[1] if "/" in path else "", PAGES)
