"""Verification of a record against its sources: quotes, number bindings, and the resulting verification level.

The levels (rungs), ascending: `recorded` (not verified) < `quote-found` (a quote is in the stored text of the source) <
`number-in-quote` (each number of the record is in such a quote, or at its JSON pointer in a structured source).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from app.evidence.citations.pointers import numbers_in, parse_structured, resolve
from app.evidence.citations.quotes import mismatch
from app.evidence.citations.text_numbers import bound_value, readings
from app.evidence.citations.timings import follows, is_within, timings
from app.models.base import NumberBinding, Record, Span
from app.models.claims import ClaimRecord
from app.models.dosing_intervals import DosingIntervalRecord
from app.models.vocabulary import Verification

LADDER: tuple[Verification, ...] = get_args(Verification.__value__)
"""The verification levels, ascending."""
NOT_FROM_SOURCES = {"citations", "numbers", "span", "missing"}
"""Fields whose numbers are positions in a text, not findings of a source."""
COMPUTED = ("/days", "/person_time_days", "/events_per_100_years")
"""The ends of the JSON pointers of numbers that the server computes: a claimed value in days, a rate of events."""

TextOf = Callable[[str], str | None]
"""Returns the stored text of a source by its id; None without a stored text."""


class Fault(NamedTuple):
    """A verification error: the JSON pointer in the record, and the message."""

    pointer: str
    detail: str


@dataclass(frozen=True)
class CitedPlace:
    """A citation of a record, or the quote of a claim, with its JSON pointer in the record."""

    pointer: str
    source: str
    quote: str | None
    span: Span | None
    numbers: Sequence[NumberBinding]


@dataclass
class Finding:
    """The result of a verification: faults, level (None for a record without citations), and what was verified."""

    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    """What contradicts a quote and is flagged, not refused: words may be about something else."""
    rung: Verification | None = None
    quotes: int = 0
    """Number of quotes that were found in a stored text."""
    bound: set[str] = field(default_factory=set)
    """JSON pointers of the fields whose numbers were found at their binding."""


def verify(record: Record, text_of: TextOf) -> Finding:
    """Verify the quotes and numbers of a record against the stored texts of its sources."""
    places = list(cited_places(record))
    found = Finding()
    values = dict(stated_numbers(record))
    for place in places:
        text = text_of(place.source)
        before = len(found.faults)
        found.faults += _quote_faults(place, text)
        is_quote_found = text is not None and place.quote is not None and len(found.faults) == before
        found.quotes += is_quote_found
        for index, binding in enumerate(place.numbers):
            detail = _binding_fault(binding, place, text, values)
            if detail is not None:
                found.faults.append(Fault(f"{place.pointer}/numbers/{index}", detail))
            elif is_quote_found or binding.pointer is not None:
                found.bound.add(binding.field)
    quotes = [place.quote for place in places if place.quote is not None]
    timed, found.doubts = _timed_numbers(record, quotes)
    if found.quotes == len(places):
        spoken = {reading.value for quote in quotes for reading in readings(quote)}
        found.bound |= {pointer for pointer in timed if values.get(pointer) not in spoken}  # no word can be bound
    if places and len(quotes) == len(places):
        found.faults += _stray_numbers(values, found.bound | timed, quotes)
    found.rung = _rung(places, values, found)
    return found


def cited_places(record: Record) -> Iterator[CitedPlace]:
    """The places of sources that a record cites; for a record of `claims`, also the quote that it is about."""
    for index, citation in enumerate(getattr(record, "citations", [])):
        yield CitedPlace(f"/citations/{index}", citation.source, citation.quote, citation.span, citation.numbers)
    if isinstance(record, ClaimRecord):
        yield CitedPlace("", record.source, record.quote, record.span, record.numbers)


def stated_numbers(record: Record) -> Iterator[tuple[str, float]]:
    """The numbers of a record with their JSON pointers, without positions in texts and without computed numbers."""
    for pointer, value in numbers_in(record.model_dump(mode="json", exclude=NOT_FROM_SOURCES)):
        is_computed = pointer.endswith(COMPUTED) and pointer.count("/") > 1
        if not is_computed and not (pointer.endswith("/period") and value == 1):  # no words say the 1 of `a day`
            yield pointer, value


def _quote_faults(place: CitedPlace, text: str | None) -> Iterator[Fault]:
    if text is None or place.quote is None:
        return
    detail = mismatch(text, place.quote, *((place.span.start, place.span.end) if place.span else (None, None)))
    if detail:
        yield Fault(f"{place.pointer}/quote", detail)


def _binding_fault(binding: NumberBinding, place: CitedPlace, text: str | None, values: dict[str, float]) -> str | None:
    """The error of a number binding: unknown field, no number to read, or another number; None if they agree."""
    if binding.field not in values:
        return f"{binding.field} is no number of this record"
    wanted = values[binding.field]
    try:
        if binding.span is not None:
            read = bound_value(place.quote or "", binding.span.start, binding.span.end, binding.transformation)
            where = f"the quote at {binding.span.start}–{binding.span.end}"
        elif text is None:
            return f"we hold no text of {place.source}, so that nothing stands at {binding.pointer}"
        else:
            read = _number_at_pointer(text, binding)
            where = f"{place.source} at {binding.pointer}"
    except (ValueError, LookupError) as failure:
        return str(failure.args[0])
    return None if read == wanted else f"{binding.field} is {wanted:g}, but {where} says {read:g}"


def _number_at_pointer(text: str, binding: NumberBinding) -> float:
    """The number at a JSON pointer into a structured source, a JSON number or a string; ValueError without one."""
    try:
        document = parse_structured(text)
    except ValueError as failure:
        raise ValueError(f"the source is not JSON, so that nothing stands at {binding.pointer}") from failure
    value = resolve(document, binding.pointer or "")
    if isinstance(value, str):
        return bound_value(value, 0, len(value), binding.transformation)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"no number stands at {binding.pointer}")
    return value


def _timed_numbers(record: Record, quotes: Sequence[str]) -> tuple[set[str], list[Fault]]:
    """The pointers of numbers that follow from how often in a quote's words, and those that contradict it.

    `twice daily` gives an interval of 12 hours; its `twice` is no interval of 2 days.
    """
    timed: set[str] = set()
    doubts: list[Fault] = []
    if not isinstance(record, DosingIntervalRecord):
        return timed, doubts
    found = [timings(quote) for quote in quotes]
    if not any(found):
        return timed, doubts
    elsewhere = {
        reading.value
        for quote, inside in zip(quotes, found, strict=True)
        for reading in readings(quote)
        if not is_within(reading, inside)
    }
    doses = [("", record), *((f"/steps/{index}", step) for index, step in enumerate(record.steps))]
    for at, dose in doses:
        for name in ("interval_min", "interval_max", "times", "times_max", "period"):
            value = getattr(dose, name)
            if value is None:
                continue
            if follows(dose, name, [timing for inside in found for timing in inside]):
                timed.add(f"{at}/{name}")
            elif value not in elsewhere:
                words = " or ".join(
                    repr(quote[one.start : one.end])
                    for quote, inside in zip(quotes, found, strict=True)
                    for one in inside
                )
                doubts.append(Fault(f"{at}/{name}", f"{name} {value:g} is not what {words} says"))
    return timed, doubts


def _stray_numbers(values: dict[str, float], bound: set[str], quotes: Sequence[str]) -> Iterator[Fault]:
    """Faults of the numbers that are neither bound nor in any quote of the record."""
    quoted = {reading.value for quote in quotes for reading in readings(quote)}
    for pointer, value in values.items():
        if pointer not in bound and value not in quoted:
            known = ", ".join(f"{number:g}" for number in sorted(quoted)) or "no number"
            yield Fault(pointer, f"{value:g} stands in no quote of this record; its quotes say {known}")


def _rung(places: Sequence[CitedPlace], values: dict[str, float], found: Finding) -> Verification | None:
    if not places:
        return None
    if values and values.keys() <= found.bound:
        return "number-in-quote"
    return "quote-found" if found.quotes or found.bound else "recorded"
