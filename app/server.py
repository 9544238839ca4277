"""The HTTP protocol of uvicorn, with one change: a message that is not HTTP gets a problem, too, not plain text."""

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors import MEDIA_TYPE, BadRequest


class ProblemProtocol(HttpToolsProtocol):
    """Answers a broken message with `application/problem+json` and closes the connection."""

    def send_400_response(self, msg: str) -> None:
        """Say that the message is not HTTP; `type` is relative to wherever the caller found us (RFC 9457, 3.1.1)."""
        content = to_json(BadRequest(msg).body("", "/"))
        headers = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(content)}\r\n"
            "cache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[400] + headers.encode() + content)
        self.transport.close()
