"""Outcomes that studies measure."""

from app.models.outcomes import Outcome
from app.web.resources import resource_router

router = resource_router(Outcome, tag="Outcomes")
