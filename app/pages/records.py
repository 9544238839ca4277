"""Template values for the page of a record, one function for each resource that has pages."""

from collections.abc import Callable, Mapping
from typing import Any

from app.evidence.sentences import capital
from app.formats.citations import reference_of, vancouver
from app.models.base import Row
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.indications import Indication
from app.models.outcomes import Outcome
from app.models.sources import Source
from app.models.studies import Study
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.pages.claims import asserted, claim_counts, claim_lines, evidence_lines, record_says, stretches, verdict_of
from app.pages.context import Link, PageContext, source_url
from app.pages.layout import PageSettings, frame_of
from app.pages.shared import Values, indications, shared_values
from app.pages.study_results import (
    ResultGroup,
    arm_words,
    certainty_of,
    comparator_name,
    effect_words,
    forest_plots,
    p_words,
    result_line,
    result_lines,
)
from app.pages.wording import day_words, finding_words, format_number, spaced, titled, why_absent
from app.reports.record_page import Facts, Listed

LONGEST_DESCRIPTION = 200


def page_values(facts: Facts, settings: PageSettings) -> Values:
    """The template values of a record's page, with `frame` for the layout and `references` for its reference list."""
    context = PageContext(facts.included, release=settings.release, today=settings.today)
    values, title, description, crumbs = VIEWS[facts.resource](facts, context)
    frame = frame_of(
        facts, context, settings, title=title, description=description[:LONGEST_DESCRIPTION], crumbs=crumbs
    )
    return values | {"record": facts.record, "frame": frame, "references": context.sources(), "around": context}


View = tuple[Values, str, str, list[Link]]
"""The page's own template values, its title, its description in a sentence, and its breadcrumbs."""


def _treatment(facts: Facts, context: PageContext) -> View:
    record = facts.record
    unit = record["dose_unit"]
    cited = context.cited(record)
    values = shared_values(facts, context) | {
        "facts": [
            ("Generic names", ", ".join(record["generic_names"]) or why_absent(record, "generic_names")),
            ("Brand names", ", ".join(record["brand_names"]) or why_absent(record, "brand_names")),
            ("Other names", ", ".join(record["synonyms"])),
            ("Kind", titled(record["kind"])),
            ("Holder", record["holder"] or why_absent(record, "holder")),
            ("How it works", record["mechanism"] or why_absent(record, "mechanism")),
            ("Given", ", ".join(map(spaced, record["routes"]))),
            ("Measured in", f"{unit['label']}, a unit of its own" if unit else why_absent(record, "dose_unit")),
            ("Codes", _codes(record)),
        ],
        "classes": [context.link(Treatment, above["id"]) for above in facts.classes],
        "used": indications(facts, context),
        "cited": cited,
    }
    lead = record["definition"] or f"{titled(record['kind'])}: {record['name']}."
    return values, record["name"], lead, [Link("Treatments", context.to(f"/{Treatment.plural}"))]


def _condition(facts: Facts, context: PageContext) -> View:
    record = facts.record
    cited = context.cited(record)
    values = shared_values(facts, context) | {
        "facts": [
            ("Other names", ", ".join(record["synonyms"])),
            ("Codes", _codes(record)),
        ],
        "above": context.link(Condition, record["part_of"]) if record["part_of"] else None,
        "used": indications(facts, context),
        "cited": cited,
    }
    lead = record["definition"] or f"Treatments for {record['name']}: what is approved and what trials found."
    return values, record["name"], lead, [Link("Treatments", context.to(f"/{Treatment.plural}"))]


def _indication(facts: Facts, context: PageContext) -> View:
    record = facts.record
    treatment = context.link(Treatment, record["treatment"])
    condition = context.link(Condition, record["condition"])
    title = f"{treatment.text} for {condition.text.lower() if condition.text.istitle() else condition.text}"
    cited = context.cited(record)
    values = shared_values(facts, context) | {
        "treatment": treatment,
        "condition": condition,
        "facts": [
            ("Meant for", titled(record["purpose"]) or why_absent(record, "purpose")),
            ("Given to", record["population"] or why_absent(record, "population")),
        ],
        "cited": cited,
    }
    lead = f"What is approved, at which dose and how often, what harm was counted and what trials found: {title}."
    return values, title, lead, [Link("Treatments", context.to(f"/{Treatment.plural}")), treatment]


def _claim(facts: Facts, context: PageContext) -> View:
    record = facts.record
    source = context.record(Source.plural, record["source"])
    values = {
        "verdict": verdict_of(record["verdict"]),
        "said_by": context.link(Source, record["source"]),
        "read": source_url(source) if source else None,
        "subjects": [context.link(Condition, condition) for condition in record["conditions"]],
        "treatment": context.link(Treatment, record["treatment"]) if record["treatment"] else None,
        "values": asserted(record),
        "evidence": evidence_lines(record["evidence"], context),
        "searched": record["searched"] and {**record["searched"], "on": day_words(record["searched"]["on"])},
        "cited": context.cite([record["source"]]),
    }
    short = record["quote"] if len(record["quote"]) <= 80 else record["quote"][:79].rstrip() + "…"
    lead = f"{titled(record['verdict'])}: {record['rationale']}"
    return values, f"“{short}”", lead, [Link("Claims", context.to(f"/{Claim.plural}"))]


