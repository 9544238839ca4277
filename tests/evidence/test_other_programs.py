"""The same numbers as two other programs, PyMetaAnalysis and statsmodels, on made-up effects."""

from typing import Any

import numpy as np
import pytest
from meta_analyze import meta_analysis
from statsmodels.stats.meta_analysis import combine_effects

from app.evidence.statistics.effects import Effect
from app.evidence.statistics.pooling import Plan, Pooled, StudyEffect, pool
from app.evidence.statistics.study_data import Generic
from bench.pooling import made_up

SIZES = (2, 3, 13, 200)


def pooled(effects: list[Effect], **plan: Any) -> Pooled:
    studies = [StudyEffect(Generic(effect.estimate, effect.variance**0.5), effect) for effect in effects]
    return pool(studies, Plan("generic", **plan))


def arrays(effects: list[Effect]) -> tuple[Any, Any]:
    return np.array([effect.estimate for effect in effects]), np.array([effect.variance for effect in effects])


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize(("own", "theirs"), [("reml", "REML"), ("dl", "DL"), ("pm", "PM")])
def test_pymetaanalysis_says_the_same(studies: int, own: str, theirs: str) -> None:
    effects = made_up(studies)
    y, v = arrays(effects)
    found, known = pooled(effects, estimator=own), meta_analysis(effect=y, variance=v, tau2_method=theirs)
    assert found.heterogeneity.tau2 == pytest.approx(known.tau2, rel=1e-5, abs=1e-8)
    assert (found.estimate, found.se, found.ci_low, found.ci_high) == pytest.approx(
        (known.estimate, known.standard_error, known.ci_low, known.ci_high), rel=1e-6
    )


@pytest.mark.parametrize("studies", [size for size in SIZES if size > 3])  # it does not cut τ² off at 0
@pytest.mark.parametrize("interval", ["wald", "knapp-hartung"])
def test_statsmodels_says_the_same(studies: int, interval: str) -> None:
    effects = made_up(studies)
    y, v = arrays(effects)
    known = combine_effects(y, v, method_re="dl", use_t=interval == "knapp-hartung")
    found = pooled(effects, estimator="dl", interval=interval)
    common = pooled(effects, model="common-effect")
    assert found.heterogeneity.tau2 == pytest.approx(known.tau2, rel=1e-9, abs=1e-12)
    assert (found.estimate, common.estimate) == pytest.approx((known.mean_effect_re, known.mean_effect_fe), rel=1e-9)
    assert found.heterogeneity.q == pytest.approx(known.q, rel=1e-9)
    se = known.sd_eff_w_re_hksj if interval == "knapp-hartung" else known.sd_eff_w_re
    assert found.se == pytest.approx(se, rel=1e-9)
