"""Records in the words of schema.org (health-lifesci), as JSON-LD: what search engines and other programs read.

Only what the record supports: a value that is absent is left out, never guessed. A node is a dictionary whose absent
values are taken away at the end, in `document`. Vocabulary: https://schema.org/docs/meddocs.html.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from app import LICENCE
from app.formats.citations import Author, reference_of
from app.formats.claim_review import NAME, WORKS
from app.models.base import Row
from app.models.conditions import Condition
from app.models.sources import Source
from app.models.studies import Study
from app.models.treatments import Treatment

Node = dict[str, Any]
Included = Mapping[str, Mapping[str, Node]]
SCHEMA = "https://schema.org"
THERAPIES = {
    "drug": "Drug",
    "biologic": "Drug",
    "device": "MedicalDevice",
    "procedure": "TherapeuticProcedure",
    "psychological": "PsychologicalTreatment",
    "supplement": "DietarySupplement",
}
"""What schema.org calls a kind of treatment; whatever else a treatment may be is a MedicalTherapy."""
PURPOSES = {"prevention": "PreventionIndication", "treatment": "TreatmentIndication"}
SCHEDULES = {
    "label": "RecommendedDoseSchedule",
    "guideline": "RecommendedDoseSchedule",
    "trial": "ReportedDoseSchedule",
}
OBSERVED = {"cohort": "CohortStudy", "case-series": "CaseSeries", "case-control": "Observational"}
BLINDED = {
    "open-label": "OpenTrial",
    "single-blind": "SingleBlindedTrial",
    "double-blind": "DoubleBlindedTrial",
    "triple-blind": "TripleBlindedTrial",
}
UNITS = {"h": "hour", "d": "day", "wk": "week", "mo": "month", "a": "year"}


def json_ld(node: Node) -> str:
    """A node as a JSON-LD document; `<` is escaped, for a page may put it between script tags."""
    return to_json(said({"@context": SCHEMA} | node)).decode().replace("<", "\\u003c")


def said(node: Node) -> Node:
    """The node without what is absent, at any depth."""
    return {name: _said(value) for name, value in node.items() if value not in (None, [], "", {})}


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return said(value)
    return [_said(one) for one in value] if isinstance(value, list) else value


def included_record(included: Included, row: type[Row], record_id: str | None) -> Node | None:
    """The record of that resource and id, where it is included."""
    return included.get(row.plural, {}).get(record_id or "")


def treatment_node(treatment: Mapping[str, Any], included: Included, page: str) -> Node:
    """A treatment: a Drug with its names and mechanism, or the kind of therapy that it is."""
    kind = THERAPIES.get(treatment["kind"], "MedicalTherapy")
    node: Node = {
        "@type": kind,
        "@id": page,
        "url": page,
        "name": treatment["name"],
        "alternateName": treatment["synonyms"],
        "description": treatment["definition"],
        "code": [_code(code) for code in treatment["codes"]],
    }
    if kind in ("Drug", "DietarySupplement"):
        node |= {
            "nonProprietaryName": treatment["generic_names"],
            "proprietaryName": treatment["brand_names"],
            "mechanismOfAction": treatment["mechanism"],
        }
    if kind == "Drug":
        unit, above = treatment["dose_unit"], included_record(included, Treatment, treatment["part_of"])
        node |= {
            "administrationRoute": treatment["routes"],
            "drugUnit": unit and unit["label"],
            "drugClass": above and {"@type": "DrugClass", "name": above["name"]},
        }
    return node


def condition_node(condition: Mapping[str, Any], page: str) -> Node:
    """A condition."""
    return {
        "@type": "MedicalCondition",
        "@id": page,
        "url": page,
        "name": condition["name"],
        "alternateName": condition["synonyms"],
        "description": condition["definition"],
        "code": [_code(code) for code in condition["codes"]],
    }


def indication_node(indication: Mapping[str, Any], included: Included, page: str) -> Node:
    """A treatment for a condition. That it is approved is no property of this record: see `approved`."""
    treatment = included_record(included, Treatment, indication["treatment"])
    condition = included_record(included, Condition, indication["condition"])
    names = [one["name"] for one in (treatment, condition) if one]
    return {
        "@type": PURPOSES.get(indication["purpose"] or "", "MedicalIndication"),
        "@id": page,
        "url": page,
        "name": " for ".join(names),
        "description": indication["population"],
    }


def approved(node: Node, approvals: Sequence[Mapping[str, Any]]) -> Node:
    """The indication as an ApprovedIndication, with who approved it and where; as it was where nobody did."""
    standing = [approval for approval in approvals if approval["status"] in ("approved", "conditional")]
    if not standing:
        return node
    authorities = dict.fromkeys(one["authority"] for one in standing if one["authority"])
    places = dict.fromkeys((one["jurisdiction"], one["status"]) for one in standing)
    return node | {
        "@type": ["ApprovedIndication", node["@type"]],
        "recognizingAuthority": [{"@type": "Organization", "name": name} for name in authorities],
        "legalStatus": [
            {
                "@type": "DrugLegalStatus",
                "name": status,
                "applicableLocation": {"@type": "AdministrativeArea", "name": place},
            }
            for place, status in places
        ],
    }


def schedule_node(dosing: Mapping[str, Any], unit: str | None) -> Node:
    """A dose and how often it is given; a range has no number of its own, so that none is given for it."""
    exact = dosing["dose_min"] is not None and dosing["dose_min"] == dosing["dose_max"]
    return {
        "@type": SCHEDULES.get(dosing["basis"], "DoseSchedule"),
        "doseValue": dosing["dose_min"] if exact else None,
        "doseUnit": (unit or dosing["dose_unit"]) if exact else None,
        "frequency": frequency(dosing),
        "targetPopulation": dosing["population"],
    }


def telling(nodes: Iterable[Node]) -> list[Node]:
    """Those that say more than their type, each once: ranges and free words have no property here."""
    found: list[Node] = []
    for node in nodes:
        if node not in found and any(value for name, value in node.items() if name != "@type"):
            found.append(node)
    return found


def frequency(dosing: Mapping[str, Any]) -> str | None:
    """How often, in words: `every 12 weeks`, `every 12 to 16 weeks`, `no sooner than every 12 weeks`."""
    low, high, unit = dosing["interval_min"], dosing["interval_max"], dosing["interval_unit"]
    if unit is None or (low is None and high is None):
        return None
    if low is None or high is None:
        told = "no sooner than every" if high is None else "at most every"
        return f"{told} {_amount(low if high is None else high, unit)}"
    return f"every {_amount(low, unit)}" if low == high else f"every {low:g} to {_amount(high, unit)}"


def _amount(value: float, unit: str) -> str:
    return f"{value:g} {UNITS[unit]}" + ("" if value == 1 else "s")


def study_node(study: Mapping[str, Any], included: Included, page: str) -> Node:
    """A study: a trial with its design, an observational study with its own, or neither."""
    design, blinding = study["design"] or "", study["blinding"]
    node: Node = {"@type": "MedicalStudy", "@id": page, "url": page, "name": study["title"]}
    node["alternateName"] = study["acronym"]
    node["code"] = [_code(code) for code in study["registry_ids"]]
    subjects = [included_record(included, Treatment, name) for name in study["treatments"]]
    node["studySubject"] = [treatment_node(subject, {}, "") for subject in subjects if subject]
    conditions = [included_record(included, Condition, name) for name in study["conditions"]]
    node["healthCondition"] = [
        {"@type": "MedicalCondition", "name": condition["name"]} for condition in conditions if condition
    ]
    node["studyLocation"] = [{"@type": "AdministrativeArea", "name": place} for place in study["countries"]]
    if design.startswith(("randomized", "non-randomized", "single-arm")):
        words = (["RandomizedTrial"] if design.startswith("randomized") else []) + [BLINDED.get(blinding or "", "")]
        designs = [f"{SCHEMA}/{word}" for word in words if word]
        node |= {"@type": "MedicalTrial", "trialDesign": designs}
    elif design in OBSERVED:
        node |= {"@type": "MedicalObservationalStudy", "studyDesign": f"{SCHEMA}/{OBSERVED[design]}"}
    return node


def result_node(result: Mapping[str, Any], included: Included, page: str) -> Node:
    """What a study found: the study, described by the outcome, its time and the finding."""
    study = included_record(included, Study, result["study"])
    when = f", {result['time_frame_text']}" if result["time_frame_text"] else ""
    told = f"{result['outcome_text']}{when}: {result['finding'].replace('-', ' ')}."
    node = study_node(study, included, page) if study else {"@type": "MedicalStudy", "@id": page, "url": page}
    return node | {"description": told}


def source_node(source: Mapping[str, Any], page: str) -> Node:
    """A source: a scholarly article in its periodical, an article, or another work."""
    one = reference_of(source)
    doi = one.doi and f"https://doi.org/{one.doi}"
    whole = {"@type": "Periodical" if one.is_article else "CreativeWork", "name": one.container}
    node: Node = {
        "@type": WORKS.get(source["kind"], "CreativeWork"),
        "@id": page,
        "name": source["title"],
        "url": source["url"] or doi or page,
        "sameAs": doi,
        "author": [{"@type": "Person", "name": _full(author)} for author in one.authors],
        "datePublished": source["issued"],
        "isPartOf": whole if one.container else None,
        "identifier": [
            {"@type": "PropertyValue", "propertyID": name, "value": value}
            for name, value in (("doi", one.doi), ("pmid", one.pmid), ("pmcid", one.pmcid), ("nct", source["nct"]))
            if value
        ],
    }
    if node["@type"] != "CreativeWork":
        node["pagination"] = one.pages
    return node


def dataset_node(
    description: str, *, public_url: str, version: str, day: str | None, downloads: Mapping[str, str]
) -> Node:
    """The whole dataset, for its landing page; `downloads` are the addresses of its parts by their names."""
    us = {"@type": "Organization", "name": NAME, "url": public_url}
    return {
        "@type": "Dataset",
        "@id": f"{public_url}/",
        "url": f"{public_url}/",
        "name": f"{NAME} dataset",
        "description": description,
        "license": LICENCE,
        "creator": us,
        "publisher": us,
        "version": version,
        "dateModified": day,
        "isAccessibleForFree": True,
        "distribution": [
            {"@type": "DataDownload", "name": name, "encodingFormat": "application/x-ndjson", "contentUrl": address}
            for name, address in downloads.items()
        ],
    }


def synthesis_node(
    page: str,
    *,
    name: str,
    words: str,
    content: Mapping[str, Any],
    included: Included,
    public_url: str,
    day: str | None,
    downloads: Mapping[str, str],
) -> Node:
    """A synthesis: a Dataset of what was pooled from which records, since schema.org has no type of its own for it.

    `words` are its answer with the interval; `downloads` are the addresses of its forms by their media types.
    """
    us = {"@type": "Organization", "name": NAME, "url": public_url}
    asked, results = content["question"], content["results"]
    cited = dict.fromkeys(citation["source"] for result in results for citation in result["citations"])
    about = [included_record(included, row, one) for row, ids in _subjects(asked) for one in ids]
    return {
        "@type": "Dataset",
        "@id": page,
        "url": page,
        "name": name,
        "description": words,
        "license": LICENCE,
        "creator": us,
        "publisher": us,
        "version": content["release"],
        "dateModified": day,
        "isAccessibleForFree": True,
        "about": [_subject(one) for one in about if one],
        "variableMeasured": asked["measure"].replace("-", " "),
        "measurementTechnique": f"{asked['model'].replace('-', ' ')} meta-analysis" if content["pooled"] else None,
        "isBasedOn": [one["url"] for one in results],
        "citation": [
            source_node(source, f"{public_url}/{Source.plural}/{one}")
            for one in cited
            if (source := included_record(included, Source, one))
        ],
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": media_type, "contentUrl": address}
            for media_type, address in downloads.items()
        ],
    }


def _subjects(asked: Mapping[str, Any]) -> Iterator[tuple[type[Row], list[str]]]:
    yield Treatment, asked["treatment"]
    yield Condition, [asked["condition"]]


def _subject(record: Mapping[str, Any]) -> Node:
    """A treatment or condition by its name alone."""
    kind = THERAPIES.get(record["kind"], "MedicalTherapy") if "kind" in record else "MedicalCondition"
    return {"@type": kind, "name": record["name"]}


def _code(code: Mapping[str, Any]) -> Node:
    return {
        "@type": "MedicalCode",
        "codingSystem": code["system"],
        "codeValue": code["code"],
        "name": code["display"],
    }


def _full(author: Author) -> str:
    return " ".join(part for part in (author.family, author.given) if part)
