"""Records as schema.org JSON-LD (health-lifesci vocabulary), for search engines and other programs.

Only what the record supports: a value that is absent is left out, never guessed. A node is a dictionary; `json_ld`
removes its absent values. Vocabulary: https://schema.org/docs/meddocs.html.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app import LICENCE
from app.formats.citations import Author, reference_of
from app.formats.claim_review import NAME, WORKS
from app.json_codec import to_json
from app.models.base import Row
from app.models.conditions import Condition
from app.models.dose_sentences import UNITS, timing_words
from app.models.effects import is_controlled
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
"""schema.org types of treatment kinds; any other kind is a MedicalTherapy."""
PURPOSES = {"prevention": "PreventionIndication", "treatment": "TreatmentIndication"}
SCHEDULES = {
    "label": "RecommendedDoseSchedule",
    "guideline": "RecommendedDoseSchedule",
    "trial": "ReportedDoseSchedule",
}
OBSERVED = {
    "cohort": "CohortStudy",
    "case-series": "CaseSeries",
    "case-control": "Observational",
    "cross-sectional": "CrossSectional",
}
BLINDED = {
    "open-label": "OpenTrial",
    "single-blind": "SingleBlindedTrial",
    "double-blind": "DoubleBlindedTrial",
    "triple-blind": "TripleBlindedTrial",
}


def json_ld(node: Node) -> str:
    """Serialise a node as a JSON-LD document; `<` is escaped, because a page may put it between script tags."""
    return to_json(without_absent({"@context": SCHEMA} | node)).decode().replace("<", "\\u003c")


def without_absent(node: Node) -> Node:
    """The node without nulls, empty strings, lists and objects, at any depth."""
    return {name: _value_without_absent(value) for name, value in node.items() if value not in (None, [], "", {})}


def _value_without_absent(value: Any) -> Any:
    if isinstance(value, dict):
        return without_absent(value)
    return [_value_without_absent(entry) for entry in value] if isinstance(value, list) else value


def included_record(included: Included, row: type[Row], record_id: str | None) -> Node | None:
    """The included record of that resource and id, or None."""
    return included.get(row.plural, {}).get(record_id or "")


def treatment_node(treatment: Mapping[str, Any], included: Included, page: str) -> Node:
    """A treatment as a Drug with names and mechanism, or as another type of therapy."""
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
    """A condition as a MedicalCondition."""
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
    """An indication as a MedicalIndication or its subtype by purpose; `approved` adds the approvals."""
    treatment = included_record(included, Treatment, indication["treatment"])
    condition = included_record(included, Condition, indication["condition"])
    names = [record["name"] for record in (treatment, condition) if record]
    return {
        "@type": PURPOSES.get(indication["purpose"] or "", "MedicalIndication"),
        "@id": page,
        "url": page,
        "name": " for ".join(names),
        "description": indication["population"],
    }


def approved(node: Node, approvals: Sequence[Mapping[str, Any]]) -> Node:
    """The node as an ApprovedIndication with authorities and jurisdictions; unchanged where nothing is approved."""
    granted = [approval for approval in approvals if approval["status"] in ("approved", "conditional")]
    if not granted:
        return node
    authorities = dict.fromkeys(approval["authority"] for approval in granted if approval["authority"])
    places = dict.fromkeys((approval["jurisdiction"], approval["status"]) for approval in granted)
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
    """A dosing interval as a DoseSchedule; a dose range has no `doseValue`, which is a single number."""
    exact = dosing["dose_min"] is not None and dosing["dose_min"] == dosing["dose_max"]
    return {
        "@type": SCHEDULES.get(dosing["basis"], "DoseSchedule"),
        "doseValue": dosing["dose_min"] if exact else None,
        "doseUnit": (unit or dosing["dose_unit"]) if exact else None,
        "frequency": frequency(dosing),
        "targetPopulation": dosing["population"],
    }


def informative_nodes(nodes: Iterable[Node]) -> list[Node]:
    """The nodes with a property beside `@type`, without duplicates; dose ranges and free text have no property."""
    found: list[Node] = []
    for node in nodes:
        if node not in found and any(value for name, value in node.items() if name != "@type"):
            found.append(node)
    return found


def frequency(dosing: Mapping[str, Any]) -> str | None:
    """A dosing interval as text: `every 12 weeks`, `every 12 to 16 weeks`, `no sooner than every 12 weeks`;
    or times in a period: `twice a day`.
    """
    if dosing.get("period_unit") is not None:
        return timing_words(dosing) or None
    low, high, unit = dosing["interval_min"], dosing["interval_max"], dosing["interval_unit"]
    if unit is None or (low is None and high is None):
        return None
    if low is None or high is None:
        qualifier = "no sooner than every" if high is None else "at most every"
        return f"{qualifier} {_amount(low if high is None else high, unit)}"
    return f"every {_amount(low, unit)}" if low == high else f"every {low:g} to {_amount(high, unit)}"


def _amount(value: float, unit: str) -> str:
    return f"{value:g} {UNITS[unit]}" + ("" if value == 1 else "s")


def study_node(study: Mapping[str, Any], included: Included, page: str) -> Node:
    """A study as a MedicalTrial or MedicalObservationalStudy with its design, else as a MedicalStudy."""
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
    if design.startswith(("randomized", "non-randomized", "single-arm", "sequential", "single-patient")):
        design_types = (["RandomizedTrial"] if design.startswith("randomized") else []) + [
            BLINDED.get(blinding or "", "")
        ]
        designs = [f"{SCHEMA}/{name}" for name in design_types if name]
        node |= {"@type": "MedicalTrial", "trialDesign": designs}
    elif design in OBSERVED:
        node |= {"@type": "MedicalObservationalStudy", "studyDesign": f"{SCHEMA}/{OBSERVED[design]}"}
    return node


def result_node(result: Mapping[str, Any], included: Included, page: str) -> Node:
    """A study result as its study's node; the description gives outcome, time frame and finding."""
    study = included_record(included, Study, result["study"])
    when = f", {result['time_frame_text']}" if result["time_frame_text"] else ""
    control = "" if is_controlled(result["comparator"]) else ", without a control group"
    description = f"{result['outcome_text']}{when}: {result['finding'].replace('-', ' ')}{control}."
    node = study_node(study, included, page) if study else {"@type": "MedicalStudy", "@id": page, "url": page}
    return node | {"description": description}


