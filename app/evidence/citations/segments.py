"""A text cut where its claims begin and end, so that a page can highlight them however they overlap."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Marked:
    """A stretch of the text that belongs to somebody: characters from 0, the end not included."""

    start: int
    end: int
    owner: str


@dataclass(frozen=True)
class TextSegment:
    """A stretch in which the owners do not change; without owners it is a gap between them."""

    start: int
    end: int
    owners: tuple[str, ...]


def segments(length: int, marked: Iterable[Marked]) -> Iterator[TextSegment]:
    """The whole text of that length, in order, each character in exactly one segment.

    A segment names every owner of its characters, in the order in which they begin (then by name). Stretches that reach
    beyond the text are cut at its end.
    """
    stretches = sorted(marked, key=lambda one: (one.start, one.end, one.owner))
    ends = {0, length} | {
        place for stretch in stretches for place in (stretch.start, stretch.end) if 0 <= place <= length
    }
    places = sorted(ends)
    for start, end in pairwise(places):
        owners = tuple(one.owner for one in stretches if one.start <= start and end <= one.end)
        yield TextSegment(start, end, owners)
