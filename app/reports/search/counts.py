"""How many records of each kind, and about each treatment and condition, a search finds: counted up to a bound."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from pydantic import BaseModel, Field

from app.fields import singular
from app.search.engine import places
from app.search.expressions import DOT, Expression, all_of
from app.search.index_entries import kind_at, kinds_in_order
from app.search.interpretation import ranges
from app.search.result_set import MOST_COUNTED, ResultSet, indexed_lines
from app.store.read.facets import Facet, facet_of

NARROWING = {singular(plural): plural for plural in kinds_in_order()[:2]}
"""The filters of a search beside `kind`, each with what it names: treatments and conditions."""


class SearchGroup(BaseModel):
    """How many records of one kind match."""

    kind: str = Field(description="The resource, as in the URL.")
    count: int = Field(description=f"How many; counted up to {MOST_COUNTED}.")
    is_at_least: bool = Field(description=f"Whether there are more than {MOST_COUNTED}.")


class SearchFacet(Facet):
    """The values of one field among what matches, counted up to a bound."""

    counted: int = Field(
        description=f"Among how many records they were counted: the first {MOST_COUNTED} that match, for `kind` the "
        f"first {MOST_COUNTED} of each kind. Where `is_at_least`, there are more, and the counts are not those of all."
    )


class Counting:
    """Counts what matches; a filter's own facet leaves the filter out."""

    def __init__(
        self,
        matches: ResultSet,
        matching: Expression | None,
        identified: Sequence[int],
        narrowing: Mapping[str, Expression],
        kinds: Sequence[str],
    ) -> None:
        self.matches = matches
        self.matching = matching
        self.identified = identified
        self.narrowing = narrowing
        self.kinds = kinds

    @cached_property
    def by_kind(self) -> dict[str, int]:
        """How many records of each kind match, whatever `kind` says; one more than are counted means that more do."""
        counts = Counter(kind_at(place) for place in self.identified if not self.matches.has(place))
        counts.update(self.matches.counts)
        return {kind: counts[kind] for kind in kinds_in_order() if counts[kind]}

    def groups(self) -> list[SearchGroup]:
        """The kinds in their order."""
        counts = self.by_kind
        return [
            SearchGroup(kind=kind, count=min(n, MOST_COUNTED), is_at_least=n > MOST_COUNTED)
            for kind, n in counts.items()
        ]

    def facet(self, name: str) -> SearchFacet:
        """The values of one of the filters."""
        if name not in NARROWING:
            counts = self.by_kind
            is_more = any(n > MOST_COUNTED for n in counts.values())
            some_of_each = {kind: min(n, MOST_COUNTED) for kind, n in counts.items()}
            found = facet_of(some_of_each.items(), is_at_least=is_more)
            every_kind = dict(found) | {"others_is_at_least": False}
            return SearchFacet(**every_kind, counted=sum(some_of_each.values()))
        rest = [one for other, one in self.narrowing.items() if other != name]
        first = self._first(rest)
        some = first[:MOST_COUNTED]
        counted: Counter[Any] = Counter()
        for line in indexed_lines(self.matches.connection, some).values():
            ids = set(re.findall(f"(?:^| ){DOT}{NARROWING[name]}{DOT}([^ ]+)", line))
            counted.update(one.replace(DOT, "-") for one in ids)
            counted[None] += not ids
        found = facet_of(counted.items(), is_at_least=len(first) > MOST_COUNTED)
        return SearchFacet(**dict(found), counted=len(some))

    def _first(self, rest: Sequence[Expression]) -> list[int]:
        """The first places that match, more than are counted where there are more; those identified match once."""
        found = [place for place in self.identified if kind_at(place) in self.kinds]
        if self.matching is None:
            return found
        is_whole = len(rest) == len(self.narrowing)
        look = self.matches.places if is_whole else partial(places, self.matches.connection)
        for low, high in ranges(self.kinds):
            most = MOST_COUNTED + 1 + len(self.identified) - len(found)
            if most > 0:
                found += look(all_of([self.matching, *rest]), after=low, beyond=high, most=most)
        return list(dict.fromkeys(found))
