"""A file as it lies on the disk: whole, or the range of it that a download goes on with (RFC 9110 section 14)."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

from anyio import open_file
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from app.errors import RangeNotSatisfiable
from app.web import etags

FOR_EVER = "public, max-age=31536000, immutable"
PIECE = 256 * 1024
"""Bytes that are read and sent at a time."""
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


def file_answer(request: Request, path: Path, *, size: int, sha256: str, media_type: str, name: str) -> Response:
    """A file whose bytes never change: 206 for one range, 304 for who has it, RangeNotSatisfiable beyond its end.

    `sha256` is its tag and its `Repr-Digest` (RFC 9530).
    """
    tag = f'"{sha256}"'
    headers = {
        "ETag": tag,
        "Cache-Control": FOR_EVER,
        "Accept-Ranges": "bytes",
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if etags.has_it(request, tag):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    part = range_of(wanted, size)
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if part else 200
    if request.scope.get("head"):
        return Response(status_code=status, media_type=media_type, headers=headers)
    return StreamingResponse(_pieces(path, start, end), status_code=status, media_type=media_type, headers=headers)


def range_of(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole: no range asked, several, or one that is broken."""
    found = ONE_RANGE.fullmatch((header or "").strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        problem = f"The file has {size} bytes; there is nothing at {header}."
        raise RangeNotSatisfiable(problem, headers={"Content-Range": f"bytes */{size}"})
    return start, end


async def _pieces(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    async with await open_file(path, "rb") as file:
        await file.seek(start)
        while start < end:
            piece = await file.read(min(PIECE, end - start))
            if not piece:
                raise OSError(f"{path.name} ended at byte {start}")
            start += len(piece)
            yield piece
