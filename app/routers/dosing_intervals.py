"""Dosing: dose, interval and duration of effect."""

from app.models.dosing_intervals import DosingInterval
from app.web.resources import resource_router

router = resource_router(DosingInterval, tag="Dosing intervals")
