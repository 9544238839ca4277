"""Text segments: a text split at the start and end of its claims, so that a page can highlight overlapping ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Marked:
    """An annotated span of a text with its owner, such as a claim: characters from 0, the end excluded."""

    start: int
    end: int
    owner: str


@dataclass(frozen=True)
class TextSegment:
    """A segment with the same owners throughout; without owners it is not annotated."""

    start: int
    end: int
    owners: tuple[str, ...]


def segments(length: int, marked: Iterable[Marked]) -> Iterator[TextSegment]:
    """The whole text of that length, in order, each character in exactly one segment.

    A segment names every owner of its characters, ordered by start, end and name. Spans that reach beyond the text are
    cut at its end.
    """
    spans = sorted(marked, key=lambda span: (span.start, span.end, span.owner))
    ends = {0, length} | {place for span in spans for place in (span.start, span.end) if 0 <= place <= length}
    places = sorted(ends)
    for start, end in pairwise(places):
        owners = tuple(span.owner for span in spans if span.start <= start and end <= span.end)
        yield TextSegment(start, end, owners)
