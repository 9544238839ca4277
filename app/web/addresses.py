"""Absolute URLs in responses: they begin with the setting `TEV_PUBLIC_URL`, never with a Host that was sent."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote_plus

from fastapi import Request

from app.pages.templates import report_address
from app.web.read_source import release_of

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")


class RequestAddress(NamedTuple):
    """The address of a request, from which links in its response are made."""

    public_url: str
    contact_url: str
    path: str
    parameters: Sequence[tuple[str, str]]
    release: str | None = None
    """The release that the request names; links stay within it."""

    def absolute(self, path: str) -> str:
        """The absolute URL of a path of this service, with the `release` parameter where the request has one."""
        joint = "&" if "?" in path else "?"
        return f"{self.public_url}{path}" + ("" if self.release is None else f"{joint}release={self.release}")

    def next(self, cursor: str) -> str:
        """The absolute URL of the next page: this request with another `cursor`."""
        others = [(name, value) for name, value in self.parameters if name != "cursor"]
        query = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in [*others, ("cursor", cursor)]])
        return f"{self.public_url}{self.path}?{query}"

    def next_links(self, cursor: str | None) -> list[str]:
        """Link header values for the next page, if there is one."""
        return [f'<{self.next(cursor)}>; rel="next"'] if cursor else []

    def version_links(self, plural: str, record_id: str, version: int) -> list[str]:
        """Link header values for the latest version, the history and the predecessor of a version (RFC 5829)."""
        path = f"/v1/{plural}/{record_id}"
        links = [
            f'<{self.absolute(path)}>; rel="latest-version"',
            f'<{self.absolute(f"{path}/history")}>; rel="version-history"',
        ]
        if version > 1:
            links.append(f'<{self.absolute(f"{path}?version={version - 1}")}>; rel="predecessor-version"')
        return links

    def report_links(self, plural: str, record_id: str, version: int) -> list[str]:
        """The `help` link for reporting an error in this version; empty when no contact URL is configured."""
        address = report_address(self.contact_url, plural, record_id, version)
        return [f'<{address}>; rel="help"; title="Report an error"'] if address else []


def _quoted(text: str) -> str:
    """A name or value as `urlencode` quotes it; most need no quoting, and to find that out is quicker."""
    return text if _UNRESERVED.fullmatch(text) else quote_plus(text)


def address_of(request: Request) -> RequestAddress:
    """The address of a request."""
    settings = request.app.state.settings
    parameters = request.query_params.multi_items()
    return RequestAddress(settings.public_url, settings.contact_url, request.url.path, parameters, release_of(request))


def absolute_url(request: Request, path: str) -> str:
    """The absolute URL of a path of this service, within the release of the request."""
    return address_of(request).absolute(path)


def next_url(request: Request, cursor: str) -> str:
    """The absolute URL of the next page: this request with another `cursor`."""
    return address_of(request).next(cursor)