def source_node(source: Mapping[str, Any], page: str) -> Node:
    """A source as a ScholarlyArticle in its periodical, an Article, or a CreativeWork."""
    reference = reference_of(source)
    doi = reference.doi and f"https://doi.org/{reference.doi}"
    whole = {"@type": "Periodical" if reference.is_article else "CreativeWork", "name": reference.container}
    node: Node = {
        "@type": WORKS.get(source["kind"], "CreativeWork"),
        "@id": page,
        "name": source["title"],
        "url": source["url"] or doi or page,
        "sameAs": doi,
        "author": [{"@type": "Person", "name": _full_name(author)} for author in reference.authors],
        "datePublished": source["issued"],
        "isPartOf": whole if reference.container else None,
        "identifier": [
            {"@type": "PropertyValue", "propertyID": name, "value": value}
            for name, value in (
                ("doi", reference.doi),
                ("pmid", reference.pmid),
                ("pmcid", reference.pmcid),
                ("nct", source["nct"]),
            )
            if value
        ],
    }
    if node["@type"] != "CreativeWork":
        node["pagination"] = reference.pages
    return node


def dataset_node(
    description: str, *, public_url: str, version: str, day: str | None, downloads: Mapping[str, str]
) -> Node:
    """The dataset as a Dataset, for the landing page; `downloads` maps names of distributions to their URLs."""
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
    description: str,
    content: Mapping[str, Any],
    included: Included,
    public_url: str,
    day: str | None,
    downloads: Mapping[str, str],
) -> Node:
    """A synthesis as a Dataset of its pooled results, since schema.org has no type for a meta-analysis.

    `description` is the answer with its interval as text; `downloads` maps media types to URLs.
    """
    us = {"@type": "Organization", "name": NAME, "url": public_url}
    question, results = content["question"], content["results"]
    cited = dict.fromkeys(citation["source"] for result in results for citation in result["citations"])
    about = [included_record(included, row, record_id) for row, ids in _subjects(question) for record_id in ids]
    return {
        "@type": "Dataset",
        "@id": page,
        "url": page,
        "name": name,
        "description": description,
        "license": LICENCE,
        "creator": us,
        "publisher": us,
        "version": content["release"],
        "dateModified": day,
        "isAccessibleForFree": True,
        "about": [_subject(record) for record in about if record],
        "variableMeasured": question["measure"].replace("-", " "),
        "measurementTechnique": f"{question['model'].replace('-', ' ')} meta-analysis" if content["pooled"] else None,
        "isBasedOn": [result["url"] for result in results],
        "citation": [
            source_node(source, f"{public_url}/{Source.plural}/{source_id}")
            for source_id in cited
            if (source := included_record(included, Source, source_id))
        ],
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": media_type, "contentUrl": address}
            for media_type, address in downloads.items()
        ],
    }


def _subjects(question: Mapping[str, Any]) -> Iterator[tuple[type[Row], list[str]]]:
    yield Treatment, question["treatment"]
    yield Condition, [question["condition"]]


def _subject(record: Mapping[str, Any]) -> Node:
    """A treatment or condition with its name only."""
    kind = THERAPIES.get(record["kind"], "MedicalTherapy") if "kind" in record else "MedicalCondition"
    return {"@type": kind, "name": record["name"]}


def _code(code: Mapping[str, Any]) -> Node:
    return {
        "@type": "MedicalCode",
        "codingSystem": code["system"],
        "codeValue": code["code"],
        "name": code["display"],
    }


def _full_name(author: Author) -> str:
    return " ".join(part for part in (author.family, author.given) if part)
