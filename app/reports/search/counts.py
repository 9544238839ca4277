"""Counts and facets of a search: hits by kind, treatment and condition, counted up to `MOST_COUNTED`."""

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
"""The filters of a search besides `kind`, each with the resource whose ids it takes: treatments and conditions."""


class SearchGroup(BaseModel):
    """How many records of one kind match."""

    kind: str = Field(description="The resource, as in the URL.")
    count: int = Field(description=f"How many; counted up to {MOST_COUNTED}.")
    is_at_least: bool = Field(description=f"Whether there are more than {MOST_COUNTED}.")


class SearchFacet(Facet):
    """The values of one field among what matches, counted up to a bound."""

    counted: int = Field(
        description=f"How many records were counted: the first {MOST_COUNTED} that match, for `kind` the "
        f"first {MOST_COUNTED} of each kind. Where `is_at_least`, there are more, and the counts are not those of all."
    )


class Counting:
    """Counts hits; the facet of a filter ignores that filter."""

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
        """Hits by kind, ignoring the `kind` filter; `MOST_COUNTED` + 1 means that there are more."""
        counts = Counter(kind_at(place) for place in self.identified if not self.matches.has(place))
        counts.update(self.matches.counts)
        return {kind: counts[kind] for kind in kinds_in_order() if counts[kind]}

    def groups(self) -> list[SearchGroup]:
        """Hit counts by kind, in search order."""
        counts = self.by_kind
        return [
            SearchGroup(kind=kind, count=min(n, MOST_COUNTED), is_at_least=n > MOST_COUNTED)
            for kind, n in counts.items()
        ]

    def facet(self, name: str) -> SearchFacet:
        """The facet of one filter."""
        if name not in NARROWING:
            counts = self.by_kind
            is_more = any(n > MOST_COUNTED for n in counts.values())
            capped = {kind: min(n, MOST_COUNTED) for kind, n in counts.items()}
            found = facet_of(capped.items(), is_at_least=is_more)
            every_kind = dict(found) | {"others_is_at_least": False}
            return SearchFacet(**every_kind, counted=sum(capped.values()))
        other_filters = [expression for other, expression in self.narrowing.items() if other != name]
        first = self._first_places(other_filters)
        sample = first[:MOST_COUNTED]
        counted: Counter[Any] = Counter()
        for line in indexed_lines(self.matches.connection, sample).values():
            ids = set(re.findall(f"(?:^| ){DOT}{NARROWING[name]}{DOT}([^ ]+)", line))
            counted.update(record_id.replace(DOT, "-") for record_id in ids)
            counted[None] += not ids
        found = facet_of(counted.items(), is_at_least=len(first) > MOST_COUNTED)
        return SearchFacet(**dict(found), counted=len(sample))

    def _first_places(self, filters: Sequence[Expression]) -> list[int]:
        """The first index positions that match these filters, without duplicates.

        At most `MOST_COUNTED` + 1, besides the records found by identifier, which come first.
        """
        found = [place for place in self.identified if kind_at(place) in self.kinds]
        if self.matching is None:
            return found
        has_all_filters = len(filters) == len(self.narrowing)
        look = self.matches.places if has_all_filters else partial(places, self.matches.connection)
        for low, high in ranges(self.kinds):
            most = MOST_COUNTED + 1 + len(self.identified) - len(found)
            if most > 0:
                found += look(all_of([self.matching, *filters]), after=low, beyond=high, most=most)
        return list(dict.fromkeys(found))
