"""How long pooling takes, beside PyMetaAnalysis and statsmodels: the same made-up effects, in turn, in one run.

A figure is the median of many turns. Ours always makes the interval of τ² (Q-profile); PyMetaAnalysis makes it on
request and statsmodels not at all, so that REML is timed with it and without, and DL without.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from random import Random
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from meta_analyze import meta_analysis
from statsmodels.stats.meta_analysis import combine_effects

from app.evidence.statistics.effects import Effect
from app.evidence.statistics.pooling import EstimatorName, Plan, StudyEffect, pool
from app.evidence.statistics.study_data import Generic

ROUNDS, CALLS = 25, 20


def made_up(studies: int) -> list[Effect]:
    """Effects around 0.3 with differences between studies; the same ones in every run."""
    random = Random(studies)
    variances = [random.uniform(0.01, 0.3) for _ in range(studies)]
    return [Effect(random.gauss(0.3, (variance + 0.05) ** 0.5), variance) for variance in variances]


def ours(effects: list[Effect], estimator: EstimatorName, *, whole: bool = True) -> Callable[[], Any]:
    """Our own pooling, with the interval of τ² or without."""
    studies = [StudyEffect(Generic(effect.estimate, effect.variance**0.5), effect) for effect in effects]
    plan = Plan("generic", estimator=estimator)
    return lambda: pool(studies, plan, with_interval_of_tau2=whole)


def pymetaanalysis(effects: list[Effect], *, whole: bool = True) -> Callable[[], Any]:
    """PyMetaAnalysis by REML, with the interval of τ² or without."""
    y, v = (np.array([getattr(effect, name) for effect in effects]) for name in ("estimate", "variance"))

    def call() -> Any:
        result = meta_analysis(effect=y, variance=v, tau2_method="REML")
        return result.tau2_confidence_interval() if whole else result

    return call


def statsmodels(effects: list[Effect]) -> Callable[[], Any]:
    """statsmodels, by DerSimonian and Laird."""
    y, v = (np.array([getattr(effect, name) for effect in effects]) for name in ("estimate", "variance"))
    return lambda: combine_effects(y, v, method_re="dl")


def milliseconds(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Processor time of one call, in a few calls one after another; the median of turns that all programs take."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = process_time()
            for _ in range(CALLS):
                call()
            times[name].append(1000 * (process_time() - started) / CALLS)
    return {name: median(measured) for name, measured in times.items()}


def side_by_side(studies: int) -> dict[str, float]:
    """Every call for so many studies."""
    effects, of = made_up(studies), f"{studies:,} studies"
    return milliseconds(
        {
            f"REML with interval of τ², {of}": ours(effects, "reml"),
            f"REML with interval of τ², {of}, PyMetaAnalysis": pymetaanalysis(effects),
            f"REML, {of}": ours(effects, "reml", whole=False),
            f"REML, {of}, PyMetaAnalysis": pymetaanalysis(effects, whole=False),
            f"DL, {of}": ours(effects, "dl", whole=False),
            f"DL, {of}, statsmodels": statsmodels(effects),
        }
    )


def main() -> None:
    """Print the figures beside their targets."""
    others = f"PyMetaAnalysis {version('pymetaanalysis')}, statsmodels {version('statsmodels')}"
    print(f"Python {sys.version.split()[0]}, {others}; ms of processor time a call, medians of {ROUNDS} turns")
    found = side_by_side(13) | side_by_side(1000)
    for name, value in found.items():
        print(f"{name:58} {value:9.3f}")
    for name, most in (("REML with interval of τ², 13 studies", 1), ("REML with interval of τ², 1,000 studies", 50)):
        print(f"{'held  ' if found[name] <= most else 'MISSED'} {name}: {found[name]:.3g} ms, at most {most}")
    for name, theirs, least in (
        ("REML with interval of τ², 13 studies", "PyMetaAnalysis", 20),
        ("REML, 13 studies", "PyMetaAnalysis", 20),
        ("DL, 13 studies", "statsmodels", 3),
    ):
        ratio = found[f"{name}, {theirs}"] / found[name]
        print(f"{'held  ' if ratio >= least else 'MISSED'} {name}: {ratio:.3g} times as fast, at least {least}")


if __name__ == "__main__":
    main()
