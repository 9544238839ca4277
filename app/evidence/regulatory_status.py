"""Whether a use was on-label on a day, read off regulators' decisions; never guessed from what is not recorded."""

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
    """One row of the ledger, as far as it bears on a day."""

    id: str
    indication: str
    jurisdiction: str
    authority: str
    status: str
    as_of: date
    """The day on which it was checked."""
    valid_from: str | None = None
    valid_to: str | None = None
    first_approval: bool = False
    never_began: bool = False
    """A negative one to which no day of beginning applies: it was never approved."""

    @property
    def is_positive(self) -> bool:
        """Whether it allows the use."""
        return self.status in POSITIVE

    def order(self) -> Period:
        """Where it stands among the others: the day of its beginning, else the one on which it was seen to hold."""
        if self.never_began:
            return exactly(date.min)
        return exactly(self.as_of) if self.valid_from is None else period(self.valid_from)

    def has_ended(self, day: date) -> Truth:
        """Whether its last day lies before that one; one without a last day goes on."""
        return False if self.valid_to is None else period(self.valid_to).before(exactly(day))


@dataclass(frozen=True)
class RegulatoryStanding:
    """What the decisions say of a day."""

    status: LabelStatus
    reason: str
    decisions: tuple[Decision, ...] = ()
    """Those that decide; where a missing date leaves it open, those that it depends on."""
    depends_on_missing_date: bool = False

    def stale_days(self, day: date) -> int | None:
        """Days from the newest check of the deciding rows to a later day, else 0; None when nothing decides."""
        if self.status == "unknown":
            return None
        return max(0, (day - max(decision.as_of for decision in self.decisions)).days)


def decision_of(approval: Mapping[str, Any]) -> Decision:
    """The decision that a record of `approvals` holds."""
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
    """What one treatment's decisions on one condition say of a jurisdiction on a day, which may be partial.

    Each indication and jurisdiction is decided by itself; for a state under Union law on that day the rows of the Union
    count beside its own. A partial day has an answer when all of its days have the same one.
    """
    asked = period(on)
    answers = [(day, _on_day(decisions, jurisdiction, day)) for day in _turning_days(decisions, jurisdiction, asked)]
    last = answers[-1][1]
    if len({answer.status for _, answer in answers}) == 1:
        found = dict.fromkeys(decision for _, answer in answers for decision in answer.decisions)
        depends = any(answer.depends_on_missing_date for _, answer in answers)
        return RegulatoryStanding(last.status, last.reason, tuple(found), depends)
    changes = [pair for pair, before in zip(answers, [None, *answers], strict=False) if _is_new(pair, before)]
    told = ", ".join(f"{answer.status} from {day}" for day, answer in changes)
    found = dict.fromkeys(decision for _, answer in answers for decision in answer.decisions)
    reason = f"{on} is not one day, and the answer changes within it: {told}. Ask for one day."
    return RegulatoryStanding("unknown", reason, tuple(found), depends_on_missing_date=True)


def _is_new(pair: tuple[date, RegulatoryStanding], before: tuple[date, RegulatoryStanding] | None) -> bool:
    return before is None or before[1].status != pair[1].status


def _turning_days(decisions: Sequence[Decision], jurisdiction: str, asked: Period) -> list[date]:
    """The first and the last of the asked days, and each between on which an answer could change."""
    turns = {asked.first, asked.last} | set(UNION_LAW.get(jurisdiction, ()))
    for decision in decisions:
        turns.add(decision.as_of)
        for text in (decision.valid_from, decision.valid_to):
            if text is not None:
                turns |= {period(text).first, period(text).last}
    after = {day + timedelta(days=1) for day in turns if day < date.max}
    return sorted(day for day in turns | after if day in asked)


def _on_day(decisions: Sequence[Decision], jurisdiction: str, day: date) -> RegulatoryStanding:
    """The answer for one whole day: a positive one wins, then an open one, then a negative one."""
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
    for decision in sorted(decisions, key=lambda one: (one.jurisdiction == UNION, one.indication, one.id)):
        groups.setdefault((decision.indication, decision.jurisdiction), []).append(decision)
    return groups


