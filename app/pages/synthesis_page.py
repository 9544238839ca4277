"""The page of a synthesis: pooled estimate, included and excluded results with reasons, statistical method, JSON-LD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from app.evidence.calculator.plots import INTERVALS, METHODS, MODELS
from app.evidence.sentences import capital, figure
from app.formats import schema_org
from app.formats.claim_review import NAME
from app.models.conditions import Condition
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.pages.context import Link, Note, PageContext
from app.pages.layout import PageFrame, PageSettings, as_of_words, oembed_address
from app.pages.shared import Values
from app.pages.study_results import CertaintyLine, Plot, certainty_of
from app.pages.syntheses import KIND, VERSION, SynthesisText, context_of, describe_synthesis, drawing_of
from app.pages.templates import report_address
from app.pages.wording import MEASURES, Tone, finding_words, format_number, percent, titled
from app.reports.cards import SYNTHESES
from app.reports.synthesis.page import SynthesisFacts
from app.reports.synthesis.question import EvidenceQuestion

MOST_ROWS = 40
"""Rows of each table; the CSV has all."""
LONGEST_DESCRIPTION = 200


@dataclass(frozen=True)
class CountedLine:
    """A row of the table of included results."""

    label: str
    when: str
    href: str
    arms: tuple[str, str]
    effect: str
    weight: str
    finding: str
    tone: Tone
    certainty: CertaintyLine | None
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ExcludedLine:
    """A row of the table of excluded results, with the reason."""

    label: str
    when: str
    href: str
    why: str
    notes: tuple[Note, ...]


def synthesis_values(facts: SynthesisFacts, settings: PageSettings, newer: str | None) -> Values:
    """The template values of the page, with `frame` for the layout and `references` for its reference list."""
    settings = replace(settings, release=facts.kept.release)
    context = context_of(facts, settings)
    description = describe_synthesis(facts, context, newer)
    content, links = facts.content, facts.content["links"]
    csv, forest = links["csv"], links["forest"]
    counted = [_counted(result, context) for result in content["results"][:MOST_ROWS]]
    excluded = [_excluded(result, context) for result in content["excluded"][:MOST_ROWS]]
    return {
        "told": description,
        "treatments": [context.link(Treatment, treatment) for treatment in content["question"]["treatment"]],
        "condition": context.link(Condition, content["question"]["condition"]),
        "plots": [Plot(drawing_of(facts), "")] if counted and len(content["results"]) <= MOST_ROWS else [],
        "not_pooled": content["not_pooled"],
        "counted": counted,
        "counted_total": len(content["results"]),
        "excluded": excluded,
        "excluded_total": len(content["excluded"]),
        "csv": csv,
        "notes": content["notes"],
        "facts": _method_facts(content),
        "files": [Link(*file) for file in (("CSV", csv), ("forest plot", forest), ("funnel plot", links["funnel"]))],
        "frame": _frame(facts, settings, description),
        "references": context.sources(),
    }


def undecided_values(errors: Sequence[Mapping[str, Any]], question: EvidenceQuestion, release: str) -> Values:
    """The template values of the form that repeats a question whose results were not pooled, with each reason once."""
    params = question.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"release": release}
    hidden = [
        (name, item) for name, value in params.items() for item in (value if isinstance(value, list) else [value])
    ]
    context = PageContext({}, release=release, today="")
    reasons: dict[str, list[dict[str, Any]]] = {}
    for error in errors:
        sides = [
            (side["what"], [Link(result, context.page(StudyResult.plural, result)) for result in side["results"]])
            for side in error["sides"]
        ]
        reasons.setdefault(error["reason"], []).append({"detail": capital(error["detail"]), "sides": sides})
    return {"reasons": reasons, "hidden": hidden, "path": f"/{SYNTHESES}"}


def _counted(result: Mapping[str, Any], context: PageContext) -> CountedLine:
    effect = result["effect"]["display"]
    finding, tone = finding_words(result)
    weight = result["effect"]["weight"]
    return CountedLine(
        label=result["label"],
        when=result["time_frame_text"] or "",
        href=context.page(StudyResult.plural, result["id"]),
        arms=_arms(result),
        effect=_interval(effect) if effect["estimate"] is not None else "no effect of its own",
        weight="" if weight is None else percent(weight),
        finding=finding,
        tone=tone,
        certainty=certainty_of(result),
        notes=context.cited(result),
    )


def _interval(display: Mapping[str, Any]) -> str:
    ends = (figure(display[name]) if display[name] is not None else "?" for name in ("ci_low", "ci_high"))
    return f"{figure(display['estimate'])} (" + " to ".join(ends) + ")"


def _arms(result: Mapping[str, Any]) -> tuple[str, str]:
    """The input numbers of the two arms; a note for a result whose published estimate was used."""
    numbers = {part["name"]: part["value"] for part in result["numbers"]}
    if result["taken_from"] == "estimate":
        return "its own estimate", ""
    if "n1" not in numbers:
        return _arm(numbers, ""), ""
    return _arm(numbers, "1"), _arm(numbers, "2")


def _arm(numbers: Mapping[str, float], arm: str) -> str:
    """The numbers of one arm: `11 of 15`, `mean 3.3, SD 2.2 (n = 15)`; other numbers by their names."""
    arm_numbers = {name.removesuffix(arm): value for name, value in numbers.items() if name.endswith(arm)}
    n = arm_numbers.pop("n", None)
    if n is not None and arm_numbers.keys() == {"events"}:
        return f"{format_number(arm_numbers['events'])} of {format_number(n)}"
    named = {"mean": "mean", "sd": "SD", "events": "events", "time": "person-time"}
    text = ", ".join(f"{named.get(name, name)} {format_number(value)}" for name, value in arm_numbers.items())
    return text + (f" (n = {format_number(n)})" if n is not None else "")


def _excluded(result: Mapping[str, Any], context: PageContext) -> ExcludedLine:
    href = context.page(StudyResult.plural, result["id"])
    return ExcludedLine(result["label"], result["time_frame_text"] or "", href, result["detail"], context.cited(result))


def _method_facts(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The method: measure, window of time, model, τ² estimator, interval, I², engine version."""
    question, pooled = content["question"], content["pooled"]
    measure = MEASURES.get(question["measure"], titled(question["measure"]).lower())
    facts = [("Measure", measure), ("Window of time", f"results within {format_number(question['window_days'])} days")]
    if pooled is not None:
        facts += [
            ("Model", f"{MODELS[question['model']]}, {METHODS[question['method']]}"),
            ("τ²", f"{question['estimator'].upper()}: {figure(pooled['tau2'])}" if pooled["tau2"] is not None else ""),
            ("Interval", f"{INTERVALS[question['interval']]}, {format_number(question['level'])}\u202f%"),
            ("I²", percent(pooled["i2"])),
        ]
    return [*facts, ("Engine", content["engine"])]


