"""Indexes of the filters that doses, side effects, studies and results have gained, each ending in the order of lists."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

FILTERS = {
    "dosing_interval": [
        "age_max_years",
        "age_min_years",
        "as_needed",
        "dose_basis",
        "max_dose_basis",
        "renal_max",
        "renal_min",
        "weight_max",
        "weight_min",
    ],
    "side_effect": ["grade_max", "grade_min", "percent_max", "percent_min", "severity"],
    "study": ["sponsor", "status"],
    "study_result": ["is_controlled"],
}
"""The new columns that lists filter by, by table."""
NUMBERS = {
    "dosing_interval": [
        "dose_min",
        "dose_max",
        "sites_min",
        "sites_max",
        "interval_min",
        "interval_max",
        "max_dose",
        "max_dose_period",
        "onset_min",
        "onset_max",
        "duration_min",
        "duration_max",
        "weight_min",
        "weight_max",
        "renal_min",
        "renal_max",
        "interval_days",
        "interval_days_max",
        "age_min_years",
        "age_max_years",
    ],
    "side_effect": ["grade_min", "grade_max", "affected", "at_risk", "percent", "percent_min", "percent_max"],
}
"""The numbers with which the index of the treatment goes on, by table."""


def upgrade() -> None:
    is_published = sa.text("state = 'published'")
    for table, columns in FILTERS.items():
        for column in columns:
            op.create_index(
                f"ix_{table}_by_{column}",
                table,
                [column, "id"],
                sqlite_where=is_published,
                postgresql_where=is_published,
            )
    op.create_index("ix_dosing_interval_by_claim", "dosing_interval", ["claim", "id", "state"])
    for table, columns in NUMBERS.items():
        op.drop_index(f"ix_{table}_by_treatment", table)
        op.create_index(f"ix_{table}_by_treatment", table, ["treatment", "id", "state", *columns])
