"""The page of a synthesis: its answer, every result that counts, every one that does not and why, how it was made."""

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
from app.pages.context import Around, Link, Note
from app.pages.layout import PageFrame, Where, as_of_words, oembed_address
from app.pages.shared import Values
from app.pages.study_results import CertaintyLine, Plot, certainty_of
from app.pages.syntheses import KIND, VERSION, SynthesisText, around_of, drawing_of, told_of
from app.pages.templates import report_address
from app.pages.wording import FINDINGS, MEASURES, Tone, format_number, percent, titled
from app.reports.cards import SYNTHESES
from app.reports.synthesis.page import SynthesisFacts
from app.reports.synthesis.question import EvidenceQuestion

MOST_ROWS = 40
"""Of each table; the CSV has all."""
LONGEST_DESCRIPTION = 200


@dataclass(frozen=True)
class CountedLine:
    """A result that counts."""

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
    """A result that does not count, and why."""

    label: str
    when: str
    href: str
    why: str
    notes: tuple[Note, ...]


def synthesis_values(facts: SynthesisFacts, where: Where, newer: str | None) -> Values:
    """The values of the page, with `frame` for the layout and `references` for its end."""
    where = replace(where, release=facts.kept.release)
    around = around_of(facts, where)
    told = told_of(facts, around, newer)
    content, links = facts.content, facts.content["links"]
    csv, forest = links["csv"], links["forest"]
    counted = [_counted(result, around) for result in content["results"][:MOST_ROWS]]
    excluded = [_excluded(one, around) for one in content["excluded"][:MOST_ROWS]]
    return {
        "told": told,
        "treatments": [around.link(Treatment, one) for one in content["question"]["treatment"]],
        "condition": around.link(Condition, content["question"]["condition"]),
        "plots": [Plot(drawing_of(facts), "")] if counted and len(content["results"]) <= MOST_ROWS else [],
        "not_pooled": content["not_pooled"],
        "counted": counted,
        "counted_total": len(content["results"]),
        "excluded": excluded,
        "excluded_total": len(content["excluded"]),
        "csv": csv,
        "notes": content["notes"],
        "facts": _made(content),
        "files": [Link(*file) for file in (("CSV", csv), ("forest plot", forest), ("funnel plot", links["funnel"]))],
        "frame": _frame(facts, where, told),
        "references": around.sources(),
    }


def undecided_values(errors: Sequence[Mapping[str, Any]], asked: EvidenceQuestion, release: str) -> Values:
    """Why results were not joined, as a form that repeats the question; each reason once."""
    given = asked.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"release": release}
    hidden = [(name, one) for name, value in given.items() for one in (value if isinstance(value, list) else [value])]
    around = Around({}, release=release, today="")
    reasons: dict[str, list[dict[str, Any]]] = {}
    for error in errors:
        sides = [
            (side["what"], [Link(result, around.page(StudyResult.plural, result)) for result in side["results"]])
            for side in error["sides"]
        ]
        reasons.setdefault(error["reason"], []).append({"detail": capital(error["detail"]), "sides": sides})
    return {"reasons": reasons, "hidden": hidden, "path": f"/{SYNTHESES}"}


def _counted(one: Mapping[str, Any], around: Around) -> CountedLine:
    effect = one["effect"]["display"]
    finding, tone = FINDINGS[one["finding"]]
    weight = one["effect"]["weight"]
    return CountedLine(
        label=one["label"],
        when=one["time_frame_text"] or "",
        href=around.page(StudyResult.plural, one["id"]),
        arms=_arms(one),
        effect=_interval(effect) if effect["estimate"] is not None else "no effect of its own",
        weight="" if weight is None else percent(weight),
        finding=finding,
        tone=tone,
        certainty=certainty_of(one),
        notes=around.cited(one),
    )


def _interval(shown: Mapping[str, Any]) -> str:
    ends = (figure(shown[name]) if shown[name] is not None else "?" for name in ("ci_low", "ci_high"))
    return f"{figure(shown['estimate'])} (" + " to ".join(ends) + ")"


