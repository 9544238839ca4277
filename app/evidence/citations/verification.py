"""Citations against their sources: is the quote there, is each number in it, and which rung does that come to?

The ladder: `recorded` (somebody wrote it down) < `quote-found` (a quote of it stands in the source's stored text) <
`number-in-quote` (each number of the record stands in such a quote, or at its place in a structured source).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from app.evidence.citations.pointers import numbers_in, parse_structured, resolve
from app.evidence.citations.quotes import mismatch
from app.evidence.citations.text_numbers import bound_value, readings
from app.models.base import NumberBinding, Record, Span
from app.models.claims import ClaimRecord
from app.models.vocabulary import Verification

LADDER: tuple[Verification, ...] = get_args(Verification.__value__)
"""The rungs, from the lowest to the highest."""
NOT_FROM_SOURCES = {"citations", "numbers", "span", "missing"}
"""Fields whose numbers say where something stands, not what was found."""
COMPUTED = "/days"
"""The end of the pointers of numbers that we compute ourselves: a claimed value in days."""

TextOf = Callable[[str], str | None]
"""Gives the stored text of a source by its id; None where we hold none."""


class Fault(NamedTuple):
    """Something that does not hold: where in the record (JSON pointer), and what."""

    pointer: str
    detail: str


@dataclass(frozen=True)
class CitedPlace:
    """One place of a source that a record rests on."""

    pointer: str
    source: str
    quote: str | None
    span: Span | None
    numbers: Sequence[NumberBinding]


@dataclass
class Finding:
    """What a check came to: the faults, the rung (None for a record without citations), and what was looked at."""

    faults: list[Fault] = field(default_factory=list)
    rung: Verification | None = None
    quotes: int = 0
    """Quotes that stand in a stored text."""
    bound: set[str] = field(default_factory=set)
    """The fields whose numbers were found where they are said to stand."""


def verify(record: Record, text_of: TextOf) -> Finding:
    """Compare a record with the stored texts of its sources."""
    places = list(cited_places(record))
    found = Finding()
    values = dict(stated_numbers(record))
    for place in places:
        text = text_of(place.source)
        before = len(found.faults)
        found.faults += _quote_faults(place, text)
        is_held = text is not None and place.quote is not None and len(found.faults) == before
        found.quotes += is_held
        for index, binding in enumerate(place.numbers):
            wrong = _binding_fault(binding, place, text, values)
            if wrong is not None:
                found.faults.append(Fault(f"{place.pointer}/numbers/{index}", wrong))
            elif is_held or binding.pointer is not None:
                found.bound.add(binding.field)
    quotes = [place.quote for place in places if place.quote is not None]
    if places and len(quotes) == len(places):
        found.faults += _stray_numbers(values, found.bound, quotes)
    found.rung = _rung(places, values, found)
    return found


def cited_places(record: Record) -> Iterator[CitedPlace]:
    """Every place of a source that the record rests on: its citations, or a claim's own quote."""
    for index, citation in enumerate(getattr(record, "citations", [])):
        yield CitedPlace(f"/citations/{index}", citation.source, citation.quote, citation.span, citation.numbers)
    if isinstance(record, ClaimRecord):
        yield CitedPlace("", record.source, record.quote, record.span, record.numbers)


def stated_numbers(record: Record) -> Iterator[tuple[str, float]]:
    """The numbers that a record says, each with its JSON pointer; not those that say where something stands."""
    for pointer, value in numbers_in(record.model_dump(mode="json", exclude=NOT_FROM_SOURCES)):
        if not pointer.endswith(COMPUTED) or pointer.count("/") == 1:
            yield pointer, value


def _quote_faults(place: CitedPlace, text: str | None) -> Iterator[Fault]:
    if text is None or place.quote is None:
        return
    wrong = mismatch(text, place.quote, *((place.span.start, place.span.end) if place.span else (None, None)))
    if wrong:
        yield Fault(f"{place.pointer}/quote", wrong)


def _binding_fault(binding: NumberBinding, place: CitedPlace, text: str | None, values: dict[str, float]) -> str | None:
    """What is wrong with a binding: its field, its words, or the two together; None when it holds."""
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
            read = _pointed(text, binding)
            where = f"{place.source} at {binding.pointer}"
    except (ValueError, LookupError) as failure:
        return str(failure.args[0])
    return None if read == wanted else f"{binding.field} is {wanted:g}, but {where} says {read:g}"


def _pointed(text: str, binding: NumberBinding) -> float:
    """The number at a pointer into a structured source, which may hold it as a JSON number or as text."""
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


def _stray_numbers(values: dict[str, float], bound: set[str], quotes: Sequence[str]) -> Iterator[Fault]:
    """Numbers that stand in none of the quotes, of a record that rests on nothing else."""
    said = {reading.value for quote in quotes for reading in readings(quote)}
    for pointer, value in values.items():
        if pointer not in bound and value not in said:
            known = ", ".join(f"{one:g}" for one in sorted(said)) or "no number"
            yield Fault(pointer, f"{value:g} stands in no quote of this record; its quotes say {known}")


def _rung(places: Sequence[CitedPlace], values: dict[str, float], found: Finding) -> Verification | None:
    if not places:
        return None
    if values and values.keys() <= found.bound:
        return "number-in-quote"
    return "quote-found" if found.quotes or found.bound else "recorded"
