"""Where a use is approved today: what follows from regulators' decisions, place by place, in a line each."""

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
    """What holds in one place for one use, or for several with the same answer."""

    code: str
    place: str
    status: str
    tone: Tone
    about: tuple[str, ...]
    """The conditions, by name."""
    detail: str
    """Since when, by whom, and when that was checked; for several uses, which they are."""
    checked: date | None
    """When the deciding decision was checked; None where none decides."""


def place_lines(approvals: Sequence[Record], context: PageContext) -> list[PlaceLine]:
    """What stands today, place by place; what is approved comes first.

    For one condition a line tells since when, by whom and when that was checked; for several, which they are.
    """
    lines = [
        _line(code, condition, [decision_of(approval) for approval in group], context)
        for code, condition, group in _by_place_and_condition(approvals)
    ]
    conditions = {line.about for line in lines}
    return sorted(_merge_conditions(lines) if len(conditions) > 1 else lines, key=_order)


def _merge_conditions(lines: Sequence[PlaceLine]) -> Iterator[PlaceLine]:
    """One line for each place and status, with all conditions for which it holds."""
    groups: dict[tuple[str, str], list[PlaceLine]] = {}
    for line in lines:
        groups.setdefault((line.code, line.status), []).append(line)
    for group in groups.values():
        about = tuple(sorted(name for line in group for name in line.about))
        checked = sorted(line.checked for line in group if line.checked)
        yield replace(group[0], about=about, detail=", ".join([f"for {'; '.join(about)}", *_checked_words(checked)]))


def _checked_words(days: Sequence[date]) -> list[str]:
    """When decisions were checked, between the first and the last day."""
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