def _arms(one: Mapping[str, Any]) -> tuple[str, str]:
    """The numbers of the two arms that went in; of an estimate that it was taken as it stands."""
    given = {part["name"]: part["value"] for part in one["numbers"]}
    if one["taken_from"] == "estimate":
        return "its own estimate", ""
    if "n1" not in given:
        return _arm(given, ""), ""
    return _arm(given, "1"), _arm(given, "2")


def _arm(given: Mapping[str, float], arm: str) -> str:
    """`11 of 15`, `mean 3.3, SD 2.2 (n = 15)`; whatever else by its name."""
    own = {name.removesuffix(arm): value for name, value in given.items() if name.endswith(arm)}
    n = own.pop("n", None)
    if n is not None and own.keys() == {"events"}:
        return f"{format_number(own['events'])} of {format_number(n)}"
    named = {"mean": "mean", "sd": "SD", "events": "events", "time": "person-time"}
    told = ", ".join(f"{named.get(name, name)} {format_number(value)}" for name, value in own.items())
    return told + (f" (n = {format_number(n)})" if n is not None else "")


def _excluded(one: Mapping[str, Any], around: Around) -> ExcludedLine:
    href = around.page(StudyResult.plural, one["id"])
    return ExcludedLine(one["label"], one["time_frame_text"] or "", href, one["detail"], around.cited(one))


def _made(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the answer was made."""
    asked, pooled = content["question"], content["pooled"]
    measure = MEASURES.get(asked["measure"], titled(asked["measure"]).lower())
    facts = [("Measure", measure), ("Window of time", f"results within {format_number(asked['window_days'])} days")]
    if pooled is not None:
        facts += [
            ("Model", f"{MODELS[asked['model']]}, {METHODS[asked['method']]}"),
            ("τ²", f"{asked['estimator'].upper()}: {figure(pooled['tau2'])}" if pooled["tau2"] is not None else ""),
            ("Interval", f"{INTERVALS[asked['interval']]}, {format_number(asked['level'])}\u202f%"),
            ("I²", percent(pooled["i2"])),
        ]
    return [*facts, ("Engine", content["engine"])]


def _frame(facts: SynthesisFacts, where: Where, told: SynthesisText) -> PageFrame:
    path = f"/{SYNTHESES}/{facts.hash}"
    canonical, as_of = where.public_url + path, as_of_words(facts.as_of, facts.kept.release)
    return PageFrame(
        title=told.title,
        description=f"{told.words.answer} {told.words.effect}"[:LONGEST_DESCRIPTION].strip(),
        crumbs=[],
        marks=told.marks,
        canonical=canonical,
        json=f"/v1{path}",
        history="",
        as_of=as_of,
        version=VERSION,
        report=report_address(where.contact_url, SYNTHESES, facts.hash, VERSION),
        cited=f"{NAME}. {told.title} [{KIND.lower()}, engine {facts.content['engine']}]. {as_of}. {canonical}",
        formats=[],
        linked=Markup(synthesis_document(facts, where, told)),  # noqa: S704  # `<` is escaped in it
        oembed=oembed_address(where, canonical),
    )


def synthesis_document(facts: SynthesisFacts, where: Where, told: SynthesisText | None = None) -> str:
    """The synthesis as JSON-LD: a schema.org Dataset, since what it gives is numbers from studies, and their plots."""
    around = around_of(facts, where)
    told = told or told_of(facts, around, None)
    content, links = facts.content, facts.content["links"]
    return schema_org.json_ld(
        schema_org.synthesis_node(
            f"{where.public_url}/{SYNTHESES}/{facts.hash}",
            name=told.title,
            description=" ".join(part for part in (told.words.answer, told.words.effect, told.words.studies) if part),
            content=content,
            included=facts.included,
            public_url=where.public_url,
            day=facts.as_of.at and facts.as_of.at[:10],
            downloads={
                "application/json": links["permalink"],
                "text/csv": links["csv"],
                "image/svg+xml": links["forest"],
            },
        )
    )
