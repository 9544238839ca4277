"""Gaps about approvals: claims that contradict them, benefit without approval, approval without a study result."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from app.evidence.gaps.base import Document, Gap, GapParty, absent_side, record_side
from app.evidence.regulatory_status import RegulatoryStanding, decision_of, standing
from app.models.approvals import Approval
from app.models.claims import Claim
from app.models.effects import is_controlled
from app.models.jurisdictions import CODES
from app.models.study_results import StudyResult

APPROVAL_WORDS = re.compile(r"approv|licen[cs]|authori[sz]|on-label", re.IGNORECASE)
NEGATIONS = re.compile(
    r"\b(not|no|never|nor|neither|without|non|off|unapproved|unlicen[cs]ed|unauthori[sz]ed|\w+n['’]t)\b", re.IGNORECASE
)
"""Words that may negate a statement of approval; a statement with one of them is not checked."""

Ledger = Mapping[str, Sequence[Document]]
"""The approvals of one treatment, by condition."""


@dataclass
class ResultCounts:
    """Counts of stored results for one condition; reviews separately, because they may include the single studies."""

    single: int = 0
    pooled: int = 0
    favouring_single: Counter[str] = field(default_factory=Counter)
    """By comparator, of controlled results: without a control group a change is no favour of the treatment."""
    favouring_pooled: int = 0
    better_uncontrolled: int = 0
    """Results of people who were better than before, without a control group."""

    def add(self, count: int, comparator: str | None, *, is_single: bool, favours: bool) -> None:
        """Count results with the same comparator and finding."""
        has_control = is_controlled(comparator)
        self.better_uncontrolled += count if favours and not has_control else 0
        if is_single:
            self.single += count
            self.favouring_single[comparator or "nothing"] += count if favours and has_control else 0
        else:
            self.pooled += count
            self.favouring_pooled += count if favours and has_control else 0

    @property
    def favouring(self) -> int:
        """The number of results that favour the treatment, of single studies and of reviews together."""
        return self.favouring_single.total() + self.favouring_pooled

    def words(self, treatment: str) -> str:
        """The counts as a part of a sentence, with the treatment's name; empty without results.

        `of 5 results of single studies that we hold, 2 favour Example (2 against placebo); of 1 results of reviews, …`
        """
        parts = []
        if self.single:
            counted = sorted((+self.favouring_single).items())
            against = ", ".join(f"{count} against {word}" for word, count in counted)
            found = f"{self.favouring_single.total()} favour {treatment}" + (f" ({against})" if against else "")
            parts.append(f"of {self.single} results of single studies that we hold, {found}")
        if self.pooled:
            parts.append(f"of {self.pooled} results of reviews, {self.favouring_pooled} favour it")
        if self.better_uncontrolled:
            parts.append(f"{self.better_uncontrolled} were better than before, without a control group")
        return "; ".join(parts)


def claim_gaps(
    treatment: str, claims: Iterable[Document], ledger: Ledger, issued: Mapping[str, str | None], today: str
) -> Iterator[Gap]:
    """Claims of an approval whose use was off-label on the day of the source; today where the source has no date.

    `issued` maps each source to its (partial) date of issue.
    """
    for claim in claims:
        values = [(value["name"], value["text"]) for value in claim["values"]]
        places = [text for name, text in values if name == "jurisdiction" and text in CODES]
        statement_text = " ".join(text for name, text in values if name == "claimed_status" and text) or claim["quote"]
        if claim["kind"] != "approval" or NEGATIONS.search(statement_text) or not APPROVAL_WORDS.search(statement_text):
            continue
        dated = issued.get(claim["source"])
        for condition, place in product(claim["conditions"], places):
            found = status_on(ledger.get(condition, ()), place, dated or today)
            if found.status == "off-label":
                day = f"on {dated}, when it was issued" if dated else f"today, {today}, as its source carries no date"
                statement = (
                    f"A claim calls {treatment} approved in {place} for {condition}; by the ledger it was "
                    f"off-label there {day}. {found.reason}"
                )
                claimed = record_side("claim", Claim, claim, f"A claim says: {claim['quote']}")
                sides = (claimed, *_deciding(found, ledger[condition]))
                made_of = (claim["id"], place)
                yield Gap("claim-contradicts-ledger", treatment, condition, statement, sides, made_of)


def status_on(approvals: Sequence[Document], place: str, on: str) -> RegulatoryStanding:
    """The regulatory status of one treatment and condition in a jurisdiction on a day, by its approvals."""
    return standing([decision_of(approval) for approval in approvals], place, on)


def by_place(approvals: Sequence[Document], today: str) -> dict[str, RegulatoryStanding]:
    """The regulatory status today in each jurisdiction of the approvals."""
    places = sorted({approval["jurisdiction"] for approval in approvals})
    return {place: status_on(approvals, place, today) for place in places}


def never_on_label(ledger: Ledger, today: str) -> list[str]:
    """The conditions for which the treatment is off-label in some jurisdiction today and on-label in none."""
    found = {
        condition: {status.status for status in by_place(rows, today).values()} for condition, rows in ledger.items()
    }
    return [condition for condition, names in found.items() if "off-label" in names and "on-label" not in names]


def benefit_gaps(
    treatment: str,
    ledger: Ledger,
    *,
    counts: Mapping[str, ResultCounts],
    favouring: Mapping[str, Sequence[Document]],
    today: str,
) -> Iterator[Gap]:
    """Conditions in which results favour the treatment and no approval is in force today.

    `favouring` has the results to show, `counts` counts all stored results.
    """
    for condition, results in sorted(favouring.items()):
        rows = ledger[condition]
        negative = {place: found for place, found in by_place(rows, today).items() if found.status == "off-label"}
        statement = (
            f"For {condition}, {counts[condition].words(treatment)}; by the ledger, on {today} it was off-label in "
            f"{', '.join(negative)} and on-label nowhere."
        )
        shown = [record_side("result", StudyResult, row, _result_says(row)) for row in results]
        deciding = [side for found in negative.values() for side in _deciding(found, rows)]
        sides = (*shown, *deciding)
        yield Gap("benefit-without-approval", treatment, condition, statement, sides, tuple(sorted(negative)))


def approval_gaps(treatment: str, ledger: Ledger, with_results: Iterable[str], today: str) -> Iterator[Gap]:
    """Conditions for which the treatment is on-label in some jurisdiction today, without a stored study result."""
    for condition in sorted(ledger.keys() - set(with_results)):
        rows = ledger[condition]
        positive = {place: found for place, found in by_place(rows, today).items() if found.status == "on-label"}
        if positive:
            statement = (
                f"On {today}, {treatment} was on-label for {condition} in {', '.join(positive)}; we hold no study "
                f"result of it for this condition, which says nothing of the trials that there may be."
            )
            absence = absent_side(
                "No study result of this treatment for this condition is recorded here.",
                StudyResult,
                treatment=treatment,
                condition=condition,
            )
            sides = (*(side for found in positive.values() for side in _deciding(found, rows)), absence)
            yield Gap("approval-without-result", treatment, condition, statement, sides, tuple(sorted(positive)))


def _deciding(found: RegulatoryStanding, rows: Sequence[Document]) -> list[GapParty]:
    by_id = {row["id"]: row for row in rows}
    return [record_side("approval", Approval, by_id[decision.id], found.reason) for decision in found.decisions]


def _result_says(row: Document) -> str:
    against = f"against {row['comparator']}" if is_controlled(row["comparator"]) else "without a control group"
    frame = f", {row['time_frame_text']}" if row["time_frame_text"] else ""
    return f"{row['outcome_text']}{frame}, {against}: {row['finding']}."
