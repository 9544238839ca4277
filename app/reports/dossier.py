"""The dossier of a treatment: all records about it and about the classes above it, in one document."""

from functools import cache
from typing import Any

from pydantic import Field, create_model
from sqlalchemy import Connection

from app import DISCLAIMER
from app.errors import Gone
from app.fields import includable, reference_filters, uses
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from app.models.base import Row
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.models.types import Line, Slug
from app.models.warnings import Warning
from app.store.read.included import parsed
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Address, Query, default_scope
from app.store.read.records import fetch, fetch_named
from app.store.read.schemas import WHOLE, included_model, public_model
from app.store.read.scope import MOST_LAYERS
from app.store.read.units import dose_comparison_warnings

NOT_INCLUDED = {"treatment", "treatments", "comparator", "evidence", "includes", "overlaps"}
"""References that a dossier does not resolve: the treatment is its subject, and studies of studies are too deep."""


def parts() -> dict[str, type[Row]]:
    """The resources that reference a treatment, by the name of their field in the dossier."""
    return {
        plural.replace("-", "_"): row
        for plural, row in RESOURCES.items()
        if row is not Treatment and ("treatment" in reference_filters(row) or "treatment" in uses(row))
    }


def concerning(treatment: str, condition: str | None) -> dict[str, Any]:
    """The filters for records on a treatment; with a condition, those on that condition and those without one."""
    return {"treatment": [treatment]} | ({} if condition is None else {"condition": [condition, None]})


def _part_model(row: type[Row]) -> Any:
    items: Any = list[public_model(row)]  # type: ignore[misc]  # made at run time
    return create_model(
        f"Dossier{row.plural.title().replace('-', '')}",
        __doc__=f"The {row.plural} of a dossier.",
        items=(items, Field(..., description=f"The first {MOST_ROWS} of them.")),
        total=(int, Field(..., description="How many there are in all.")),
        url=(str, Field(..., description="The URL of the complete list.")),
    )


@cache
def dossier_model() -> Any:
    """The response model of a dossier, made of those of all resources; for the OpenAPI document."""
    parts_of_dossier: dict[str, Any] = {name: (_part_model(row), Field(...)) for name, row in parts().items()}
    treatment: Any = public_model(Treatment)
    condition: Any = public_model(Condition)
    warning: Any = public_model(Warning)

    unit_model: Any = create_model(
        "DossierUnit",
        __config__=WHOLE,
        __doc__="The unit of the doses beside it, and the rules against comparing them with other doses.",
        code=(Slug | None, Field(..., description="The unit's code; null where the treatment has no unit of its own.")),
        label=(Line | None, Field(..., description="How the unit is written beside a number.")),
        interchangeable_with=(list[Slug], Field(..., description="Codes of units that mean the same amount.")),
        rules=(list[warning], Field(..., description="The warnings that forbid to compare or convert its doses.")),
        note=(str, Field(..., description="An explanation for readers.")),
    )
    unit: Any = (unit_model, Field(..., description="The unit of its doses, with the rule."))

    layer: Any = create_model(
        "DossierLayer",
        __config__=WHOLE,
        __doc__="All records about a class that the treatment belongs to; they apply to the class, not to one product.",
        treatment=(treatment, Field(..., description="The class.")),
        unit=unit,
        **parts_of_dossier,
    )
    made: Any = create_model(
        "Dossier",
        __config__=WHOLE,
        __doc__="All records about one treatment.",
        treatment=(treatment, Field(..., description="The treatment.")),
        condition=(
            condition | None,
            Field(None, description="The condition that the dossier is limited to; null for all."),
        ),
        unit=unit,
        **parts_of_dossier,
        inherited=(
            list[layer],
            Field(..., description="The classes above it, the nearest first, apart from its own records."),
        ),
        included=(
            included_model(),
            Field(..., description="The records that these reference: sources, studies, outcomes, conditions."),
        ),
        disclaimer=(str, Field(..., description="What this is not.")),
    )
    return made


def read_dossier(connection: Connection, treatment: str, condition: str | None, address: Address) -> str:
    """The dossier as JSON (`dossier_model`).

    NotFound for an unknown treatment, InvalidParameter for an unknown condition.
    """
    found: dict[str, dict[str, Any]] = {}
    own = from_json(fetch(connection, Treatment, treatment)[0])
    about = None if condition is None else from_json(fetch_named(connection, "condition", Condition, condition)[0])
    content = {"treatment": own, "condition": about, "unit": _unit(connection, own)}
    content |= _records(connection, treatment, condition, address, found, is_own=True)
    layers = [
        {"treatment": above, "unit": _unit(connection, above)}
        | _records(connection, above["id"], condition, address, found, is_own=False)
        for above in classes_above(connection, own)
    ]
    ending = {"inherited": layers, "included": dict(sorted(found.items())), "disclaimer": DISCLAIMER}
    return to_json(content | ending).decode()


def _unit(connection: Connection, treatment: dict[str, Any]) -> dict[str, Any]:
    """The dose unit of a treatment (`DossierUnit`), with its rules; a treatment without a unit has no doses."""
    unit = treatment["dose_unit"] or {"code": None, "label": None, "interchangeable_with": []}
    if unit["code"] is None:
        note = "It has no unit of its own: a dose belongs to a product, so none stands here."
    elif unit["interchangeable_with"]:
        note = "Doses are in this unit, and comparable only with those in the units that mean the same amount."
    else:
        note = "Doses are in this unit, and are never converted into another product's or compared with its doses."
    return unit | {"rules": dose_comparison_warnings(connection, [treatment["id"]]), "note": note}


def classes_above(connection: Connection, treatment: dict[str, Any]) -> list[dict[str, Any]]:
    """The classes above a treatment, the nearest first; at most `MOST_LAYERS`."""
    layers: list[dict[str, Any]] = []
    while treatment["part_of"] is not None and len(layers) < MOST_LAYERS:
        try:
            treatment = from_json(fetch(connection, Treatment, treatment["part_of"])[0])
        except Gone:
            break  # a withdrawn class is not shown, nor are those above it
        layers.append(treatment)
    return layers


def _records(
    connection: Connection,
    treatment: str,
    condition: str | None,
    address: Address,
    found: dict[str, dict[str, Any]],
    *,
    is_own: bool,
) -> dict[str, Any]:
    """The records of one treatment, by field of the dossier; the records that they reference are added to `found`.

    Its own warnings are those that apply to it, those of its classes among them; a layer holds those of its class.
    """
    content: dict[str, Any] = {}
    for name, row in parts().items():
        include = tuple(reference for reference in includable(row) if reference not in NOT_INCLUDED)
        scope = default_scope(row) if is_own else "exact"
        filters = concerning(treatment, condition)
        page = list_rows(connection, Query(row, filters, limit=MOST_ROWS, include=include, count=True, scope=scope))
        for plural, records in parsed(page.included or {}).items():
            found.setdefault(plural, {}).update(records)
        items = [from_json(document) for document in page.documents]
        url = address(f"/v1/treatments/{treatment}/{row.plural}")
        content[name] = {"items": items, "total": page.total, "url": url}
    return content