def _result(facts: Facts, context: PageContext) -> View:
    record = facts.record
    study = context.record(Study.plural, record["study"]) or {}
    outcome = context.record(Outcome.plural, record["outcome"])
    finding, tone = finding_words(record)
    others = Listed([result for result in facts.items(StudyResult) if result["id"] != record["id"]], 0)
    treatment = context.link(Treatment, record["treatment"])
    line = result_line(record, context)
    values = {
        "finding": finding,
        "tone": tone,
        "line": line,
        "arms": [
            (arm["arm"], titled(arm["role"]), arm_words(arm).removeprefix(f"{arm['arm']}: ")) for arm in record["arms"]
        ],
        "effect": effect_words(record),
        "p": p_words(record),
        "certainty": certainty_of(record),
        "plots": forest_plots([record], context),
        "treatment": treatment,
        "facts": [
            ("Compared with", capital(comparator_name(record, context)) or why_absent(record, "comparator")),
            ("When", record["time_frame_text"] or why_absent(record, "time_frame_text")),
            ("Measured by", outcome["name"] + _direction_words(outcome) if outcome else ""),
            ("Whose data", titled(record["population"])),
            ("Compared", ", ".join(record.get("compared", ()))),
            ("Analysis", _analysis_words(record)),
            ("Clinically important", {None: "", True: "yes", False: "no"}[record.get("clinically_important")]),
            ("Not extracted or reported", _missing_words(record)),
        ],
        "study": study,
        "study_facts": _study_facts(study),
        "bias": record["risk_of_bias"] or study.get("risk_of_bias"),
        "others": [ResultGroup(None, result_lines(others.items, context))] if others.items else [],
        "cited": context.cited(record),
    }
    title = f"{line.study}: {record['outcome_text']}"
    crumbs = [Link("Treatments", context.to(f"/{Treatment.plural}")), treatment]
    return values, title, f"{finding}. {effect_words(record)}".strip(), crumbs


def _source(facts: Facts, context: PageContext) -> View:
    record = facts.record
    citing = [
        (
            titled(row.plural),
            listed.total,
            [
                Link(record_says(row.plural, item, context), context.page(row.plural, item["id"]))
                for item in listed.items
            ],
            context.to(f"/v1/{row.plural}", source=record["id"]),
        )
        for row, listed in facts.lists.items()
        if row is not Claim and listed.total
    ]
    retraction = record["retraction"]
    values = {
        "citation": vancouver(reference_of(record)),
        "read": source_url(record),
        "annotated": stretches(facts.annotated, context) if facts.annotated else [],
        "is_whole": record["text_served"] == "full",
        "claims": claim_lines(facts.items(Claim), context),
        "counts": claim_counts(facts.verdicts, context, source=record["id"]),
        "citing": citing,
        "retraction": retraction
        and {**retraction, "status": spaced(retraction["status"]), "on": day_words(retraction["on"])},
        "facts": [
            ("Kind", titled(record["kind"])),
            ("Published", day_words(record["issued"]) or why_absent(record, "issued")),
            ("Read by us", day_words(record["retrieved_on"])),
            ("Licence", record["licence"] or ""),
            ("Out of use since", day_words(record["retired_on"])),
            ("SHA-256 of the text", record["sha256"] or ""),
        ],
    }
    return values, record["title"], f"{titled(record['kind'])} cited in the dataset.", []


VIEWS: Mapping[type[Row], Callable[[Facts, PageContext], View]] = {
    Treatment: _treatment,
    Condition: _condition,
    Indication: _indication,
    Claim: _claim,
    StudyResult: _result,
    Source: _source,
}


def _codes(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{code['system'].upper()} {code['code']}" for code in record["codes"]) or why_absent(
        record, "codes"
    )


def _direction_words(outcome: Mapping[str, Any]) -> str:
    words = {"lower-is-better": "lower is better", "higher-is-better": "higher is better"}.get(
        outcome["direction"] or ""
    )
    return f" ({words})" if words else ""


def _missing_words(record: Mapping[str, Any]) -> str:
    """The missing fields of a result, each with its reason."""
    parts = [f"{spaced(name.replace('_', '-'))} ({spaced(why)})" for name, why in record["missing"].items()]
    return capital(", ".join(parts))


def _analysis_words(result: Mapping[str, Any]) -> str:
    """How a result was analysed: what was to be shown, the margin, and the method."""
    margin = result.get("margin")
    parts = [
        spaced(result.get("hypothesis")).replace("non inferiority", "non-inferiority"),
        f"margin {format_number(margin)}" if margin is not None else "",
        result.get("margin_text") or "",
        result.get("analysis_method") or "",
        spaced(result.get("ci_sides")).replace("one sided", "one-sided").replace("two sided", "two-sided"),
    ]
    return "; ".join(part for part in parts if part)


def _enrolment(study: Mapping[str, Any]) -> str:
    """People enrolled, and how many were to be: `57 of 120 planned`."""
    enrolled, planned = format_number(study["enrolment"]), format_number(study.get("enrolment_planned"))
    return f"{enrolled or '?'} of {planned} planned" if planned else enrolled


def _study_facts(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not study:
        return []
    return [
        ("Design", ", ".join(part for part in (titled(study["design"]), spaced(study["blinding"])) if part)),
        ("Phase", study["phase"] or ""),
        ("Blinded", spaced(", ".join(study.get("blinded", ())))),
        ("Status", ". ".join(part for part in (titled(study.get("status")), study.get("why_stopped") or "") if part)),
        ("People", _enrolment(study)),
        ("Trials included", format_number(study["trial_count"])),
        ("When", "–".join(part for part in (day_words(study["started"]), day_words(study["completed"])) if part)),
        ("Where", ", ".join(study["countries"])),
        ("Sponsor", study.get("sponsor") or ""),
        ("Paid by", study["funding"] or ""),
        ("Registered as", ", ".join(code["code"] for code in study["registry_ids"])),
    ]
