"""How much of what ClinicalTrials.gov holds of results our records can say: `python -m tests.support.registry_fit`.

Each row counts, over the studies with results that lie beside the project (`../shared/data`), the values of one kind
and those for which our models take what the registry says. Nothing is stored, and nothing is guessed: a value whose
meaning would have to be decided (`1,553`) is kept as a comment, with a reason for the absent number.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from app.models.registries import registry_number
from app.models.result_arms import ResultArm
from app.models.rules import broken_rules
from app.models.studies import StudyRecord
from app.models.study_results import StudyResultRecord

STUDIES = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "ctgov" / "studies_with_results_dev.jsonl.gz"
Values = dict[str, Any]
DESIGNS = {
    ("RANDOMIZED", "PARALLEL"): "randomized-parallel",
    ("RANDOMIZED", "CROSSOVER"): "randomized-crossover",
    ("RANDOMIZED", "FACTORIAL"): "randomized-factorial",
    ("RANDOMIZED", "SEQUENTIAL"): "randomized-sequential",
    ("NA", "SINGLE_GROUP"): "single-arm",
    ("NON_RANDOMIZED", "PARALLEL"): "non-randomized",
    ("NON_RANDOMIZED", "FACTORIAL"): "non-randomized",
    ("NON_RANDOMIZED", "SINGLE_GROUP"): "non-randomized",
    ("NON_RANDOMIZED", None): "non-randomized",
}
"""Allocation and model in one of our words; any other pair is `missing` with a note (randomized, yet one group)."""
MASKING = {"NONE": "open-label"} | {
    word: f"{word.lower()}-blind" for word in ("SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE")
}
HYPOTHESES = {
    "SUPERIORITY": "superiority",
    "NON_INFERIORITY": "non-inferiority",
    "EQUIVALENCE": "equivalence",
    "NON_INFERIORITY_OR_EQUIVALENCE": "non-inferiority-or-equivalence",
    "NON_INFERIORITY_OR_EQUIVALENCE_LEGACY": "non-inferiority-or-equivalence",
}
CENTRES = {
    "MEAN": "mean",
    "LEAST_SQUARES_MEAN": "mean",
    "MEDIAN": "median",
    "GEOMETRIC_MEAN": "geometric_mean",
    "GEOMETRIC_LEAST_SQUARES_MEAN": "geometric_mean",
}
LIMITS = {
    "Full Range": ("min", "max"),
    "Inter-Quartile Range": ("q1", "q3"),
    "95% Confidence Interval": ("ci_low", "ci_high"),
    "90% Confidence Interval": ("ci_low", "ci_high"),
}
MEASURES = {
    "Hazard Ratio (HR)": "hazard-ratio",
    "Odds Ratio (OR)": "odds-ratio",
    "Risk Ratio (RR)": "risk-ratio",
    "Risk Difference (RD)": "risk-difference",
    "Mean Difference (Final Values)": "mean-difference",
    "Mean Difference (Net)": "mean-difference",
    "Mean Difference (Final Value)": "mean-difference",
}


class Fit:
    """The table: of each kind of value, how many there are and how many our records say; and why others are not."""

    def __init__(self) -> None:
        self.found = Counter[str]()
        self.fitting = Counter[str]()
        self.faults = Counter[tuple[str, str]]()

    def add(self, kinds: Iterator[str] | list[str], model: type[BaseModel], values: Values) -> None:
        """Count a value under each of its kinds; it fits where the model takes it and it breaks no rule."""
        fault = fault_of(model, values)
        for kind in kinds:
            self.found[kind] += 1
            self.fitting[kind] += fault is None
            if fault is not None:
                self.faults[kind, fault] += 1

    def lines(self) -> Iterator[str]:
        """The table, a line for each kind."""
        for kind, count in self.found.items():
            yield f"{kind:64} {count:7,} {self.fitting[kind]:7,}"
            for (of, fault), number in self.faults.most_common():
                if of == kind:
                    yield f"    {number:,}: {fault[:150]}"


def fault_of(model: type[BaseModel], values: Values) -> str | None:
    """Why a model does not take these values, or None; a flag for a curator is no refusal."""
    try:
        record = model.model_validate(values)
    except ValidationError as failure:
        return "; ".join(sorted({str(error["msg"]) for error in failure.errors()}))
    return next((reason.rule for rule, reason in broken_rules(record) if rule.is_refused), None)


def number(text: str | None) -> float | None:
    """A number of the registry; None for `NA`, for what could be two numbers (`1,553`) and for what is none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def arm_of(outcome: Values, group: Values, place: Values, measurement: Values, units: dict[str, str]) -> Values:
    """A measurement as an arm: its number in the field that `paramType` names, what is no number as a comment."""
    arm: Values = {"arm": group["title"], "code": group["id"], "role": None, "missing": {"role": "not-reported"}}
    arm |= {name: title for name in ("class", "category") if (title := place[name])}
    said = measurement.get("comment") or ""
    _put_value(arm, outcome, number(measurement.get("value")))
    if number(measurement.get("value")) is None:
        said = f"{measurement.get('value')}: {said}" if said else str(measurement.get("value"))
    _put_dispersion(arm, outcome, measurement)
    unit = outcome.get("typeUnitsAnalyzed")
    if unit and unit.lower() != "participants":
        arm |= {"denominator_unit": unit, "denominator": int(units[unit]) if unit in units else None}
    return arm | ({"note": said} if said else {})


