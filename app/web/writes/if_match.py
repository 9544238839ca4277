"""Parsing of `If-Match`: the record versions that a change may be applied to (RFC 9110 section 13.1.1)."""

import re
from collections.abc import Sequence

from app.errors import PreconditionRequired

_TAG = re.compile(r'(W/)?"([^"]*)"')
_VERSION = re.compile(r"([0-9]{1,9})(\..*)?")


def expected_versions(lines: Sequence[str]) -> frozenset[int] | None:
    """The versions that the If-Match header lines name; None for `*`. PreconditionRequired without such a header.

    Only the version prefix of an ETag is compared, so that the ETag of any format or content coding matches. Weak ETags
    match nothing, as the standard requires, nor do ETags that this service did not issue.
    """
    if not lines:
        raise PreconditionRequired("If-Match is missing: it says which version you change, as the ETag of your read.")
    if any(line.strip() == "*" for line in lines):
        return None
    strong = [tag for line in lines for weak, tag in _TAG.findall(line) if not weak]
    return frozenset(int(match[1]) for tag in strong if (match := _VERSION.fullmatch(tag)))