def _frame(facts: SynthesisFacts, settings: PageSettings, description: SynthesisText) -> PageFrame:
    path = f"/{SYNTHESES}/{facts.hash}"
    canonical, as_of = settings.public_url + path, as_of_words(facts.as_of, facts.kept.release)
    return PageFrame(
        title=description.title,
        description=f"{description.words.answer} {description.words.effect}"[:LONGEST_DESCRIPTION].strip(),
        crumbs=[],
        marks=description.marks,
        canonical=canonical,
        json=f"/v1{path}",
        history="",
        as_of=as_of,
        version=VERSION,
        report=report_address(settings.contact_url, SYNTHESES, facts.hash, VERSION),
        cited=f"{NAME}. {description.title} [{KIND.lower()}, engine {facts.content['engine']}]. {as_of}. {canonical}",
        formats=[],
        linked=Markup(synthesis_document(facts, settings, description)),  # noqa: S704  # `<` is escaped in it
        oembed=oembed_address(settings, canonical),
    )


def synthesis_document(facts: SynthesisFacts, settings: PageSettings, description: SynthesisText | None = None) -> str:
    """The synthesis as JSON-LD: a schema.org Dataset, since it is numbers from studies, with downloads and plots."""
    context = context_of(facts, settings)
    description = description or describe_synthesis(facts, context, None)
    content, links = facts.content, facts.content["links"]
    return schema_org.json_ld(
        schema_org.synthesis_node(
            f"{settings.public_url}/{SYNTHESES}/{facts.hash}",
            name=description.title,
            description=" ".join(
                part for part in (description.words.answer, description.words.effect, description.words.studies) if part
            ),
            content=content,
            included=facts.included,
            public_url=settings.public_url,
            day=facts.as_of.at and facts.as_of.at[:10],
            downloads={
                "application/json": links["permalink"],
                "text/csv": links["csv"],
                "image/svg+xml": links["forest"],
            },
        )
    )
