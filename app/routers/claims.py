"""Statements of documents, each with our verdict."""

from app.models.claims import Claim
from app.web.resources import resource_router

router = resource_router(Claim, tag="Claims")