def _put_value(arm: Values, outcome: Values, value: float | None) -> None:
    kind, unit = outcome.get("paramType"), outcome.get("unitOfMeasure") or "not given"
    field = CENTRES.get(kind or "")
    if value is None:
        arm["missing"] |= {field or "value": "not-reported"}
    elif field == "geometric_mean" and value < 0:
        arm |= {"value": value, "unit": unit, "note": "geometric mean on a scale of logarithms"}
    elif field is not None:
        arm |= {field: value, "adjusted": True} if "LEAST_SQUARES" in str(kind) else {field: value}
    elif kind == "COUNT_OF_PARTICIPANTS":
        arm["events"] = int(value)
    elif "percent" in unit.lower() and 0 <= value <= 100:
        arm["percent"] = value
    else:
        arm |= {"value": value, "unit": unit}


def _put_dispersion(arm: Values, outcome: Values, measurement: Values) -> None:
    kind, spread = outcome.get("dispersionType"), number(measurement.get("spread"))
    fields = {"Standard Deviation": "sd", "Standard Error": "se"}
    if spread is not None and kind in fields:
        arm[fields[kind]] = spread
    elif spread is not None:
        arm |= {"dispersion": spread, "dispersion_kind": "geometric-coefficient-of-variation"}
    low, high = LIMITS.get(kind or "", (None, None))
    for field, name in ((low, "lowerLimit"), (high, "upperLimit")):
        if field is not None and name in measurement:
            value = number(measurement[name])
            arm |= {field: value} if value is not None else {"missing": {**arm["missing"], field: "not-reported"}}
    if low == "ci_low":
        arm["ci_level"] = float(str(kind)[:2])


def kinds_of_arm(outcome: Values, measurement: Values) -> Iterator[str]:
    """The rows of the table under which a measurement counts."""
    yield "measurements, each with its group's own code and no role"
    if "Confidence" in (outcome.get("dispersionType") or "") and "lowerLimit" in measurement:
        yield f"measurements with a {outcome['dispersionType']} of their own"
    if outcome.get("paramType") == "NUMBER":
        yield "values of paramType NUMBER"
    if outcome.get("dispersionType") == "Geometric Coefficient of Variation":
        yield "measurements with a geometric coefficient of variation"
    if outcome.get("paramType") == "GEOMETRIC_MEAN" and (number(measurement.get("value")) or 0) < 0:
        yield "geometric means below 0"
    if outcome.get("typeUnitsAnalyzed"):
        yield "measurements of units other than participants"
    if measurement.get("value") == "NA":
        yield "NA, with its comment"
    elif "value" in measurement and number(measurement["value"]) is None:
        yield "values that are no plain number (1,553; 0,3139), kept as a comment"


