"""The part of the vocabulary of schema.org that we could use: which properties a type has, and of which types they are.

After the published vocabulary: https://schema.org/docs/meddocs.html (health-lifesci, `med-health-core`),
https://schema.org/ClaimReview, /CreativeWork, /ScholarlyArticle, /Dataset and /Thing. A type has its own properties and
those of the types above it.
"""

from typing import Any

ABOVE: dict[str, list[str]] = {
    "CreativeWork": ["Thing"],
    "Review": ["CreativeWork"],
    "ClaimReview": ["Review"],
    "Claim": ["CreativeWork"],
    "Article": ["CreativeWork"],
    "ScholarlyArticle": ["Article"],
    "Periodical": ["CreativeWork"],
    "Dataset": ["CreativeWork"],
    "DataDownload": ["CreativeWork"],
    "Rating": ["Thing"],
    "Organization": ["Thing"],
    "Person": ["Thing"],
    "PropertyValue": ["Thing"],
    "AdministrativeArea": ["Thing"],
    "MedicalEntity": ["Thing"],
    "Substance": ["MedicalEntity"],
    "Drug": ["Substance"],
    "DietarySupplement": ["Substance"],
    "DrugClass": ["MedicalEntity"],
    "DrugLegalStatus": ["MedicalEntity"],
    "MedicalDevice": ["MedicalEntity"],
    "MedicalProcedure": ["MedicalEntity"],
    "TherapeuticProcedure": ["MedicalProcedure"],
    "MedicalTherapy": ["TherapeuticProcedure"],
    "PsychologicalTreatment": ["TherapeuticProcedure"],
    "MedicalCondition": ["MedicalEntity"],
    "MedicalIndication": ["MedicalEntity"],
    "ApprovedIndication": ["MedicalIndication"],
    "PreventionIndication": ["MedicalIndication"],
    "TreatmentIndication": ["MedicalIndication"],
    "MedicalCode": ["MedicalEntity"],
    "DoseSchedule": ["MedicalEntity"],
    "RecommendedDoseSchedule": ["DoseSchedule"],
    "ReportedDoseSchedule": ["DoseSchedule"],
    "MedicalStudy": ["MedicalEntity"],
    "MedicalTrial": ["MedicalStudy"],
    "MedicalObservationalStudy": ["MedicalStudy"],
}
OWN = {
    "Thing": {"name", "alternateName", "description", "identifier", "sameAs", "url"},
    "CreativeWork": {
        *("about", "abstract", "author", "citation", "copyrightHolder", "creator", "dateCreated", "dateModified"),
        *("datePublished", "encodingFormat", "headline", "inLanguage", "isAccessibleForFree", "isBasedOn", "isPartOf"),
        *("license", "publisher", "text", "version"),
    },
    "Review": {"itemReviewed", "reviewAspect", "reviewBody", "reviewRating"},
    "ClaimReview": {"claimReviewed"},
    "Claim": {"appearance", "claimInterpreter", "firstAppearance"},
    "Article": {"articleBody", "articleSection", "pageEnd", "pageStart", "pagination", "wordCount"},
    "Rating": {"author", "bestRating", "ratingExplanation", "ratingValue", "reviewAspect", "worstRating"},
    "Dataset": {"distribution", "includedInDataCatalog", "issn", "measurementTechnique", "variableMeasured"},
    "DataDownload": {"contentUrl"},
    "PropertyValue": {"propertyID", "value"},
    "MedicalEntity": {"code", "guideline", "legalStatus", "medicineSystem", "recognizingAuthority", "study"},
    "Substance": {"activeIngredient", "maximumIntake"},
    "Drug": {
        *("administrationRoute", "clinicalPharmacology", "dosageForm", "doseSchedule", "drugClass", "drugUnit"),
        *("interactingDrug", "isProprietary", "labelDetails", "mechanismOfAction", "nonProprietaryName"),
        *("prescribingInfo", "proprietaryName", "relatedDrug", "rxcui", "warning"),
    },
    "DietarySupplement": {"mechanismOfAction", "nonProprietaryName", "proprietaryName", "targetPopulation"},
    "DrugClass": {"drug"},
    "DrugLegalStatus": {"applicableLocation"},
    "TherapeuticProcedure": {"adverseOutcome", "doseSchedule", "drug"},
    "MedicalCondition": {"associatedAnatomy", "drug", "epidemiology", "possibleTreatment", "riskFactor", "status"},
    "MedicalCode": {"codeValue", "codingSystem"},
    "DoseSchedule": {"doseUnit", "doseValue", "frequency", "targetPopulation"},
    "MedicalStudy": {"healthCondition", "sponsor", "status", "studyLocation", "studySubject"},
    "MedicalTrial": {"trialDesign"},
    "MedicalObservationalStudy": {"studyDesign"},
}
EXPECTED = {
    "author": {"Organization", "Person"},
    "creator": {"Organization", "Person"},
    "publisher": {"Organization", "Person"},
    "itemReviewed": {"Thing"},
    "appearance": {"CreativeWork"},
    "reviewRating": {"Rating"},
    "isPartOf": {"CreativeWork"},
    "about": {"Thing"},
    "citation": {"CreativeWork"},
    "identifier": {"PropertyValue"},
    "distribution": {"DataDownload"},
    "code": {"MedicalCode"},
    "drug": {"Drug"},
    "drugClass": {"DrugClass"},
    "doseSchedule": {"DoseSchedule"},
    "studySubject": {"MedicalEntity"},
    "healthCondition": {"MedicalCondition"},
    "studyLocation": {"AdministrativeArea"},
    "applicableLocation": {"AdministrativeArea"},
    "recognizingAuthority": {"Organization"},
    "legalStatus": {"DrugLegalStatus"},
}
"""Of which types the value of a property may be, where it is a node."""


def lineage(name: str) -> set[str]:
    """A type with all that are above it; a type that we do not know fails."""
    return {name}.union(*(lineage(above) for above in ABOVE[name])) if name != "Thing" else {name}


def types_of(node: Any) -> set[str]:
    """The types of a node with all that are above them."""
    named = node["@type"] if isinstance(node["@type"], list) else [node["@type"]]
    return set().union(*map(lineage, named))


def check(node: Any, expected: set[str]) -> None:
    """Every property belongs to the type of its node, and every nested node is of a type that the property expects."""
    assert expected & types_of(node), node
    allowed = set().union(*(OWN.get(above, set()) for above in types_of(node)))
    assert node.keys() - {"@type", "@context", "@id"} <= allowed, (node.keys() - allowed, node["@type"])
    for name, value in node.items():
        assert value not in (None, "", [], {}), name
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                check(one, EXPECTED[name])
