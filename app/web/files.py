"""File downloads with ETag and byte ranges (RFC 9110 section 14)."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

from anyio import open_file
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from app.errors import RangeNotSatisfiable
from app.web import etags

CHUNK_SIZE = 256 * 1024
"""Bytes of one chunk."""
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


def file_answer(request: Request, path: Path, *, size: int, sha256: str, media_type: str, name: str) -> Response:
    """The response for an immutable file: 200, 206 for one range, or 304; RangeNotSatisfiable beyond its end.

    `sha256` (hexadecimal) is its ETag and its `Repr-Digest` (RFC 9530). `size` is in bytes.
    """
    tag = f'"{sha256}"'
    headers = {
        "ETag": tag,
        "Cache-Control": etags.FOR_EVER,
        "Accept-Ranges": "bytes",
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if etags.matches_if_none_match(request, tag):
        return Response(status_code=304, headers=headers)
    range_header = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    byte_range = range_of(range_header, size)
    start, end = byte_range or (0, size)
    headers["Content-Length"] = str(end - start)
    if byte_range:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if byte_range else 200
    if request.scope.get("head"):
        return Response(status_code=status, media_type=media_type, headers=headers)
    return StreamingResponse(_chunks(path, start, end), status_code=status, media_type=media_type, headers=headers)


def range_of(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end offset (exclusive) of a Range header; None for the whole file: no, several or malformed ranges."""
    match = ONE_RANGE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        detail = f"The file has {size} bytes; there is nothing at {header}."
        raise RangeNotSatisfiable(detail, headers={"Content-Range": f"bytes */{size}"})
    return start, end


async def _chunks(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    async with await open_file(path, "rb") as file:
        await file.seek(start)
        while start < end:
            chunk = await file.read(min(CHUNK_SIZE, end - start))
            if not chunk:
                raise OSError(f"{path.name} ended at byte {start}")
            start += len(chunk)
            yield chunk
