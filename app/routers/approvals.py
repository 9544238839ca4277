"""The regulatory ledger: decisions of regulators on indications."""

from app.models.approvals import Approval
from app.web.resources import resource_router

router = resource_router(Approval, tag="Approvals")
