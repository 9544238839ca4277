"""What studies found."""

from app.models.study_results import StudyResult
from app.web.resources import resource_router

router = resource_router(StudyResult, tag="Study results")
