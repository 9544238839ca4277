"""What a change says of the record that it changes: the versions that `If-Match` names (RFC 9110 section 13.1.1)."""

import re
from collections.abc import Sequence

from app.errors import PreconditionRequired

_TAG = re.compile(r'(W/)?"([^"]*)"')
_VERSION = re.compile(r"([0-9]{1,9})(\..*)?")


def expected_versions(lines: Sequence[str]) -> frozenset[int] | None:
    """The versions that the lines of If-Match allow; None for `*`. PreconditionRequired when there is no such line.

    The version at the front of our tags alone counts, so that a tag fits whatever format or coding it was read in. A
    weak tag allows nothing, as the standard asks, and so does one that is none of ours.
    """
    if not lines:
        raise PreconditionRequired("If-Match is missing: it says which version you change, as the ETag of your read.")
    if any(line.strip() == "*" for line in lines):
        return None
    strong = [tag for line in lines for weak, tag in _TAG.findall(line) if not weak]
    return frozenset(int(match[1]) for tag in strong if (match := _VERSION.fullmatch(tag)))
