"""Checks of a batch before it is saved: unique ids, no dangling references, and an order by references."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from app.errors import InvalidRecord, nearest
from app.models import RESOURCES, plural_of
from app.models.base import Key, Known, Record, references
from app.models.rules import broken_rules

Near = Callable[[Key], str | None]
"""Returns the stored id that is most similar to an unknown one, or None."""
MOST_ERRORS = 100
"""Maximum number of errors in one problem."""


def batch_of(records: Iterable[Record]) -> dict[Key, Record]:
    """The records by key; InvalidRecord when an id occurs twice."""
    batch: dict[Key, Record] = {}
    for record in records:
        key = (plural_of(record), record.id)
        if key in batch:
            detail = "the id occurs twice"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/id", detail)])
        batch[key] = record
    return batch


def referenced_keys(batch: Mapping[Key, Record]) -> set[Key]:
    """The keys of all records that the batch references."""
    return {(reference.plural, reference.id) for record in batch.values() for reference in references(record)}


def refuse_dangling(batch: Mapping[Key, Record], absent: set[Key], former: Mapping[Key, str], near: Near) -> None:
    """InvalidRecord with each reference to an absent record, and its present id or the most similar existing one."""
    if not absent:
        return
    errors = [
        error_at(
            key,
            "/" + reference.path.replace(".", "/"),
            _describe_absent(batch, former, near, (reference.plural, reference.id)),
        )
        for key, record in batch.items()
        for reference in references(record)
        if (reference.plural, reference.id) in absent
    ]
    detail = f"{errors[0]['record']} points to a record that does not exist."
    raise InvalidRecord(detail, errors=errors[:MOST_ERRORS])


def refuse_broken_rules(key: Key, record: Record, known: Known) -> None:
    """InvalidRecord with each rule for new records that the record breaks (`refused` in `app.models.rules`)."""
    broken = (*broken_rules(record), *RESOURCES[key[0]].contradictions(record, known))
    errors = [error_at(key, reason.pointer, reason.detail) for rule, reason in broken if rule.is_refused]
    if errors:
        first = errors[0]
        raise InvalidRecord(f"{first['record']}{first['pointer']}: {first['detail']}.", errors=errors[:MOST_ERRORS])


def _describe_absent(batch: Mapping[Key, Record], former: Mapping[Key, str], near: Near, key: Key) -> str:
    plural, record_id = key
    if key in former:
        return f"{plural}/{record_id} is now called {plural}/{former[key]}"
    if plural not in RESOURCES:
        close = nearest(plural, RESOURCES)
        return f"there is no resource {plural!r}" + (f"; did you mean {close!r}?" if close else "")
    close = nearest(record_id, (known for kind, known in batch if kind == plural)) or near(key)
    return f"there is no {plural}/{record_id}" + (f"; did you mean {close!r}?" if close else "")


def generations(batch: Mapping[Key, Record], edges: Mapping[Key, set[Key]]) -> Iterator[list[Key]]:
    """The keys in topological order, in groups that reference only earlier groups; InvalidRecord for a cycle.

    `edges` are the references of records outside the batch, so that a cycle through them is found, too.
    """
    graph = {key: targets for key, targets in edges.items() if key not in batch}
    for key, record in batch.items():
        graph[key] = {(reference.plural, reference.id) for reference in references(record)} & (
            batch.keys() | edges.keys()
        )
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as failure:
        cycle = " → ".join(name_of(key) for key in failure.args[1])
        detail = f"these records point to each other in a circle: {cycle}"
        raise InvalidRecord(f"{detail}.", errors=[error_at(failure.args[1][0], "", detail)]) from failure
    while sorter.is_active():
        ready = sorter.get_ready()
        yield sorted(key for key in ready if key in batch)
        sorter.done(*ready)


def name_of(key: Key) -> str:
    """A key as text, such as `claims/c20`."""
    return f"{key[0]}/{key[1]}"


def error_at(key: Key, pointer: str, detail: str) -> dict[str, str]:
    """One entry of a problem's `errors`: the record, the JSON pointer (RFC 6901) and the rule that it breaks."""
    return {"record": name_of(key), "pointer": pointer, "detail": detail}
