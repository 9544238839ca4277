"""Boxed warnings, contraindications, warnings and interactions of product labels."""

from app.models.warnings import Warning
from app.web.resources import resource_router

router = resource_router(Warning, tag="Warnings")
