"""Results of studies, one for each outcome and comparison."""

from app.models.study_results import StudyResult
from app.web.resources import resource_router

router = resource_router(StudyResult, tag="Study results")
