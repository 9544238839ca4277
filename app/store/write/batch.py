"""A batch of records before it is saved: each once, nothing that points to nothing, in the order of its references."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from app.errors import InvalidRecord, nearest
from app.models import RESOURCES, plural_of
from app.models.base import Key, Record, references

Near = Callable[[Key], str | None]
"""Gives the stored id that is nearest to one that there is not."""
MOST_ERRORS = 100
"""How many broken records one refusal names."""


def batch_of(records: Iterable[Record]) -> dict[Key, Record]:
    """The records by key; InvalidRecord when an id stands there twice."""
    batch: dict[Key, Record] = {}
    for record in records:
        key = (plural_of(record), record.id)
        if key in batch:
            wrong = "the id stands there twice"
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/id", wrong)])
        batch[key] = record
    return batch


def referenced_keys(batch: Mapping[Key, Record]) -> set[Key]:
    """Every record that one of the batch mentions."""
    return {(mention.plural, mention.id) for record in batch.values() for mention in references(record)}


def refuse_dangling(batch: Mapping[Key, Record], absent: set[Key], former: Mapping[Key, str], near: Near) -> None:
    """InvalidRecord that names each mention of an absent record, with its present id or the nearest that there is."""
    if not absent:
        return
    errors = [
        error_at(key, "/" + mention.path.replace(".", "/"), _no_such(batch, former, near, (mention.plural, mention.id)))
        for key, record in batch.items()
        for mention in references(record)
        if (mention.plural, mention.id) in absent
    ]
    words = f"{errors[0]['record']} points to a record that does not exist."
    raise InvalidRecord(words, errors=errors[:MOST_ERRORS])


def _no_such(batch: Mapping[Key, Record], former: Mapping[Key, str], near: Near, key: Key) -> str:
    plural, record_id = key
    if key in former:
        return f"{plural}/{record_id} is now called {plural}/{former[key]}"
    if plural not in RESOURCES:
        close = nearest(plural, RESOURCES)
        return f"there is no resource {plural!r}" + (f"; did you mean {close!r}?" if close else "")
    close = nearest(record_id, (known for kind, known in batch if kind == plural)) or near(key)
    return f"there is no {plural}/{record_id}" + (f"; did you mean {close!r}?" if close else "")


def generations(batch: Mapping[Key, Record], edges: Mapping[Key, set[Key]]) -> Iterator[list[Key]]:
    """The keys in groups, each pointing only to groups before it; InvalidRecord for records that form a circle.

    `edges` says whom the records outside the batch point to, so that a circle through them is seen, too.
    """
    graph = {key: targets for key, targets in edges.items() if key not in batch}
    for key, record in batch.items():
        graph[key] = {(mention.plural, mention.id) for mention in references(record)} & (batch.keys() | edges.keys())
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as failure:
        circle = " → ".join(name_of(key) for key in failure.args[1])
        wrong = f"these records point to each other in a circle: {circle}"
        raise InvalidRecord(f"{wrong}.", errors=[error_at(failure.args[1][0], "", wrong)]) from failure
    while sorter.is_active():
        ready = sorter.get_ready()
        yield sorted(key for key in ready if key in batch)
        sorter.done(*ready)


def name_of(key: Key) -> str:
    """The record as people write it: `claims/c20`."""
    return f"{key[0]}/{key[1]}"


def error_at(key: Key, pointer: str, detail: str) -> dict[str, str]:
    """One entry of a refusal: the record, the JSON pointer (RFC 6901) and the rule."""
    return {"record": name_of(key), "pointer": pointer, "detail": detail}
