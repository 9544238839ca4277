"""View models of a synthesis (meta-analysis): its title, plain-language text, judgements and warnings; and its card."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup

from app import DISCLAIMER, LICENCE
from app.evidence.calculator.request import Captions
from app.evidence.sentences import capital
from app.formats.svg import inline, size_of
from app.models.conditions import Condition
from app.models.outcomes import Outcome
from app.models.treatments import Treatment
from app.pages.approvals import place_lines
from app.pages.cards import (
    MOST_PLACES,
    MOST_SOURCES,
    NO_DECISION,
    Card,
    CardFact,
    CardLink,
    CardMark,
    CardPicture,
    CardWord,
    card_places,
    card_sources,
    shortened,
    without_bidi_controls,
)
from app.pages.context import Link, Mark, PageContext
from app.pages.layout import PageSettings, as_of_words
from app.pages.study_results import certainty_of
from app.pages.templates import report_address
from app.reports.cards import SYNTHESES
from app.reports.synthesis.content import name_of_comparator
from app.reports.synthesis.page import SynthesisFacts
from app.reports.synthesis.plain import InWords, in_words, settled_side

KIND = "Synthesis"
MOST_ACCEPTED = 3
"""How many of the overridden warnings against pooling a card shows; the page has all."""
MOST_DRAWN = 6_500
"""Characters of the largest SVG that is inlined in a card; a larger one is a link."""
VERSION = 1
"""The version of every stored synthesis, which never changes."""


@dataclass(frozen=True)
class SynthesisText:
    """A synthesis as text: title, sentences, judgements, warnings."""

    title: str
    words: InWords
    judgements: list[CardWord]
    marks: list[Mark]


def context_of(facts: SynthesisFacts, settings: PageSettings) -> PageContext:
    """The page context, whose links stay in the release of the synthesis."""
    return PageContext(facts.included, release=facts.kept.release, today=settings.today)


def describe_synthesis(facts: SynthesisFacts, context: PageContext, newer: str | None) -> SynthesisText:
    """The text of a synthesis, for its card and its page; `newer` names a release made after its own."""
    captions = captions_of_answer(facts.content, context)
    words = in_words(facts.content, captions)
    return SynthesisText(
        str(captions.title),
        words,
        _judgements(facts.content, captions),
        list(_marks(facts, newer)),
    )


def captions_of_answer(content: Mapping[str, Any], context: PageContext) -> Captions:
    """The captions of the stored answer (title, outcome, arms), derived as when it was computed."""
    question = content["question"]
    treatments = [context.name(Treatment, record_id) for record_id in question["treatment"]]
    outcomes = [context.name(Outcome, record_id) for record_id in question["outcome"]]
    named = content["included"].get(Treatment.plural, {})
    comparators = sorted({name_of_comparator(str(result["comparator"]), named) for result in content["results"]})
    return Captions(
        labels=[],
        subgroups=[],
        title=f"{' or '.join(outcomes)}: {' or '.join(treatments)}, {context.name(Condition, question['condition'])}",
        outcome=" or ".join(outcomes),
        arm1=treatments[0] if len(treatments) == 1 else "treatment",
        arm2=comparators[0] if len(comparators) == 1 else "comparator",
        direction=content["favours"]["direction"],
    )


def _judgements(content: Mapping[str, Any], captions: Captions) -> list[CardWord]:
    """Which arm the confidence interval favours, and the certainty of a single rated result."""
    if not content["results"]:
        return [CardWord(text="No study counts", tone="plain")]
    side = settled_side(content)
    if side is None:
        word = CardWord(text="Not settled" if content["favours"]["left"] else "Without a comparison", tone="plain")
    else:
        better = {"lower-is-better": "left", "higher-is-better": "right"}.get(captions.direction or "")
        tone = "plain" if better is None else "good" if side == better else "bad"
        tone = "care" if tone == "good" and content["caveats"] else tone
        word = CardWord(text=content["favours"][side], tone=tone)
    rated = certainty_of(content["results"][0]) if len(content["results"]) == 1 else None
    return [word, *([CardWord(text=f"{rated.level} certainty", tone="plain")] if rated else [])]


def _marks(facts: SynthesisFacts, newer: str | None) -> Iterator[Mark]:
    """The warnings: source status, withdrawn results, overridden caveats, a newer release."""
    status = facts.kept.source_status
    if status == "retracted":
        yield Mark("bad", "A source that this rests on was retracted after it was computed.")
    elif status == "concern":
        yield Mark("care", "A source that this rests on is under an expression of concern.")
    elif status == "corrected":
        yield Mark("care", "A source that this rests on was corrected after it was published.")
    if facts.withdrawn:
        yield Mark("bad", f"Of the results that count, {len(facts.withdrawn)} withdrawn since.")
    for caveat in facts.content["caveats"]:
        yield Mark("care", f"Joined against a warning: {caveat['detail']}.")
    if newer is not None:
        text = f"This is release {facts.kept.release}. A newer one exists: {newer}."
        yield Mark("plain", text, Link("Ask it the same", question_path(facts.kept.live, newer)))


def question_path(live: str, release: str) -> str:
    """The path of the synthesis page with the query of the URL `live`, asked of a release."""
    return f"/{SYNTHESES}?{urlsplit(live).query}&{urlencode({'release': release})}"


def drawing_of(facts: SynthesisFacts) -> Markup:
    """The forest plot as inline SVG, for a page whose style sheet has its classes."""
    return Markup(without_bidi_controls(inline(facts.kept.forms["forest"])))  # noqa: S704  # every text is escaped in it


def card_drawing(facts: SynthesisFacts) -> Markup | None:
    """The forest plot as inline SVG; None without results, or when it is larger than `MOST_DRAWN`."""
    drawing = drawing_of(facts)
    return drawing if facts.content["results"] and len(drawing) <= MOST_DRAWN else None


def card_of_synthesis(facts: SynthesisFacts, settings: PageSettings, newer: str | None = None) -> Card:
    """The card of a synthesis; `newer` names a release that was made after its own."""
    settings = replace(settings, release=facts.kept.release)
    context = context_of(facts, settings)
    description = describe_synthesis(facts, context, newer)
    content, words = facts.content, description.words
    sources = card_sources(
        [citation["source"] for result in content["results"] for citation in result["citations"]], context, settings
    )
    places = place_lines(facts.approvals, context)
    left_out = len(content["excluded"])
    return Card(
        kind=KIND,
        title=description.title,
        is_quote=False,
        judgements=description.judgements,
        marks=_card_marks(description.marks, settings),
        summary=shortened(" ".join(part for part in (words.answer, words.frequencies) if part)),
        facts=[
            CardFact(name=name, text=shortened(text))
            for name, text in (
                ("Pooled" if content["pooled"] else "Not pooled", words.effect or str(content["not_pooled"])),
                ("Between studies", words.spread),
                ("Counted", words.studies),
                ("Not counted", f"{left_out} more, each for a reason that the full page gives." if left_out else ""),
                ("Certainty", words.certainty),
            )
            if text
        ],
        picture=_picture(facts, description, settings),
        places=card_places(places),
        places_note="" if places else NO_DECISION,
        more_places=max(0, len(places) - MOST_PLACES),
        source_label="Source" if len(sources) == 1 else "Sources",
        sources=sources[:MOST_SOURCES],
        more_sources=max(0, len(sources) - MOST_SOURCES),
        as_of=as_of_words(facts.as_of, facts.kept.release),
        page=f"{settings.public_url}/{SYNTHESES}/{facts.hash}",
        data=f"{settings.public_url}/v1/{SYNTHESES}/{facts.hash}",
        report=report_address(settings.contact_url, SYNTHESES, facts.hash, VERSION),
        licence=CardLink(text="CC BY 4.0", href=LICENCE),
        disclaimer=DISCLAIMER,
    )


def _card_marks(marks: Sequence[Mark], settings: PageSettings) -> list[CardMark]:
    """The warnings of the card; of overridden caveats the first `MOST_ACCEPTED`, then the number of the others."""
    accepted = [mark for mark in marks if mark.text.startswith("Joined")]
    more = len(accepted) - MOST_ACCEPTED
    shown = [mark for mark in marks if mark not in accepted[MOST_ACCEPTED:]]
    if more > 0:
        after = shown.index(accepted[MOST_ACCEPTED - 1]) + 1
        shown.insert(after, Mark("care", f"And for {more} more reasons, which the full page gives."))
    return [
        CardMark(
            text=shortened(mark.text), tone=mark.tone, href=settings.public_url + mark.link.href if mark.link else None
        )
        for mark in shown
    ]


def _picture(facts: SynthesisFacts, description: SynthesisText, settings: PageSettings) -> CardPicture | None:
    if not facts.content["results"]:
        return None
    width, height = size_of(facts.kept.forms["forest"])
    src = f"{settings.public_url}/v1/{SYNTHESES}/{facts.hash}?format=svg"
    return CardPicture(src=src, alt=capital(f"forest plot. {description.words.effect}"), width=width, height=height)
