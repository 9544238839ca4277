"""Regulatory status: on-label or off-label on a day, by the recorded decisions of regulators; otherwise unknown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from app.models.jurisdictions import UNION, UNION_LAW, under_union_law
from app.models.partial_dates import Period, Truth, all_true, any_true, exactly, negated, period

LabelStatus = Literal["on-label", "off-label", "unknown"]
POSITIVE = frozenset({"approved", "conditional"})
NEGATIVE = frozenset({"suspended", "withdrawn", "expired", "refused", "not-approved", "never-submitted"})


@dataclass(frozen=True)
class Decision:
    """A decision of a regulator: the fields of an approval record that determine the status on a day."""

    id: str
    indication: str
    jurisdiction: str
    authority: str
    status: str
    as_of: date
    """The day on which the record was last checked."""
    valid_from: str | None = None
    valid_to: str | None = None
    first_approval: bool = False
    never_began: bool = False
    """A negative decision without a first day: the use was never approved."""

    @property
    def is_positive(self) -> bool:
        """Whether the decision allows the use."""
        return self.status in POSITIVE

    def order(self) -> Period:
        """The position in time: the first day of validity, else the day of the check; `date.min` if never approved."""
        if self.never_began:
            return exactly(date.min)
        return exactly(self.as_of) if self.valid_from is None else period(self.valid_from)

    def has_ended(self, day: date) -> Truth:
        """Whether the last day of validity is before this day; False without one, None where a date is too partial."""
        return False if self.valid_to is None else period(self.valid_to).before(exactly(day))


@dataclass(frozen=True)
class RegulatoryStanding:
    """The regulatory status on a day, with the reason and the decisions behind it."""

    status: LabelStatus
    reason: str
    decisions: tuple[Decision, ...] = ()
    """The deciding rows; where a missing date leaves the status open, the rows that it depends on."""
    depends_on_missing_date: bool = False

    def stale_days(self, day: date) -> int | None:
        """Days from the newest check of the deciding rows to this day, at least 0; None for an unknown status."""
        if self.status == "unknown":
            return None
        return max(0, (day - max(decision.as_of for decision in self.decisions)).days)


def decision_of(approval: Mapping[str, Any]) -> Decision:
    """The decision of a record of `approvals`."""
    missing = approval["missing"].get("valid_from")
    return Decision(
        id=approval["id"],
        indication=approval["indication"],
        jurisdiction=approval["jurisdiction"],
        authority=approval["authority"] or "the regulator",
        status=approval["status"],
        as_of=date.fromisoformat(approval["as_of"]),
        valid_from=approval["valid_from"],
        valid_to=approval["valid_to"],
        first_approval=bool(approval["first_approval"]),
        never_began=approval["status"] in NEGATIVE and approval["valid_from"] is None and missing == "not-applicable",
    )


def standing(decisions: Sequence[Decision], jurisdiction: str, on: str) -> RegulatoryStanding:
    """The status of one treatment for one condition in a jurisdiction on a day; `on` may be a partial date.

    Each indication and jurisdiction is decided separately; for a state under Union law on that day, the decisions of
    the Union apply in addition to its own. A partial date has a status when all of its days have the same one.
    """
    days = _turning_days(decisions, jurisdiction, period(on))
    answers = [(day, _on_day(decisions, jurisdiction, day)) for day in days]
    last = answers[-1][1]
    if len({answer.status for _, answer in answers}) == 1:
        found = dict.fromkeys(decision for _, answer in answers for decision in answer.decisions)
        depends = any(answer.depends_on_missing_date for _, answer in answers)
        return RegulatoryStanding(last.status, last.reason, tuple(found), depends)
    changes = [pair for pair, before in zip(answers, [None, *answers], strict=False) if _is_new(pair, before)]
    statuses = ", ".join(f"{answer.status} from {day}" for day, answer in changes)
    found = dict.fromkeys(decision for _, answer in answers for decision in answer.decisions)
    reason = f"{on} is not one day, and the answer changes within it: {statuses}. Ask for one day."
    return RegulatoryStanding("unknown", reason, tuple(found), depends_on_missing_date=True)


def _is_new(pair: tuple[date, RegulatoryStanding], before: tuple[date, RegulatoryStanding] | None) -> bool:
    return before is None or before[1].status != pair[1].status


def _turning_days(decisions: Sequence[Decision], jurisdiction: str, span: Period) -> list[date]:
    """The first and the last day of the span, and each day between on which the status could change, ascending."""
    turns = {span.first, span.last} | set(UNION_LAW.get(jurisdiction, ()))
    for decision in decisions:
        turns.add(decision.as_of)
        for text in (decision.valid_from, decision.valid_to):
            if text is not None:
                turns |= {period(text).first, period(text).last}
    after = {day + timedelta(days=1) for day in turns if day < date.max}
    return sorted(day for day in turns | after if day in span)


def _on_day(decisions: Sequence[Decision], jurisdiction: str, day: date) -> RegulatoryStanding:
    """The status on one whole day: on-label wins, then one that depends on a missing date, then off-label."""
    found: list[RegulatoryStanding] = []
    for (_, place), alike in _grouped(decisions).items():
        if place == jurisdiction:
            found.append(_decided(alike, day, later_counts=True))
        elif place == UNION and under_union_law(jurisdiction, day):
            found.append(_decided(alike, day, later_counts=False))
    if not found:
        return RegulatoryStanding(
            "unknown", f"No decision on this use is recorded for {jurisdiction}: nothing follows for the day."
        )
    chosen = [answer for answer in found if answer.status == "on-label"]
    chosen = chosen or [answer for answer in found if answer.depends_on_missing_date]
    chosen = chosen or [answer for answer in found if answer.status == "off-label"] or found
    reasons = " ".join(dict.fromkeys(answer.reason for answer in chosen))
    rows = tuple(dict.fromkeys(decision for answer in chosen for decision in answer.decisions))
    answer = RegulatoryStanding(chosen[0].status, reasons, rows, chosen[0].depends_on_missing_date)
    days = answer.stale_days(day)
    if not days:
        return answer
    return RegulatoryStanding(answer.status, f"{reasons} The last check is {days} days older than the day.", rows)


def _grouped(decisions: Iterable[Decision]) -> dict[tuple[str, str], list[Decision]]:
    groups: dict[tuple[str, str], list[Decision]] = {}
    for decision in sorted(decisions, key=lambda row: (row.jurisdiction == UNION, row.indication, row.id)):
        groups.setdefault((decision.indication, decision.jurisdiction), []).append(decision)
    return groups


def _decided(alike: Sequence[Decision], day: date, *, later_counts: bool) -> RegulatoryStanding:
    """The status on a day by the decisions of one indication and jurisdiction.

    `later_counts`: a later first approval proves that there was none before. For a member state, a first approval by
    the Union proves nothing, because the state may have had an approval of its own.
    """
    deciding = [decision for decision in alike if decision.status in POSITIVE | NEGATIVE]
    in_force = {decision: _is_in_force(decision, deciding, day) for decision in deciding}
    possible = [decision for decision, truth in in_force.items() if truth is not False]
    sure = [decision for decision in possible if in_force[decision]]
    later = [decision for decision in deciding if later_counts and _is_first_approval_after(decision, day)]
    signs = {decision.is_positive for decision in possible}
    if len(signs) == 1 and sure:
        return _status_of(sure)
    if later and True not in signs:
        reason = f"The first approval there came later. {_text_of(later)}"
        return RegulatoryStanding("off-label", reason, tuple(later))
    if len(signs) == 2 and len(sure) == len(possible):
        return RegulatoryStanding(
            "unknown", f"The records contradict each other. {_text_of(possible)}", tuple(possible)
        )
    if possible:
        reason = f"This depends on a date that is missing, or on the missing part of one. {_text_of(possible)}"
        return RegulatoryStanding("unknown", reason, tuple(possible), depends_on_missing_date=True)
    return RegulatoryStanding("unknown", f"No recorded decision decides that day. {_text_of(alike)}")


def _status_of(sure: Sequence[Decision]) -> RegulatoryStanding:
    """The status by decisions that are all in force and agree: the latest of them decides."""
    newest = max((decision.order().first, decision.order().last) for decision in sure)
    rows = tuple(decision for decision in sure if (decision.order().first, decision.order().last) == newest)
    if rows[0].is_positive:
        return RegulatoryStanding("on-label", f"Approved there on that day. {_text_of(rows)}", rows)
    return RegulatoryStanding("off-label", f"Not approved there on that day. {_text_of(rows)}", rows)


def _is_in_force(decision: Decision, deciding: Sequence[Decision], day: date) -> Truth:
    """Whether the decision had begun, had not ended, and was not superseded by a later one."""
    is_valid = all_true(_has_begun(decision, deciding, day), negated(decision.has_ended(day)))
    if is_valid is False:
        return False
    superseded = any_true(*(_supersedes(other, decision, deciding, day) for other in deciding if other is not decision))
    return all_true(is_valid, negated(superseded))


def _has_begun(decision: Decision, deciding: Sequence[Decision], day: date) -> Truth:
    """Whether the decision had begun; without a recorded first day, True from the day of its check and unknown before.

    An earlier check that found the use never approved is a lower bound for such a first day.
    """
    if decision.never_began:
        return True
    if decision.valid_from is not None:
        return negated(exactly(day).before(period(decision.valid_from)))
    earlier = [other.as_of for other in deciding if other.never_began and other.as_of < decision.as_of]
    if earlier and day <= max(earlier):
        return False
    return True if day >= decision.as_of else None


def _supersedes(other: Decision, decision: Decision, deciding: Sequence[Decision], day: date) -> Truth:
    """Whether `other` supersedes `decision`: it began later and says the opposite.

    After another decision has begun and ended, an earlier negative one is in force again only if it was checked since.
    """
    has_ended = other.has_ended(day)
    ended_unchecked = (
        all_true(has_ended, not decision.is_positive, negated(period(other.valid_to).before(exactly(decision.as_of))))
        if other.valid_to is not None
        else False
    )
    opposes = all_true(other.is_positive != decision.is_positive, negated(has_ended))
    return all_true(_has_begun(other, deciding, day), _came_later(other, decision), any_true(opposes, ended_unchecked))


def _came_later(other: Decision, decision: Decision) -> Truth:
    """Whether `other` began after `decision`; if that was never approved, whether it began or was checked later."""
    if not decision.never_began:
        return decision.order().before(other.order())
    return any_true(other.as_of >= decision.as_of, exactly(decision.as_of).before(other.order()))


def _is_first_approval_after(decision: Decision, day: date) -> bool:
    if not (decision.is_positive and decision.first_approval and decision.valid_from is not None):
        return False
    return exactly(day).before(period(decision.valid_from)) is True


def _text_of(decisions: Iterable[Decision]) -> str:
    return " ".join(_sentences(decisions))


def _sentences(decisions: Iterable[Decision]) -> Iterator[str]:
    """Each decision as a sentence: authority, jurisdiction, status, first day, last day, day of the check."""
    for decision in decisions:
        since = "" if decision.never_began else f" since {_date_in_words(decision.valid_from)}"
        until = "" if decision.valid_to is None else f" until {_date_in_words(decision.valid_to)}"
        checked = f"checked on {decision.as_of}"
        yield f"{decision.authority} ({decision.jurisdiction}): {decision.status}{since}{until}, {checked}."


def _date_in_words(text: str | None) -> str:
    if text is None:
        return "a day that nobody recorded"
    lacks = {4: " (month and day are missing)", 7: " (the day is missing)"}
    return text + lacks.get(len(text), "")
