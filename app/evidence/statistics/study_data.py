"""The input data of one study: six shapes of numbers, each with its validation."""

from collections.abc import Iterator
from dataclasses import dataclass

Fault = tuple[str, str]
"""The name of a field, and the message of what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """People with the event in two arms; arm 1 is the treatment, arm 2 the comparator."""

    events1: int
    n1: int
    events2: int
    n2: int

    def faults(self) -> Iterator[Fault]:
        """The validation errors of these numbers."""
        yield from _events_of("1", self.events1, self.n1)
        yield from _events_of("2", self.events2, self.n2)


@dataclass(frozen=True, slots=True)
class Means:
    """Means, standard deviations and people of two arms."""

    mean1: float
    sd1: float
    n1: int
    mean2: float
    sd2: float
    n2: int

    def faults(self) -> Iterator[Fault]:
        """The validation errors of these numbers."""
        for arm, sd, n in (("1", self.sd1, self.n1), ("2", self.sd2, self.n2)):
            if sd < 0:
                yield f"sd{arm}", "a standard deviation is not negative"
            if n < 1:
                yield f"n{arm}", "an arm has at least one person"
        if self.sd1 == 0 == self.sd2:
            yield "sd1", "both standard deviations are 0, so that the effect would have no error at all"


@dataclass(frozen=True, slots=True)
class Rates:
    """Events and person-time of two arms; one person may have several events."""

    events1: int
    time1: float
    events2: int
    time2: float

    def faults(self) -> Iterator[Fault]:
        """The validation errors of these numbers."""
        for arm, events, time in (("1", self.events1, self.time1), ("2", self.events2, self.time2)):
            if events < 0:
                yield f"events{arm}", "a number of events is not negative"
            if time <= 0:
                yield f"time{arm}", "person-time is more than 0"


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation coefficient among n people."""

    r: float
    n: int

    def faults(self) -> Iterator[Fault]:
        """The validation errors of these numbers."""
        if not -1 < self.r < 1:
            yield "r", "a correlation lies between -1 and 1; at the ends Fisher's z is infinite"
        if self.n < 4:
            yield "n", "Fisher's z needs at least 4 people: its variance is 1/(n − 3)"


@dataclass(frozen=True, slots=True)
class Proportion:
    """People with the event in one group."""

    events: int
    n: int

    def faults(self) -> Iterator[Fault]:
        """The validation errors of these numbers."""
        yield from _events_of("", self.events, self.n)


@dataclass(frozen=True, slots=True)
class Generic:
    """A published effect and its standard error, on the scale of the analysis."""

    estimate: float
    se: float

    def faults(self) -> Iterator[Fault]:
        """The validation errors of these numbers."""
        if self.se <= 0:
            yield "se", "a standard error is more than 0"


Row = Counts | Means | Rates | Correlation | Proportion | Generic


def _events_of(arm: str, events: int, n: int) -> Iterator[Fault]:
    if n < 1:
        yield f"n{arm}", "a group has at least one person"
    elif events < 0:
        yield f"events{arm}", "a number of people is not negative"
    elif events > n:
        yield f"events{arm}", f"{events} people with the event are more than the {n} in the group"
