"""Regulatory status today by jurisdiction, one line each, as it follows from the regulators' decisions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.evidence.regulatory_status import Decision, decision_of, standing
from app.models.conditions import Condition
from app.pages.context import PageContext, Record
from app.pages.wording import STATUS_TONES, Tone, day_words, place_name, titled

UNDECIDED = "Unknown"


@dataclass(frozen=True)
class PlaceLine:
    """The status in one jurisdiction, for one condition or for several with the same status."""

    code: str
    place: str
    status: str
    tone: Tone
    about: tuple[str, ...]
    """The names of the conditions."""
    detail: str
    """Authority, start and day of the last check; for several conditions their names and days of checks."""
    checked: date | None
    """When the decision that determines the status was checked; None where the status is unknown."""


def place_lines(approvals: Sequence[Record], context: PageContext) -> list[PlaceLine]:
    """The status today by jurisdiction, approvals first, then by the name of the place.

    For one condition a line has the authority, the start and the day of the check; for several, lines with the same
    status in the same place are merged and list the conditions.
    """
    lines = [
        _line(code, condition, [decision_of(approval) for approval in group], context)
        for code, condition, group in _by_place_and_condition(approvals)
    ]
    conditions = {line.about for line in lines}
    return sorted(_merge_conditions(lines) if len(conditions) > 1 else lines, key=_order)


def _merge_conditions(lines: Sequence[PlaceLine]) -> Iterator[PlaceLine]:
    """Merge lines of the same place and status into one that lists all conditions."""
    groups: dict[tuple[str, str], list[PlaceLine]] = {}
    for line in lines:
        groups.setdefault((line.code, line.status), []).append(line)
    for group in groups.values():
        about = tuple(sorted(name for line in group for name in line.about))
        checked = sorted(line.checked for line in group if line.checked)
        yield replace(group[0], about=about, detail=", ".join([f"for {'; '.join(about)}", *_checked_words(checked)]))


def _checked_words(days: Sequence[date]) -> list[str]:
    """The days of the checks (sorted) as text: one day, or the first and the last; empty list for none."""
    if not days:
        return []
    first, last = (day_words(day.isoformat()) for day in (days[0], days[-1]))
    return [f"checked {first}" if first == last else f"checked between {first} and {last}"]


def _order(line: PlaceLine) -> tuple[bool, str, tuple[str, ...]]:
    return line.tone != "good", line.place, line.about


def _by_place_and_condition(approvals: Iterable[Record]) -> Iterator[tuple[str, str, list[Record]]]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for approval in approvals:
        groups.setdefault((approval["jurisdiction"], approval["condition"]), []).append(approval)
    for (code, condition), group in groups.items():
        yield code, condition, group


def _line(code: str, condition: str, decisions: list[Decision], context: PageContext) -> PlaceLine:
    status = standing(decisions, code, context.today)
    name = context.name(Condition, condition)
    if status.status == "unknown":
        return PlaceLine(code, place_name(code), UNDECIDED, "plain", (name,), status.reason, None)
    deciding = status.decisions[0]
    since = f"since {day_words(deciding.valid_from)}" if deciding.valid_from and deciding.is_positive else ""
    parts = (deciding.authority, since, *_checked_words([deciding.as_of]))
    return PlaceLine(
        code=code,
        place=place_name(code),
        status=titled(deciding.status),
        tone=STATUS_TONES.get(deciding.status, "plain"),
        about=(name,),
        detail=", ".join(part for part in parts if part),
        checked=deciding.as_of,
    )
