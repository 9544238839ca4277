"""Incremental NDJSON parser for batches: lines become records, errors name their line, and no text is retained."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import MOST_ERRORS, ContentTooLarge, InvalidBody, InvalidRecord, Problem, invalid
from app.fields import Kind
from app.models import RESOURCES
from app.models.base import Key, Record
from app.store.write.batch import error_at, name_of
from app.web.bodies import error_entry, record_of
from app.web.strict_json import read_json

MOST_RECORDS = 10_000
"""Most records of one batch."""
LARGEST_LINE = 1_000_000
"""Most bytes of one line: the limit of a request body with a single record."""
ENVELOPE = '{"kind": "conditions", "record": {…}}'
_IN_ONE_LINE = re.compile(r"The body is (no JSON: .*) at line 1 (column \d+)\.")


class BatchLine(BaseModel):
    """One line of a batch: a record, and the resource that it belongs to."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind = Field(description="The resource, as in the URL.")
    record: dict[str, Any] = Field(description="The record. A `version` in it names the version that it replaces.")


class BatchRecord(NamedTuple):
    """A record of a batch, the version that it replaces (None if not named), and its line number from 1."""

    record: Record
    version: int | None
    line: int


class BatchReader:
    """Parses a batch chunk by chunk.

    With `kind` each line is a record of that resource, as in exports; without, each line names its resource
    (`BatchLine`). Empty lines are skipped. A batch with MOST_ERRORS errors is refused before the rest of it is read.
    """

    def __init__(self, kind: str | None) -> None:
        self.kind = kind
        self.entries: dict[Key, BatchRecord] = {}
        self.errors: list[tuple[type[Problem], dict[str, Any]]] = []
        self._unparsed = b""
        self._line_number = 0

    def feed(self, content: bytes) -> None:
        """Parse the lines completed by this chunk; Problem at MOST_ERRORS errors or above a size limit."""
        *lines, self._unparsed = (self._unparsed + content).split(b"\n")
        for line in lines:
            self._parse_line(line)
        if len(self._unparsed) > LARGEST_LINE:
            raise _too_long(self._line_number + 1)

    def finish(self) -> dict[Key, BatchRecord]:
        """All records by key, after the last chunk; Problem with the errors, or InvalidBody when there is no record."""
        self._parse_line(self._unparsed)
        self._unparsed = b""
        if self.errors:
            raise self._refusal()
        if not self.entries:
            raise InvalidBody("There is no record in the body: a batch has one on each line.")
        return self.entries

    def locate(self, problem: Problem) -> None:
        """Add line numbers to the errors of a problem that the store raised for these records."""
        lines = {name_of(key): {"line": entry.line} for key, entry in self.entries.items()}
        problem.errors = [
            {**lines[error["record"]], **self._in_line(error)} if error.get("record") in lines else error
            for error in problem.errors
        ]

    def _in_line(self, error: Mapping[str, Any]) -> dict[str, Any]:
        """The error of a record with its JSON pointer relative to the line."""
        return {**error, "pointer": error["pointer"] if self.kind else f"/record{error['pointer']}"}

    def _parse_line(self, line: bytes) -> None:
        self._line_number += 1
        if not line.strip(b" \t\r"):
            return
        if len(line) > LARGEST_LINE:
            raise _too_long(self._line_number)
        try:
            self._add(read_json(line))
        except ContentTooLarge:
            raise
        except Problem as problem:
            self.errors += [(type(problem), {"line": self._line_number, **error}) for error in _errors_of(problem)]
        if len(self.errors) >= MOST_ERRORS:
            raise self._refusal()

    def _add(self, values: Any) -> None:
        kind, values = (self.kind, values) if self.kind else _unwrapped(values)
        if not isinstance(values, dict):
            raise invalid([{"pointer": "", "detail": "a record is a JSON object"}])
        try:
            record = record_of(RESOURCES[kind], values)
        except InvalidRecord as problem:
            problem.errors = [self._in_line(error) for error in problem.errors]
            raise
        key = (kind, record.id)
        if key in self.entries:
            detail = f"this record stands on line {self.entries[key].line} already"
            raise self._invalid_record(key, "/id", detail)
        if len(self.entries) == MOST_RECORDS:
            raise ContentTooLarge(f"A batch holds {MOST_RECORDS} records; line {self._line_number} has one more.")
        self.entries[key] = BatchRecord(record, self._version(key, values), self._line_number)

    def _version(self, key: Key, values: Mapping[str, Any]) -> int | None:
        version = values.get("version")
        if version is None or (type(version) is int and version > 0):
            return version
        detail = "a version is a whole number from 1 on"
        raise self._invalid_record(key, "/version", detail)

    def _invalid_record(self, key: Key, pointer: str, detail: str) -> InvalidRecord:
        return InvalidRecord(f"{detail}.", errors=[self._in_line(error_at(key, pointer, detail))])

    def _refusal(self) -> Problem:
        """The problem of the batch with up to MOST_ERRORS errors; its class is that of the first error."""
        kind, first = self.errors[0]
        place = ", ".join(["Line " + str(first["line"]), *([first["pointer"]] if first["pointer"] else [])])
        detail = f"{place}: {first['detail']}."
        return kind(detail, errors=[error for _, error in self.errors[:MOST_ERRORS]])


def _unwrapped(values: Any) -> tuple[str, dict[str, Any]]:
    """The resource name and the record of a line; InvalidBody for another shape."""
    if not isinstance(values, dict) or "record" not in values:
        detail = f"a line is {ENVELOPE}; a file of records of one resource is sent with its name, ?kind=conditions"
        raise invalid([{"pointer": "", "detail": detail}])
    try:
        line = BatchLine.model_validate(values)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)[:MOST_ERRORS]
        raise invalid([error_entry(BatchLine, error) for error in errors]) from failure
    return line.kind, line.record


def _errors_of(problem: Problem) -> list[Mapping[str, Any]]:
    """The errors of one line; a line that is no JSON has a single one, without a pointer."""
    if problem.errors:
        return problem.errors
    return [{"pointer": "", "detail": _IN_ONE_LINE.sub(r"\1 at \2", problem.detail)}]


def _too_long(line: int) -> ContentTooLarge:
    return ContentTooLarge(f"Line {line} has more than {LARGEST_LINE} bytes, which no record needs.")
