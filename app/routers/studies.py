"""Trials, series and reviews."""

from app.models.studies import Study
from app.web.resources import resource_router

router = resource_router(Study, tag="Studies")
