"""What a document says, and our verdict."""

from app.models.claims import Claim
from app.web.resources import resource_router

router = resource_router(Claim, tag="Claims")
