"""One treatment for one condition."""

from app.models.indications import Indication
from app.web.resources import resource_router

router = resource_router(Indication, tag="Indications")
