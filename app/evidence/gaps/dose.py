"""Gaps in doses: a dose of a claim or a trial outside the limits of a label of the same product, in its own unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.evidence.gaps.base import Document, Gap, for_condition, has_words_of, record_side, remarks, span_of, whose
from app.models.claims import Claim
from app.models.dose_sentences import maximum_words
from app.models.dosing_intervals import DosingInterval
from app.models.types import plain_number

WHO = {"claim": "a claim", "trial": "a trial"}


@dataclass(frozen=True)
class Compared:
    """A claimed or trial dose, and the labels that it is compared with."""

    row: Document
    outside: Sequence[Document]
    """Labels whose limits the dose is outside of."""
    above: Sequence[Document]
    """Labels whose maximum one session of the dose exceeds."""
    covering: Sequence[Document]
    """Labels whose limits contain the dose."""


def dose_gaps(
    treatment: str, unit: Document | None, dosing: Sequence[Document], claims: Sequence[Document]
) -> Iterator[Gap]:
    """Claimed or trial doses outside the limits of a label for the same condition, or above its maximum.

    Doses are compared in the product's own unit and with the same `dose_per`; quartiles and typical doses of a label
    are no limits. `unit` is the treatment's `dose_unit`; a class of products has none, so that nothing is compared.
    """
    if unit is None:
        return
    for row in dosing:
        if row["basis"] in WHO and row["dose_per"] and _ends(row):
            found = _compare(row, [label for label in dosing if label["basis"] == "label"])
            if found.outside or found.above:
                yield _gap(treatment, unit["label"], found, claims)


def _compare(row: Document, labels: Sequence[Document]) -> Compared:
    alike = [label for label in labels if label["dose_unit"] == row["dose_unit"]]
    limits = [label for label in alike if _gives_limits(label, row)]
    return Compared(
        row,
        outside=[label for label in limits if _is_outside(row, label)],
        above=[label for label in alike if _exceeds(row, label)],
        covering=[label for label in limits if not _is_outside(row, label)],
    )


def _ends(row: Document) -> list[float]:
    return [row[end] for end in ("dose_min", "dose_max") if row[end] is not None]


def _gives_limits(label: Document, row: Document) -> bool:
    """Whether a label has limits for a dose of the same condition and `dose_per`."""
    return (
        label["dose_statistic"] == "limits"
        and label["condition"] is not None
        and label["condition"] == row["condition"]
        and sorted(label["dose_per"]) == sorted(row["dose_per"])
        and bool(_ends(label))
    )


def _is_outside(row: Document, label: Document) -> bool:
    low, high = label["dose_min"], label["dose_max"]
    return any((low is not None and end < low) or (high is not None and end > high) for end in _ends(row))


def _exceeds(row: Document, label: Document) -> bool:
    """Whether a single session exceeds the maximum dose of the label within its period."""
    is_comparable = row["dose_per"] == ["session"] and label["condition"] in (row["condition"], None)
    is_absolute = label.get("max_dose_basis") in ("absolute", None)  # documents of 0.3.0 have no basis
    return is_comparable and is_absolute and label["max_dose"] is not None and max(_ends(row)) > label["max_dose"]


def _gap(treatment: str, unit: str, found: Compared, claims: Sequence[Document]) -> Gap:
    row = found.row
    labels = {label["id"]: label for label in (*found.outside, *found.above, *found.covering)}
    parts = [
        _outside_text(row, label, f"the {_dose_text(label, unit)} of {_label_text(label)}") for label in found.outside
    ]
    parts += [
        f"{_above_text(row, label['max_dose'])} {_label_text(label)}'s most, {_maximum_text(label, unit)}"
        for label in found.above
    ]
    parts += [f"{_label_text(label)}, which gives {_dose_text(label, unit)}, covers it" for label in found.covering]
    dose = f"{_dose_text(row, unit)} per {' and '.join(row['dose_per'])}"
    statement = f"{for_condition(row['condition'])}, {WHO[row['basis']]} gives {dose}; {'; '.join(parts)}."
    twins = [claim for claim in claims if has_words_of(row, claim) and _gives_a_dose(claim)]
    sides = (
        *(record_side("claim", Claim, claim, f"A claim says: {claim['quote']}") for claim in twins),
        record_side("dosing", DosingInterval, row, f"{whose(row)}: {dose}.{remarks(row)}"),
        *(record_side("label", DosingInterval, label, _label_side_text(label, unit)) for label in labels.values()),
    )
    broken = {label["id"] for label in (*found.outside, *found.above)}
    return Gap("dose-outside-label", treatment, row["condition"], statement, sides, (row["id"], *sorted(broken)))


def _outside_text(row: Document, label: Document, limits: str) -> str:
    """How the dose lies outside the limits of a label, which are named by `limits`."""
    low, high = label["dose_min"], label["dose_max"]
    is_below = low is not None and min(_ends(row)) < low
    if high is None or max(_ends(row)) <= high:
        return f"{'it lies' if max(_ends(row)) < low else 'its lower end lies'} below {limits}"
    return f"it reaches beyond both ends of {limits}" if is_below else f"{_above_text(row, high)} {limits}"


def _above_text(row: Document, high: float) -> str:
    return "it lies above" if min(_ends(row)) > high else "its upper end lies above"


def _gives_a_dose(claim: Document) -> bool:
    return any(value["name"].startswith("dose") and value["number"] is not None for value in claim["values"])


def _label_text(label: Document) -> str:
    return f"the {label['jurisdiction']} label" if label["jurisdiction"] else "a label"


def _dose_text(row: Document, unit: str) -> str:
    statistic = f" ({row['dose_statistic']})" if row["dose_statistic"] in ("iqr", "typical") else ""
    return f"{span_of(row['dose_min'], row['dose_max'])} {unit}{statistic}"


def _maximum_text(label: Document, unit: str) -> str:
    if label["max_dose_period"] is None or label.get("max_dose_per"):
        return maximum_words(label, unit).removeprefix("at most ")
    period = f"{plain_number(label['max_dose_period'])} {label['max_dose_period_unit']}"
    return f"{plain_number(label['max_dose'])} {unit} in {period}"


def _label_side_text(label: Document, unit: str) -> str:
    parts = [_dose_text(label, unit)] if _ends(label) else []
    parts += [f"at most {_maximum_text(label, unit)}"] if label["max_dose"] is not None else []
    return f"{whose(label)}: {', '.join(parts)}.{remarks(label)}"
