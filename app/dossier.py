"""A treatment's dossier: everything that is known of it, and of the class it belongs to, in one document."""

from collections.abc import Callable
from typing import Any

from pydantic import Field, create_model
from pydantic_core import from_json, to_json
from sqlalchemy import Connection

from app import DISCLAIMER
from app.fields import includable, mentions, uses
from app.listing import fetch, list_rows
from app.models import RESOURCES
from app.models.base import Row
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.query import MOST_ROWS, Query
from app.schemas import WHOLE, included_model, public_model

MOST_LAYERS = 10
"""How many classes above a product are looked at."""
NOT_INCLUDED = {"treatment", "treatments", "comparator", "evidence", "includes", "overlaps"}
"""What a dossier does not add: the treatment stands at its top, and studies of studies are a step too far."""


def parts() -> dict[str, type[Row]]:
    """What a dossier shows beside the treatment: every resource that names a treatment, by its field in the dossier."""
    return {
        plural.replace("-", "_"): row
        for plural, row in RESOURCES.items()
        if row is not Treatment and ("treatment" in mentions(row) or "treatment" in uses(row))
    }


def _part_model(row: type[Row]) -> Any:
    items: Any = list[public_model(row)]  # type: ignore[misc]  # made at run time
    return create_model(
        f"Dossier{row.plural.title().replace('-', '')}",
        __doc__=f"The {row.plural} of a dossier.",
        items=(items, Field(..., description=f"The first {MOST_ROWS} of them.")),
        total=(int, Field(..., description="How many there are in all.")),
        url=(str, Field(..., description="The list that holds them all.")),
    )


_PARTS: dict[str, Any] = {name: (_part_model(row), Field(...)) for name, row in parts().items()}
_TREATMENT: Any = public_model(Treatment)
_CONDITION: Any = public_model(Condition)

DossierLayer: Any = create_model(
    "DossierLayer",
    __config__=WHOLE,
    __doc__="What is known of a class that the treatment belongs to; it holds for the class, not for one product.",
    treatment=(_TREATMENT, Field(..., description="The class.")),
    **_PARTS,
)
Dossier: Any = create_model(
    "Dossier",
    __config__=WHOLE,
    __doc__="Everything known of one treatment.",
    treatment=(_TREATMENT, Field(..., description="The treatment.")),
    condition=(_CONDITION | None, Field(None, description="The condition that it was narrowed to.")),
    **_PARTS,
    inherited=(
        list[DossierLayer],
        Field(..., description="The classes above it, the nearest first, apart from its own records."),
    ),
    included=(
        included_model(),
        Field(..., description="What the records mention: sources, studies, outcomes, conditions."),
    ),
    disclaimer=(str, Field(..., description="What this is not.")),
)


def read_dossier(connection: Connection, treatment: str, condition: str | None, address: Callable[[str], str]) -> str:
    """The dossier as JSON; NotFound for an unknown treatment or condition."""
    found: dict[str, dict[str, Any]] = {}
    own = from_json(fetch(connection, Treatment, treatment)[0])
    about = None if condition is None else from_json(fetch(connection, Condition, condition)[0])
    content = {"treatment": own, "condition": about} | _records(connection, treatment, condition, address, found)
    layers = [
        {"treatment": above} | _records(connection, above["id"], condition, address, found)
        for above in _above(connection, own)
    ]
    rest = {"inherited": layers, "included": dict(sorted(found.items())), "disclaimer": DISCLAIMER}
    return to_json(content | rest).decode()


def _above(connection: Connection, treatment: dict[str, Any]) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    while treatment["part_of"] is not None and len(layers) < MOST_LAYERS:
        treatment = from_json(fetch(connection, Treatment, treatment["part_of"])[0])
        layers.append(treatment)
    return layers


def _records(
    connection: Connection,
    treatment: str,
    condition: str | None,
    address: Callable[[str], str],
    found: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """The records of one treatment, by part; what they mention is added to `found`."""
    content: dict[str, Any] = {}
    for name, row in parts().items():
        filters: dict[str, Any] = {"treatment": [treatment]}
        if condition is not None:
            filters["condition"] = [condition, None]
        include = tuple(word for word in includable(row) if word not in NOT_INCLUDED)
        page = list_rows(connection, Query(row, filters, limit=MOST_ROWS, include=include, count=True))
        for plural, records in (page.included or {}).items():
            found.setdefault(plural, {}).update(records)
        items = [from_json(document) for document in page.documents]
        url = address(f"/v1/treatments/{treatment}/{row.plural}")
        content[name] = {"items": items, "total": page.total, "url": url}
    return content