def arms_of(outcome: Values) -> Iterator[tuple[Values, Values]]:
    """The measurements of an outcome, each with the arm that it becomes."""
    groups = {group["id"]: group for group in outcome.get("groups", [])}
    for klass in outcome.get("classes", []):
        units = {
            count["groupId"]: {denom["units"]: count["value"] for denom in [*outcome.get("denoms", [])]}
            for denom in klass.get("denoms") or outcome.get("denoms", [])
            for count in denom["counts"]
        }
        for category in klass.get("categories", []):
            place = {"class": klass.get("title"), "category": category.get("title")}
            for measurement in category.get("measurements", []):
                group = groups[measurement["groupId"]]
                yield measurement, arm_of(outcome, group, place, measurement, units.get(group["id"], {}))


def result_of(outcome: Values, arms: list[Values], analysis: Values) -> Values:
    """An analysis as a study result that names the arms it compares; without one the outcome's arms alone."""
    values: Values = {
        **{"id": "x", "study": "s", "treatment": "t", "condition": "c", "finding": "unclear"},
        "citations": [{"source": "r"}],
        "outcome_text": outcome["title"],
        "arms": arms,
    }
    if not analysis:
        return values
    codes = {arm["code"] for arm in arms}
    values["compared"] = [name for name in analysis.get("groupIds", []) if name in codes]
    values |= {"analysis_method": analysis.get("statisticalMethod"), "ci_level": number(analysis.get("ciPctValue"))}
    values["hypothesis"] = HYPOTHESES.get(analysis["nonInferiorityType"], "other")
    values["margin_text"] = analysis.get("nonInferiorityComment")
    values["ci_sides"] = (analysis.get("ciNumSides") or "").lower().replace("_", "-") or None
    _put_estimate(values, analysis)
    _put_p_value(values, analysis.get("pValue"))
    return values


def _put_estimate(values: Values, analysis: Values) -> None:
    names = {"estimate": "paramValue", "ci_low": "ciLowerLimit", "ci_high": "ciUpperLimit"}
    values |= {field: number(analysis.get(name)) for field, name in names.items()}
    values["missing"] = {
        field: "not-reported" for field, name in names.items() if name in analysis and values[field] is None
    }
    kind = analysis.get("paramType")
    values |= {"measure": MEASURES.get(kind or "", "other") if kind else None, "measure_text": kind}
    if analysis.get("dispersionType") == "STANDARD_ERROR_OF_MEAN":
        values["estimate_se"] = number(analysis.get("dispersionValue"))


def _put_p_value(values: Values, text: str | None) -> None:
    if text is None:
        return
    plain = text.strip().lstrip("<>=≤≥ ")
    value, modifier = number(plain), next((sign for sign in "<>" if text.strip().startswith(sign)), "=")
    if value is None or not 0 <= value <= 1 or (value == 0 and modifier != ">"):
        values["p_text"] = text.strip()
        values["missing"] = {**values["missing"], "p_value": "not-reported"}
    else:
        values |= {"p_value": value, "p_modifier": modifier}


def kinds_of_analysis(analysis: Values) -> Iterator[str]:
    """The rows of the table under which an analysis counts."""
    yield "analyses"
    yield f"analyses of {min(len(analysis.get('groupIds', [])), 3)} groups".replace("3 groups", "3 or more groups")
    if analysis["nonInferiorityType"].startswith(("NON_", "EQUI")):
        yield "analyses of non-inferiority or equivalence"
    if "statisticalMethod" in analysis:
        yield "analyses with a statistical method"
    if analysis.get("ciNumSides") == "ONE_SIDED":
        yield "analyses with a one-sided interval"
    if analysis.get("paramType") and analysis["paramType"] not in MEASURES:
        yield "analyses whose measure is kept in the registry's words"
    if "pValue" in analysis and number(analysis["pValue"].strip().lstrip("<>=≤≥ ")) is None:
        yield "P values that are no number, kept in the registry's words"


