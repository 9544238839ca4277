"""Harms, with arms, numerators and denominators."""

from app.models.side_effects import SideEffect
from app.web.resources import resource_router

router = resource_router(SideEffect, tag="Side effects")
