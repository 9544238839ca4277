"""A study result with what it stands on: its study, its outcome, its treatment; each as readers get it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypeAliasType

REVIEWS = frozenset({"systematic-review", "pooled-analysis"})
"""Designs of studies whose results are made of other studies' results."""
PAIRED = frozenset({"randomized-crossover", "randomized-within-person"})
"""Designs in which the people of one arm are those of the other."""

Document = Mapping[str, Any]
SubgroupBy = TypeAliasType(
    "SubgroupBy",
    Literal["treatment", "comparator", "outcome", "time-frame", "score", "design", "risk-of-bias"],
)
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Reported:
    """A study result and the records that say how to read it."""

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
        """Whether it joins the results of several studies, or retells one of them."""
        return self.result["synthesis"] != "none" or self.study["design"] in REVIEWS

    @property
    def direction(self) -> str | None:
        """Which way is better: `lower-is-better` or `higher-is-better`; None where that is not known."""
        direction = self.outcome["direction"]
        return None if direction in (None, "unclear") else str(direction)

    def arms(self, role: str) -> list[tuple[str, Document]]:
        """Its arms of a role, each with the JSON pointer to it."""
        return [(f"/arms/{index}", arm) for index, arm in enumerate(self.result["arms"]) if arm["role"] == role]

    def risk_of_bias(self) -> Document | None:
        """Its risk of bias; where it has none of its own, that of its study."""
        return self.result["risk_of_bias"] or self.study["risk_of_bias"]  # type: ignore[no-any-return]  # of a document

    def subgroup(self, by: SubgroupBy) -> str:
        """Its subgroup when results are split by this."""
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
        """How a reader calls its study: the acronym, else the id that holds first author and year."""
        return str(self.study["acronym"] or self.study["id"])


def standing_of(record: Document) -> tuple[str, str] | None:
    """Why a record must not be counted, as reason and words; None where it may."""
    if record["state"] == "withdrawn":
        return "withdrawn", "the record was withdrawn since this release"
    if record["source_status"] == "retracted":
        return "retracted", "a source that it rests on was retracted"
    return None