def _decided(alike: Sequence[Decision], day: date, *, later_counts: bool) -> RegulatoryStanding:
    """What the decisions of one indication and jurisdiction say of a day.

    `later_counts`: a first approval that begins later shows that there was none yet. To a member state a first approval
    by the Union shows nothing: it may have had one of its own.
    """
    deciding = [decision for decision in alike if decision.status in POSITIVE | NEGATIVE]
    stands = {decision: _stands(decision, deciding, day) for decision in deciding}
    possible = [decision for decision, truth in stands.items() if truth is not False]
    sure = [decision for decision in possible if stands[decision]]
    later = [decision for decision in deciding if later_counts and _is_first_approval_after(decision, day)]
    signs = {decision.is_positive for decision in possible}
    if len(signs) == 1 and sure:
        return _surely(sure)
    if later and True not in signs:
        words = "The first approval there came later."
        return RegulatoryStanding("off-label", f"{words} {_told(later)}", tuple(later))
    if len(signs) == 2 and len(sure) == len(possible):
        return RegulatoryStanding("unknown", f"The records contradict each other. {_told(possible)}", tuple(possible))
    if possible:
        reason = f"This depends on a date that is missing, or on the missing part of one. {_told(possible)}"
        return RegulatoryStanding("unknown", reason, tuple(possible), depends_on_missing_date=True)
    return RegulatoryStanding("unknown", f"No recorded decision decides that day. {_told(alike)}")


def _surely(sure: Sequence[Decision]) -> RegulatoryStanding:
    """The answer of decisions that all stand and say the same: the one that began last speaks."""
    newest = max((decision.order().first, decision.order().last) for decision in sure)
    rows = tuple(one for one in sure if (one.order().first, one.order().last) == newest)
    if rows[0].is_positive:
        return RegulatoryStanding("on-label", f"Approved there on that day. {_told(rows)}", rows)
    return RegulatoryStanding("off-label", f"Not approved there on that day. {_told(rows)}", rows)


def _stands(decision: Decision, deciding: Sequence[Decision], day: date) -> Truth:
    """Whether the decision had begun, had not ended, and was not overruled by one that began after it."""
    live = all_true(_has_begun(decision, deciding, day), negated(decision.has_ended(day)))
    if live is False:
        return False
    overruled = any_true(*(_overrules(other, decision, deciding, day) for other in deciding if other is not decision))
    return all_true(live, negated(overruled))


def _has_begun(decision: Decision, deciding: Sequence[Decision], day: date) -> Truth:
    """Whether the decision had begun; where nobody recorded since when, it surely had on the day of its check.

    An earlier check that found no approval ever bounds such a beginning from below.
    """
    if decision.never_began:
        return True
    if decision.valid_from is not None:
        return negated(exactly(day).before(period(decision.valid_from)))
    earlier = [one.as_of for one in deciding if one.never_began and one.as_of < decision.as_of]
    if earlier and day <= max(earlier):
        return False
    return True if day >= decision.as_of else None


def _overrules(other: Decision, decision: Decision, deciding: Sequence[Decision], day: date) -> Truth:
    """Whether `other` takes the place of `decision`: it began later and says the opposite.

    After something else has come and gone, a negative decision speaks again only if it was checked after that.
    """
    has_ended = other.has_ended(day)
    gone = (
        all_true(has_ended, not decision.is_positive, negated(period(other.valid_to).before(exactly(decision.as_of))))
        if other.valid_to is not None
        else False
    )
    opposes = all_true(other.is_positive != decision.is_positive, negated(has_ended))
    return all_true(_has_begun(other, deciding, day), _came_later(other, decision), any_true(opposes, gone))


def _came_later(other: Decision, decision: Decision) -> Truth:
    """Whether `other` began after `decision`; after one that nothing began, only if its own check is not the older."""
    if not decision.never_began:
        return decision.order().before(other.order())
    return any_true(other.as_of >= decision.as_of, exactly(decision.as_of).before(other.order()))


def _is_first_approval_after(decision: Decision, day: date) -> bool:
    if not (decision.is_positive and decision.first_approval and decision.valid_from is not None):
        return False
    return exactly(day).before(period(decision.valid_from)) is True


def _told(decisions: Iterable[Decision]) -> str:
    return " ".join(_sentences(decisions))


def _sentences(decisions: Iterable[Decision]) -> Iterator[str]:
    """Each decision in plain words: who, where, what, since when, until when, when it was checked."""
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
