"""What was read."""

from app.models.sources import Source
from app.resources import resource_router

router = resource_router(Source, tag="Sources")
