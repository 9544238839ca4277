"""Template values shared by the pages of treatments, conditions and indications: approvals, doses, harms, results."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.models.approvals import Approval
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.dosing_intervals import DosingInterval
from app.models.indications import Indication
from app.models.side_effects import SideEffect
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.models.warnings import Warning as LabelWarning
from app.pages.claims import claim_counts, claim_lines
from app.pages.context import Link, PageContext
from app.pages.side_effects import effect_groups
from app.pages.study_results import forest_plots, result_groups
from app.pages.tables import ApprovalLine, approval_lines, dose_table, warning_lines
from app.pages.wording import titled
from app.reports.record_page import Facts

Values = dict[str, Any]


def shared_values(facts: Facts, context: PageContext) -> Values:
    """The shared template values; the lists of resources that were not read for the page are empty."""
    treatment = facts.record["id"] if facts.resource is Treatment else facts.record.get("treatment")
    filters: dict[str, str] = {name: facts.record[name] for name in ("treatment", "condition") if name in facts.record}
    filters = filters or {str(facts.resource.__tablename__): facts.record["id"]}
    results = facts.items(StudyResult)
    uses = _indication_links(facts, context) if facts.resource is Treatment else None
    warnings = warning_lines(facts.items(LabelWarning), context, treatment)
    return {
        "boxed": [line for line in warnings if line.is_boxed],
        "cautions": [line for line in warnings if not line.is_boxed],
        "decisions": approval_lines(facts.items(Approval), context),
        "doses": dose_table(facts.items(DosingInterval), context),
        "effects": effect_groups(facts.items(SideEffect), context, uses),
        "results": result_groups(results, context, Treatment if facts.resource is Condition else Condition),
        "plots": forest_plots(results, context, least=2),
        "claims": claim_lines(facts.items(Claim), context),
        "counts": claim_counts(facts.verdicts, context, **filters),
        "totals": {str(row.__tablename__): listed.total for row, listed in facts.lists.items()},
        "shown": {str(row.__tablename__): len(listed.items) for row, listed in facts.lists.items()},
        "all": {
            str(row.__tablename__): context.to(f"/v1/{row.plural}", **filters, format="csv") for row in facts.lists
        },
    }


def _indication_links(facts: Facts, context: PageContext) -> dict[str, Link]:
    """Links to the pages of a treatment's indications, by condition id."""
    return {
        indication["condition"]: Link(
            context.name(Condition, indication["condition"]), context.page(Indication.plural, indication["id"])
        )
        for indication in facts.items(Indication)
    }


def indications(facts: Facts, context: PageContext) -> list[Values]:
    """The indications of a treatment or condition, sorted by the other side's name, with the status of approvals."""
    of_condition = facts.resource is Condition
    entries = []
    for indication in facts.items(Indication):
        name = (
            context.name(Treatment, indication["treatment"])
            if of_condition
            else context.name(Condition, indication["condition"])
        )
        entries.append(
            {
                "link": Link(name, context.page(Indication.plural, indication["id"])),
                "purpose": titled(indication["purpose"]),
                "population": indication["population"] or "",
                "states": _states(approval_lines(_approvals_of(facts, indication), context)),
            }
        )
    return sorted(entries, key=lambda entry: entry["link"].text)


def _states(lines: Sequence[ApprovalLine]) -> list[tuple[str, str, str]]:
    """Each status with its tone and jurisdictions: `Approved`, `good`, `United Kingdom, United States`."""
    places: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        places.setdefault((line.status, line.tone), set()).add(line.place)
    return [(status, tone, ", ".join(sorted(names))) for (status, tone), names in sorted(places.items())]


def _approvals_of(facts: Facts, indication: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [approval for approval in facts.items(Approval) if approval["indication"] == indication["id"]]
