"""Whether the greatest top of a likelihood is ever missed: `python -m bench.tops 60 1`, seconds and seed.

Made-up samples that are hard on purpose: variances over up to ten powers of ten, effects far apart. What was found is
held against the likelihood at 0 and at every tenth part more of τ² + min v. Not a test: two that are all but equal may
be taken for each other.
"""

import sys
from collections.abc import Iterator
from math import inf, log, sqrt
from random import Random
from time import monotonic

from app.evidence.statistics.estimators import maximum_likelihood, restricted_maximum_likelihood
from app.evidence.statistics.weights import Sample

STUDIES = (2, 3, 4, 5, 6, 8, 12, 20)


def sample(random: Random) -> Sample:
    """A few studies with variances from 10⁻¹⁰ to 1."""
    studies, span = random.choice(STUDIES), random.choice((1, 3, 6, 10))
    v = [10 ** random.uniform(-span, 0) for _ in range(studies)]
    apart = random.choice(((0.0,), (0.0, 0.0, 0.0, 0.1, 1.0)))
    return Sample(
        [random.gauss(0, 1) * (sqrt(one) * random.choice((0.3, 1, 1.5, 3)) + random.choice(apart)) for one in v], v
    )


def height(of: Sample, tau2: float, *, is_restricted: bool) -> float:
    """Twice the log-likelihood, up to a constant."""
    weights, total, pulls = of.fit(tau2)
    return sum(map(log, weights)) - (log(total) if is_restricted else 0) - of.q_of(pulls)


def places(of: Sample) -> Iterator[float]:
    """From 0 to the square of the effects' range and the largest variance, beyond which likelihoods only fall."""
    low, end = of.v[0], (max(of.y) - min(of.y)) ** 2 + of.v[-1]
    tau2 = 0.0
    while tau2 <= end:
        yield tau2
        tau2 = 1.1 * (tau2 + low) - low


def main() -> None:
    """Print how many samples were tried, how many have several tops, and how many of the greatest were missed."""
    random, until = Random(int(sys.argv[2])), monotonic() + float(sys.argv[1])
    tried = several = missed = 0
    while monotonic() < until:
        one, is_restricted = sample(random), random.random() < 0.5
        found = (restricted_maximum_likelihood if is_restricted else maximum_likelihood)(one)
        best = height(one, found, is_restricted=is_restricted)
        heights = [height(one, tau2, is_restricted=is_restricted) for tau2 in places(one)]
        edged = [-inf, *heights, -inf]
        tried += 1
        several += sum(edged[i] <= edged[i + 1] > edged[i + 2] for i in range(len(heights))) > 1
        missed += max(heights) > best + 1e-9 * (1 + abs(best))
    print(f"{tried:,} samples, {several:,} with several tops; {missed} of the greatest were missed")


if __name__ == "__main__":
    main()
