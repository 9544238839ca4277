"""Which query parameters may be repeated follows from their types, and is what the OpenAPI document says."""

from typing import Any

from pydantic import BaseModel

from app.routers import ROUTES
from app.web.parameters import repeatable


def takes_several(schema: dict[str, Any]) -> bool:
    return any(option.get("type") == "array" for option in (schema, *schema.get("anyOf", ())))


def test_a_parameter_may_be_repeated_where_its_schema_is_an_array() -> None:
    seen = set()
    for route in ROUTES:
        for parameter in route.build(False).dependant.query_params:
            model = parameter.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                properties = model.model_json_schema()["properties"] if model.model_fields else {}
                several = {name for name, schema in properties.items() if takes_several(schema)}
                assert repeatable(model) == several, model
                seen |= several
    assert {"id", "treatment", "kind", "outcome"} <= seen
