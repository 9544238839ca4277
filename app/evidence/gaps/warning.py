"""Gaps between warnings and side effects: terms of a warning that no side effect of the treatment has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.evidence.gaps.base import Document, Gap, absent_side, record_side
from app.models.side_effects import SideEffect
from app.models.warnings import Warning as LabelWarning

SAME_TERMS: Mapping[str, str] = {
    "difficulty in swallowing": "dysphagia",
    "difficulty swallowing": "dysphagia",
    "swallowing difficulty": "dysphagia",
    "difficulty in breathing": "dyspnoea",
    "difficulty breathing": "dyspnoea",
    "dyspnea": "dyspnoea",
    "double vision": "diplopia",
    "vision blurred": "blurred vision",
    "hoarseness": "dysphonia",
    "ptosis": "eyelid ptosis",
    "drooping eyelid": "eyelid ptosis",
}
"""Lay terms and their clinical synonyms: a warning may use one, a table of harms the other."""


def meaning(term: str) -> str:
    """The normalised term: case folded, white space collapsed, and replaced by its preferred synonym."""
    folded = " ".join(term.casefold().split())
    return SAME_TERMS.get(folded, folded)


def warning_gaps(treatment: str, warnings: Sequence[Document], terms: Iterable[str]) -> Iterator[Gap]:
    """Terms of a warning of the treatment, or of a class above it, that none of its side effects has.

    `terms` are those of the treatment's side effects, and for a class those of its products as well.
    """
    known = {meaning(term) for term in terms}
    named: dict[str, list[tuple[str, Document]]] = {}
    for warning in warnings:
        for term in warning["terms"]:
            named.setdefault(meaning(term), []).append((term, warning))
    for word, found in sorted(named.items()):
        if word not in known:
            yield _gap(treatment, word, found)


def _gap(treatment: str, word: str, found: Sequence[tuple[str, Document]]) -> Gap:
    term = found[0][0]
    by_id = {warning["id"]: warning for _, warning in found}
    warnings = "; ".join(f"{_kind(warning)} of {warning['treatment']}" for warning in by_id.values())
    statement = f"“{term}” is named by a {warnings}; no side effect of {treatment} that we hold has this term."
    absence = absent_side("No side effect of this treatment has this term here.", SideEffect, treatment=treatment)
    sides = (*(record_side("warning", LabelWarning, row, row["statement"]) for row in by_id.values()), absence)
    conditions = {warning["condition"] for warning in by_id.values()}
    condition = conditions.pop() if len(conditions) == 1 else None
    return Gap("warning-without-side-effect", treatment, condition, statement, sides, (word, *sorted(by_id)))


def _kind(warning: Document) -> str:
    return f"{warning['kind']} ({warning['jurisdiction']})" if warning["jurisdiction"] else str(warning["kind"])