def study_of(study: Values) -> Values:
    """A study's record from its protocol."""
    protocol = study["protocolSection"]
    design, status = protocol.get("designModule", {}), protocol["statusModule"]
    info = design.get("designInfo", {})
    masking = info.get("maskingInfo", {})
    values: Values = {
        "id": "x",
        "title": protocol["identificationModule"]["briefTitle"],
        "sources": ["r"],
        "missing": {},
    }
    word = DESIGNS.get((info.get("allocation"), info.get("interventionModel")))
    values |= {"design": word} if word else {"missing": {"design": "not-reported"}, "note": json.dumps(info)[:8000]}
    values["blinding"] = MASKING.get(masking.get("masking", ""))
    values["blinded"] = [who.lower().replace("_", "-") for who in masking.get("whoMasked", [])]
    values |= {"status": status["overallStatus"].lower().replace("_", "-"), "why_stopped": status.get("whyStopped")}
    values["enrolment"] = design.get("enrollmentInfo", {}).get("count")
    values["sponsor"] = protocol["sponsorCollaboratorsModule"]["leadSponsor"]["name"]
    values["registry_ids"] = [{"system": system, "code": code} for system, code in numbers_of(study)]
    meshes = [
        mesh
        for name in ("conditionBrowseModule", "interventionBrowseModule")
        for mesh in study.get("derivedSection", {}).get(name, {}).get("meshes", [])
    ]
    values["index_terms"] = [
        {"system": "mesh", "code": mesh["id"], "display": mesh["term"], "assigned_by": "algorithm"} for mesh in meshes
    ]
    return values


def numbers_of(study: Values) -> Iterator[tuple[str, str]]:
    """The study's own number, its former ones, and those of other registers that we know by their form."""
    module = study["protocolSection"]["identificationModule"]
    yield from (("nct", number) for number in (module["nctId"], *module.get("nctIdAliases", [])))
    for other in module.get("secondaryIdInfos", []):
        systems = ("eudract", "ctis") if other.get("type") == "EUDRACT_NUMBER" else ("ctri", "drks", "jrct", "isrctn")
        for system in systems if other.get("type") in ("EUDRACT_NUMBER", "REGISTRY") else ():
            try:
                yield system, registry_number(system, other["id"])
                break
            except ValueError:
                continue


def kinds_of_study(study: Values) -> Iterator[str]:
    """The rows of the table under which a study counts."""
    protocol = study["protocolSection"]
    info = protocol.get("designModule", {}).get("designInfo", {})
    yield "studies, with status, enrolment, sponsor and numbers"
    if (info.get("allocation"), info.get("interventionModel")) in DESIGNS:
        yield "designs that have a word"
    else:
        yield "designs without a word, kept as a note"
    if info.get("maskingInfo", {}).get("masking") == "QUADRUPLE":
        yield "masking QUADRUPLE"
    if info.get("maskingInfo", {}).get("whoMasked"):
        yield "studies that say who was masked"
    if "whyStopped" in protocol["statusModule"]:
        yield "studies that say why they stopped"
    if protocol["identificationModule"].get("nctIdAliases"):
        yield "studies with former numbers"
    if study.get("derivedSection", {}).get("conditionBrowseModule", {}).get("meshes"):
        yield "studies with MeSH terms, marked as made by an algorithm"


def fit_of(path: Path = STUDIES) -> Fit:
    """The table over a file of studies, one JSON object a line."""
    fit = Fit()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            study = json.loads(line)
            fit.add(list(kinds_of_study(study)), StudyRecord, study_of(study))
            for outcome in study["resultsSection"].get("outcomeMeasuresModule", {}).get("outcomeMeasures", []):
                _add_outcome(fit, outcome)
    return fit


def _add_outcome(fit: Fit, outcome: Values) -> None:
    arms = []
    for measurement, arm in arms_of(outcome):
        fit.add(list(kinds_of_arm(outcome, measurement)), ResultArm, arm)
        if fault_of(ResultArm, arm) is None:
            arms.append(arm)
    if len(outcome.get("classes", [])) > 1:
        fit.add(
            ["outcomes with several classes, all arms in one record"], StudyResultRecord, result_of(outcome, arms, {})
        )
    for analysis in outcome.get("analyses", []):
        fit.add(list(kinds_of_analysis(analysis)), StudyResultRecord, result_of(outcome, arms, analysis))


if __name__ == "__main__":
    print(*fit_of(Path(sys.argv[1]) if len(sys.argv) > 1 else STUDIES).lines(), sep="\n")
