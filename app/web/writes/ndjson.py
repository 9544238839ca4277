"""A batch as it arrives: lines of JSON become records, and what is wrong is told with its line; no text is kept."""

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
"""How many records one batch holds."""
LARGEST_LINE = 1_000_000
"""Bytes of one line: what a single record may have as the body of a request."""
ENVELOPE = '{"kind": "conditions", "record": {…}}'
_IN_ONE_LINE = re.compile(r"The body is (no JSON: .*) at line 1 (column \d+)\.")


class BatchLine(BaseModel):
    """One line of a batch: a record, and the resource that it belongs to."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind = Field(description="The resource, as in the URL.")
    record: dict[str, Any] = Field(
        description="The record as people write it. A `version` in it names the version that it changes."
    )


class BatchRecord(NamedTuple):
    """A record of a batch: the version that it changes, where it names one, and the line on which it stands."""

    record: Record
    version: int | None
    line: int


class BatchReader:
    """Reads a batch piece by piece.

    With `kind` each line is a record of that resource, as exports give it; without, a line says which resource it
    means (`BatchLine`). Empty lines are passed over. A batch with MOST_ERRORS faults is refused
    before the rest of it is read.
    """

    def __init__(self, kind: str | None) -> None:
        self.kind = kind
        self.entries: dict[Key, BatchRecord] = {}
        self.faults: list[tuple[type[Problem], dict[str, Any]]] = []
        self._rest = b""
        self._line = 0

    def feed(self, content: bytes) -> None:
        """Read the lines that end in this piece; Problem as soon as the batch cannot be taken any more."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._read(line)
        if len(self._rest) > LARGEST_LINE:
            raise _too_long(self._line + 1)

    def finish(self) -> dict[Key, BatchRecord]:
        """Every record by its key, once all has arrived; Problem with each fault, or when there is no record."""
        self._read(self._rest)
        self._rest = b""
        if self.faults:
            raise self._refusal()
        if not self.entries:
            raise InvalidBody("There is no record in the body: a batch has one on each line.")
        return self.entries

    def locate(self, problem: Problem) -> None:
        """Let a problem that the store told of these records name the line of each."""
        lines = {name_of(key): {"line": entry.line} for key, entry in self.entries.items()}
        problem.errors = [
            {**lines[error["record"]], **self._within(error)} if error.get("record") in lines else error
            for error in problem.errors
        ]

    def _within(self, error: Mapping[str, Any]) -> dict[str, Any]:
        """What is wrong in a record, with its place in the line."""
        return {**error, "pointer": error["pointer"] if self.kind else f"/record{error['pointer']}"}

    def _read(self, line: bytes) -> None:
        self._line += 1
        if not line.strip(b" \t\r"):
            return
        if len(line) > LARGEST_LINE:
            raise _too_long(self._line)
        try:
            self._take(read_json(line))
        except ContentTooLarge:
            raise
        except Problem as problem:
            self.faults += [(type(problem), {"line": self._line, **error}) for error in _errors_of(problem)]
        if len(self.faults) >= MOST_ERRORS:
            raise self._refusal()

    def _take(self, values: Any) -> None:
        kind, values = (self.kind, values) if self.kind else _opened(values)
        if not isinstance(values, dict):
            raise invalid([{"pointer": "", "detail": "a record is a JSON object"}])
        try:
            record = record_of(RESOURCES[kind], values)
        except InvalidRecord as problem:
            problem.errors = [self._within(error) for error in problem.errors]
            raise
        key = (kind, record.id)
        if key in self.entries:
            wrong = f"this record stands on line {self.entries[key].line} already"
            raise self._broken(key, "/id", wrong)
        if len(self.entries) == MOST_RECORDS:
            raise ContentTooLarge(f"A batch holds {MOST_RECORDS} records; line {self._line} has one more.")
        self.entries[key] = BatchRecord(record, self._version(key, values), self._line)

    def _version(self, key: Key, values: Mapping[str, Any]) -> int | None:
        version = values.get("version")
        if version is None or (type(version) is int and version > 0):
            return version
        wrong = "a version is a whole number from 1 on"
        raise self._broken(key, "/version", wrong)

    def _broken(self, key: Key, pointer: str, wrong: str) -> InvalidRecord:
        return InvalidRecord(f"{wrong}.", errors=[self._within(error_at(key, pointer, wrong))])

    def _refusal(self) -> Problem:
        """What is wrong with the batch: every fault, as the kind of problem that the first one is."""
        kind, first = self.faults[0]
        place = ", ".join(["Line " + str(first["line"]), *([first["pointer"]] if first["pointer"] else [])])
        words = f"{place}: {first['detail']}."
        return kind(words, errors=[error for _, error in self.faults[:MOST_ERRORS]])


def _opened(values: Any) -> tuple[str, dict[str, Any]]:
    """The resource and the record of a line."""
    if not isinstance(values, dict) or "record" not in values:
        wrong = f"a line is {ENVELOPE}; a file of records of one resource is sent with its name, ?kind=conditions"
        raise invalid([{"pointer": "", "detail": wrong}])
    try:
        line = BatchLine.model_validate(values)
    except ValidationError as failure:
        found = failure.errors(include_url=False)[:MOST_ERRORS]
        raise invalid([error_entry(BatchLine, error) for error in found]) from failure
    return line.kind, line.record


def _errors_of(problem: Problem) -> list[Mapping[str, Any]]:
    """The faults of one line; text that is no JSON has one, without a pointer."""
    if problem.errors:
        return problem.errors
    return [{"pointer": "", "detail": _IN_ONE_LINE.sub(r"\1 at \2", problem.detail)}]


def _too_long(line: int) -> ContentTooLarge:
    return ContentTooLarge(f"Line {line} has more than {LARGEST_LINE} bytes, which no record needs.")
