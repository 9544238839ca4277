"""A study result joined with its study, its outcome and its treatment, as JSON documents of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypeAliasType

from app.models.effects import is_controlled

REVIEWS = frozenset({"systematic-review", "pooled-analysis", "network-meta-analysis"})
"""Study designs whose results combine the results of other studies."""
PAIRED = frozenset({"randomized-crossover", "randomized-within-person", "single-patient"})
"""Study designs in which both arms are the same people."""
CLUSTERED = frozenset({"randomized-cluster", "randomized-stepped-wedge"})
"""Study designs that allocate groups, whose people are more alike than chance (Cochrane Handbook 23.1)."""

Document = Mapping[str, Any]
SubgroupBy = TypeAliasType(
    "SubgroupBy",
    Literal["treatment", "comparator", "outcome", "time-frame", "score", "design", "risk-of-bias"],
)
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Reported:
    """A study result and the records that it refers to."""

    result: Document
    study: Document
    outcome: Document
    treatment: Document

    @property
    def id(self) -> str:
        """The result's id."""
        return str(self.result["id"])

    @property
    def is_review(self) -> bool:
        """Whether it pools several studies, or is reported by a review."""
        return self.result["synthesis"] != "none" or self.study["design"] in REVIEWS

    @property
    def direction(self) -> str | None:
        """The better direction of the outcome: `lower-is-better` or `higher-is-better`; None where it is not known."""
        direction = self.outcome["direction"]
        return None if direction in (None, "unclear") else str(direction)

    def arms(self, role: str) -> list[tuple[str, Document]]:
        """The arms of a role, each with its JSON pointer in the result; of many, those that were compared."""
        return [
            (f"/arms/{index}", arm)
            for index, arm in enumerate(self.result["arms"])
            if arm["role"] == role and is_compared(self.result, arm)
        ]

    @property
    def is_controlled(self) -> bool:
        """Whether the result compares with other people."""
        return is_controlled(self.result["comparator"])

    def risk_of_bias(self) -> Document | None:
        """The risk of bias of the result; where it has none, that of its study."""
        return self.result["risk_of_bias"] or self.study["risk_of_bias"]  # type: ignore[no-any-return]  # of a document

    def subgroup(self, by: SubgroupBy) -> str:
        """The name of its subgroup when results are split by this field."""
        if by == "design":
            return str(self.study["design"])
        if by == "time-frame":
            days = self.result["time_frame_days"]
            return NOT_RECORDED if days is None else f"{days:g} days"
        if by == "risk-of-bias":
            judged = self.risk_of_bias()
            return NOT_RECORDED if judged is None else str(judged["overall"])
        return str(self.result[by] or NOT_RECORDED)

    def label(self) -> str:
        """The display label of its study: the acronym, else the id, which has first author and year."""
        return str(self.study["acronym"] or self.study["id"])


def is_compared(record: Document, arm: Document) -> bool:
    """Whether an arm is one of those that a record's estimate compares: of all, where it names none."""
    compared = record.get("compared") or ()  # neither side effects nor releases of 0.3.0 have this field
    return not compared or arm["arm"] in compared or arm.get("code") in compared


def exclusion_of(record: Document) -> tuple[str, str] | None:
    """Why a withdrawn or retracted record is excluded, as reason and detail; None for a valid one."""
    if record["state"] == "withdrawn":
        return "withdrawn", "the record was withdrawn since this release"
    if record["source_status"] == "retracted":
        return "retracted", "a source that it rests on was retracted"
    return None
