"""Gaps around the ledger: claims that it contradicts, benefit without approval, approval without a result."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from app.evidence.gaps.base import Document, Gap, GapParty, absent_side, record_side
from app.evidence.regulatory_status import RegulatoryStanding, decision_of, standing
from app.models.approvals import Approval
from app.models.claims import Claim
from app.models.jurisdictions import CODES
from app.models.study_results import StudyResult

APPROVAL_WORDS = re.compile(r"approv|licen[cs]|authori[sz]|on-label", re.IGNORECASE)
NEGATIONS = re.compile(
    r"\b(not|no|never|nor|neither|without|non|off|unapproved|unlicen[cs]ed|unauthori[sz]ed|\w+n['’]t)\b", re.IGNORECASE
)
"""Words with which a statement may say that something is not approved; then nothing is held against it."""

Ledger = Mapping[str, Sequence[Document]]
"""The approvals of one treatment, by condition."""


@dataclass
class ResultCounts:
    """How many results of ours there are for one condition; those of reviews apart, which may hold the others."""

    single: int = 0
    pooled: int = 0
    favouring_single: Counter[str] = field(default_factory=Counter)
    """By what the treatment was compared with."""
    favouring_pooled: int = 0

    def add(self, count: int, comparator: str | None, *, is_single: bool, favours: bool) -> None:
        """Count results that were compared with the same, and found the same."""
        if is_single:
            self.single += count
            self.favouring_single[comparator or "nothing"] += count if favours else 0
        else:
            self.pooled += count
            self.favouring_pooled += count if favours else 0

    @property
    def favouring(self) -> int:
        """All that favour the treatment."""
        return self.favouring_single.total() + self.favouring_pooled

    def words(self, treatment: str) -> str:
        """In words: `of 5 results of single studies that we hold, 2 favour example (2 against placebo)`."""
        parts = []
        if self.single:
            counted = sorted((+self.favouring_single).items())
            against = ", ".join(f"{count} against {word}" for word, count in counted)
            found = f"{self.favouring_single.total()} favour {treatment}" + (f" ({against})" if against else "")
            parts.append(f"of {self.single} results of single studies that we hold, {found}")
        if self.pooled:
            parts.append(f"of {self.pooled} results of reviews, {self.favouring_pooled} favour it")
        return "; ".join(parts)


def claim_gaps(
    treatment: str, claims: Iterable[Document], ledger: Ledger, issued: Mapping[str, str | None], today: str
) -> Iterator[Gap]:
    """Claims of an approval that was none on the day of their source; without such a day, today.

    `issued` gives the (partial) day of each source.
    """
    for claim in claims:
        values = [(value["name"], value["text"]) for value in claim["values"]]
        places = [text for name, text in values if name == "jurisdiction" and text in CODES]
        said = " ".join(text for name, text in values if name == "claimed_status" and text) or claim["quote"]
        if claim["kind"] != "approval" or NEGATIONS.search(said) or not APPROVAL_WORDS.search(said):
            continue
        dated = issued.get(claim["source"])
        for condition, place in product(claim["conditions"], places):
            found = standing_on(ledger.get(condition, ()), place, dated or today)
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


def standing_on(approvals: Sequence[Document], place: str, on: str) -> RegulatoryStanding:
    """What the approvals of one treatment and condition say of a jurisdiction on a day."""
    return standing([decision_of(approval) for approval in approvals], place, on)


def by_place(approvals: Sequence[Document], today: str) -> dict[str, RegulatoryStanding]:
    """What they say today of each jurisdiction that they name."""
    places = sorted({approval["jurisdiction"] for approval in approvals})
    return {place: standing_on(approvals, place, today) for place in places}


def never_on_label(ledger: Ledger, today: str) -> list[str]:
    """The conditions for which the treatment is off-label somewhere today and on-label nowhere."""
    found = {condition: {one.status for one in by_place(rows, today).values()} for condition, rows in ledger.items()}
    return [condition for condition, seen in found.items() if "off-label" in seen and "on-label" not in seen]


def benefit_gaps(
    treatment: str,
    ledger: Ledger,
    *,
    counts: Mapping[str, ResultCounts],
    favouring: Mapping[str, Sequence[Document]],
    today: str,
) -> Iterator[Gap]:
    """Conditions in which results favour the treatment and no approval stands today.

    `favouring` holds the results that are shown, `counts` counts all that there are.
    """
    for condition, results in sorted(favouring.items()):
        rows = ledger[condition]
        negative = {place: one for place, one in by_place(rows, today).items() if one.status == "off-label"}
        statement = (
            f"For {condition}, {counts[condition].words(treatment)}; by the ledger, on {today} it was off-label in "
            f"{', '.join(negative)} and on-label nowhere."
        )
        shown = [record_side("result", StudyResult, row, _result_says(row)) for row in results]
        deciding = [side for one in negative.values() for side in _deciding(one, rows)]
        sides = (*shown, *deciding)
        yield Gap("benefit-without-approval", treatment, condition, statement, sides, tuple(sorted(negative)))


def approval_gaps(treatment: str, ledger: Ledger, with_results: Iterable[str], today: str) -> Iterator[Gap]:
    """Conditions for which the treatment is on-label somewhere today, and of which we hold no study result."""
    for condition in sorted(ledger.keys() - set(with_results)):
        rows = ledger[condition]
        positive = {place: one for place, one in by_place(rows, today).items() if one.status == "on-label"}
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
            sides = (*(side for one in positive.values() for side in _deciding(one, rows)), absence)
            yield Gap("approval-without-result", treatment, condition, statement, sides, tuple(sorted(positive)))


def _deciding(found: RegulatoryStanding, rows: Sequence[Document]) -> list[GapParty]:
    by_id = {row["id"]: row for row in rows}
    return [record_side("approval", Approval, by_id[decision.id], found.reason) for decision in found.decisions]


def _result_says(row: Document) -> str:
    against = row["comparator"] or "no comparator"
    frame = f", {row['time_frame_text']}" if row["time_frame_text"] else ""
    return f"{row['outcome_text']}{frame}, against {against}: {row['finding']}."
