"""Diseases, symptoms and states that treatments are given for."""

from app.models.conditions import Condition
from app.web.resources import resource_router

router = resource_router(Condition, tag="Conditions")
