"""Generate synthetic records, of any number, for benchmarks of the service.

Every name and every text says that it is made up. The same number always gives the same records (fixed random seed).
"""

from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random
from typing import Any

from app.models.base import Record
from app.models.claims import ClaimRecord
from app.models.conditions import ConditionRecord
from app.models.frequencies import frequency_of
from app.models.outcomes import OutcomeRecord
from app.models.side_effects import SideEffectRecord
from app.models.sources import SourceRecord
from app.models.studies import Study, StudyRecord
from app.models.study_results import StudyResultRecord
from app.models.treatments import TreatmentRecord
from app.models.warnings import WarningRecord

Values = dict[str, Any]
BATCH = 10_000
"""Records in one transaction."""
SYLLABLES = "ba de ki lo mu na pe ri so tu va ze xo fi gu".split()  # noqa: SIM905  # shorter to read
WORDS = 20_000
"""Size of the vocabulary of the texts; word frequency falls with rank (Zipf's law)."""
MOST_ENTITIES = 500
"""At most so many treatments, conditions and outcomes each."""
TERMS = 400
TODAY = "2026-11-22"


class SampleRecords:
    """Generates `count` records with valid references: entities, sources and studies first, then records about them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.random = Random(20261122)  # noqa: S311  # the same every time, and no secret
        self.words = [self._word(number) for number in range(WORDS)]
        self.weights = list(accumulate(1 / (rank + 1) for rank in range(WORDS)))
        self.entities = max(1, min(MOST_ENTITIES, count // 100))
        self.sources = max(1, count * 6 // 100)
        self.studies = max(1, count * 5 // 100)

    def batches(self) -> Iterator[tuple[Record, list[Values]]]:
        """All records in batches, in the order of their references: the first record, and the values of the others."""
        shares: list[tuple[type[Record], Callable[[int], Values], int]] = [
            (TreatmentRecord, self._treatment, self.entities),
            (ConditionRecord, self._condition, self.entities),
            (OutcomeRecord, self._outcome, self.entities),
            (SourceRecord, self._source, self.sources),
            (StudyRecord, self._study, self.studies),
            (WarningRecord, self._warning, self.count // 100),
            (ClaimRecord, self._claim, self.count * 15 // 100),
            (StudyResultRecord, self._study_result, self.count * 30 // 100),
        ]
        shares.append((SideEffectRecord, self._side_effect, max(0, self.count - sum(share for *_, share in shares))))
        for record_class, make, share in shares:
            for start in range(0, share, BATCH):
                first, *others = (make(number) for number in range(start, min(start + BATCH, share)))
                yield record_class.model_validate(first), others

    def _word(self, number: int) -> str:
        """A word of three or four syllables, unique to the number."""
        word, remaining = "", number + len(SYLLABLES) ** 2
        while remaining:
            remaining, digit = divmod(remaining, len(SYLLABLES))
            word += SYLLABLES[digit]
        return word

    def _text(self, length: int) -> str:
        """A text of `length` made-up words; `Invented` is in every text, `halfway` in every second one."""
        words = self.random.choices(self.words, cum_weights=self.weights, k=length)
        return " ".join(["Invented:", *words, *(["halfway"] if self.random.random() < 0.5 else [])])

    def _random_id(self, kind: str, count: int) -> str:
        """A random id of that kind; low numbers are the most frequent."""
        return f"made-up-{kind}-{int(count * self.random.random() ** 2)}"

    def _citations(self) -> list[Values]:
        return [{"source": self._random_id("source", self.sources), "missing": {"quote": "not-extracted"}}]

    def _treatment(self, number: int) -> Values:
        word = self.words[number + 1000]
        return {
            "id": f"made-up-treatment-{number}",
            "name": f"Made-up {word}",
            "kind": "other",
            "definition": self._text(12),
            "brand_names": [f"Invented {word}ol", f"{word}ex"],
            "synonyms": [f"imaginary {word}"],
        }

    def _condition(self, number: int) -> Values:
        words = f"{self.words[number % 40]} {self.words[number + 2000]}"
        return {"id": f"made-up-condition-{number}", "name": f"Made-up {words}", "definition": self._text(12)}

    def _outcome(self, number: int) -> Values:
        words = f"{self.words[number % 30]} {self.words[number + 3000]}"
        return {"id": f"made-up-outcome-{number}", "name": f"Made-up score of {words}", "direction": "unclear"}

    def _source(self, number: int) -> Values:
        return {
            "id": f"made-up-source-{number}",
            "kind": "web-article",
            "title": f"Made-up report {number}: {self._text(8)}",
            "authors": [f"Nobody {self.words[self.random.randrange(WORDS)]}"],
            "retrieved_on": TODAY,
        }

    def _study(self, number: int) -> Values:
        return dict(  # noqa: C408  # as its fields are written
            id=f"made-up-study-{number}",
            title=f"Made-up study {number}: {self._text(8)}",
            design="case-series",
            treatments=[self._random_id("treatment", self.entities)],
            conditions=[self._random_id("condition", self.entities)],
            sources=[self._random_id("source", self.sources)],
        )

    def _warning(self, number: int) -> Values:
        return {
            "id": f"made-up-warning-{number}",
            "treatment": self._random_id("treatment", self.entities),
            "kind": "warning",
            "jurisdiction": "US",
            "statement": self._text(25),
            "citations": self._citations(),
        }

    def _claim(self, number: int) -> Values:
        evidence = {"kind": Study.plural, "id": self._random_id("study", self.studies)}
        return {
            "id": f"made-up-claim-{number}",
            "source": self._random_id("source", self.sources),
            "quote": self._text(15),
            "kind": "background",
            "treatment": self._random_id("treatment", self.entities),
            "conditions": [self._random_id("condition", self.entities)],
            "verdict": self.random.choice(("supported", "partly-supported", "contradicted")),
            "rationale": self._text(20),
            "evidence": [evidence],
        }

    def _study_result(self, number: int) -> Values:
        size = self.random.randrange(20, 200)
        return {
            "id": f"made-up-result-{number}",
            "study": self._random_id("study", self.studies),
            "treatment": self._random_id("treatment", self.entities),
            "comparator": "placebo",
            "condition": self._random_id("condition", self.entities),
            "outcome": self._random_id("outcome", self.entities),
            "outcome_text": self._text(5),
            "arms": [
                {"arm": "made-up arm", "role": "exposed", "n": size, "events": self.random.randrange(size)},
                {"arm": "no arm at all", "role": "comparator", "n": size, "events": self.random.randrange(size)},
            ],
            "finding": self.random.choice(("favours-treatment", "not-significant", "unclear")),
            "note": self._text(10),
            "citations": self._citations(),
        }

    def _side_effect(self, number: int) -> Values:
        size = self.random.randrange(20, 500)
        rank = int(TERMS * self.random.random() ** 2)
        affected = self.random.randrange(1, size)
        percent = round(100 * affected / size, 2)
        arm = {"arm": "made-up arm", "role": "exposed", "affected": affected, "at_risk": size}
        return {
            "id": f"made-up-side-effect-{number}",
            "treatment": self._random_id("treatment", self.entities),
            "condition": self._random_id("condition", self.entities),
            "term": f"made-up {self.words[rank]} {self.words[rank % 20]}",
            "organ_class": f"made-up {self.words[rank % 12]}",
            "basis": self.random.choice(("trial", "label", "post-marketing")),
            "attribution": "observed",
            "arms": [arm],
            "frequency": frequency_of(percent),
            "affected": affected,
            "at_risk": size,
            "percent": percent,
            "citations": self._citations(),
        }
