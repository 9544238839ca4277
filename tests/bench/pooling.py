"""How long pooling takes, beside PyMetaAnalysis and statsmodels: the same made-up effects, in turn, in one run.

A figure is the median of many calls in a process that has called each before. Ours is timed whole, and without the
interval of τ² for the ratios: neither of the others makes it in the call that is timed (PyMetaAnalysis on request).
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from meta_analyze import meta_analysis
from statsmodels.stats.meta_analysis import combine_effects

from app.synthesis.effects import Effect
from app.synthesis.pooling import EstimatorName, Plan, Study, pool
from app.synthesis.rows import Generic

ROUNDS = 200


def made_up(studies: int) -> list[Effect]:
    """Effects around 0.3 with differences between studies; the same ones in every run."""
    random = Random(studies)
    variances = [random.uniform(0.01, 0.3) for _ in range(studies)]
    return [Effect(random.gauss(0.3, (variance + 0.05) ** 0.5), variance) for variance in variances]


def ours(effects: list[Effect], estimator: EstimatorName, *, whole: bool = True) -> Callable[[], Any]:
    """Our own pooling, with the interval of τ² or without."""
    studies = [Study(Generic(effect.estimate, effect.variance**0.5), effect) for effect in effects]
    plan = Plan("generic", estimator=estimator)
    return lambda: pool(studies, plan, with_interval_of_tau2=whole)


def pymetaanalysis(effects: list[Effect]) -> Callable[[], Any]:
    """PyMetaAnalysis, by REML."""
    y, v = (np.array([getattr(effect, name) for effect in effects]) for name in ("estimate", "variance"))
    return lambda: meta_analysis(effect=y, variance=v, tau2_method="REML")


def statsmodels(effects: list[Effect]) -> Callable[[], Any]:
    """statsmodels, by DerSimonian and Laird."""
    y, v = (np.array([getattr(effect, name) for effect in effects]) for name in ("estimate", "variance"))
    return lambda: combine_effects(y, v, method_re="dl")


def milliseconds(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median of each, the calls taking turns, so that all of them meet the same moments of the machine."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = perf_counter()
            call()
            times[name].append(1000 * (perf_counter() - started))
    return {name: median(measured) for name, measured in times.items()}


def main() -> int:
    """Print the figures and their targets; 1 where one is missed."""
    others = f"PyMetaAnalysis {version('pymetaanalysis')}, statsmodels {version('statsmodels')}"
    print(f"Python {sys.version.split()[0]}, {others}; medians of {ROUNDS} calls in turn, in ms")
    few, many = made_up(13), made_up(1000)
    found = milliseconds(
        {
            "REML, 13 studies, with interval of τ²": ours(few, "reml"),
            "REML, 13 studies": ours(few, "reml", whole=False),
            "REML, 13 studies, PyMetaAnalysis": pymetaanalysis(few),
            "DL, 13 studies": ours(few, "dl", whole=False),
            "DL, 13 studies, statsmodels": statsmodels(few),
            "REML, 1,000 studies, with interval of τ²": ours(many, "reml"),
            "REML, 1,000 studies": ours(many, "reml", whole=False),
            "REML, 1,000 studies, PyMetaAnalysis": pymetaanalysis(many),
            "DL, 1,000 studies": ours(many, "dl", whole=False),
            "DL, 1,000 studies, statsmodels": statsmodels(many),
        }
    )
    for name, value in found.items():
        print(f"{name:42} {value:9.3f}")
    held = []
    for name, most in (("REML, 13 studies, with interval of τ²", 1), ("REML, 1,000 studies, with interval of τ²", 50)):
        held.append((f"{name}: at most {most} ms", found[name], found[name] <= most))
    for ours_is, theirs_is, least in (
        ("REML, 13 studies", "REML, 13 studies, PyMetaAnalysis", 20),
        ("DL, 13 studies", "DL, 13 studies, statsmodels", 3),
    ):
        ratio = found[theirs_is] / found[ours_is]
        held.append((f"{theirs_is}: at least {least} times ours", ratio, ratio >= least))
    for name, value, is_held in held:
        print(f"{'held  ' if is_held else 'MISSED'} {name}: {value:.3g}")
    return 0 if all(is_held for _, _, is_held in held) else 1


if __name__ == "__main__":
    sys.exit(main())
