"""Codes of external systems: classifications, vocabularies, and the numbers of trial registries."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field as Nested
from pydantic import model_validator

from app.models.base import Part
from app.models.registries import REGISTRIES, registry_number, spelled
from app.models.rules import Wrong, refused
from app.models.types import Line
from app.models.vocabulary import CodeOrigin, CodeSystem


class Code(Part):
    """An identifier in an external code system."""

    system: CodeSystem = Nested(description="The code system: ATC, RxNorm, ICD-10-CM, DOI, …")
    code: Line = Nested(description="The code itself; a registry's number in the registry's own spelling.")
    display: Line | None = Nested(default=None, description="The name that belongs to the code.")
    assigned_by: CodeOrigin | None = Nested(default=None, description="Who gave the record this code.")

    @model_validator(mode="after")
    def _is_spelled_as_in_its_registry(self) -> Self:
        self.code = spelled(self.system, self.code)
        return self

    @refused("malformed-registry-number")
    def _has_the_form_of_its_registry(self) -> Iterator[Wrong]:
        if self.system in REGISTRIES:
            try:
                registry_number(self.system, self.code)
            except ValueError as fault:
                yield Wrong("/code", str(fault))
