"""The closed word lists of the model: our short word is the value, the standard behind it is named beside it."""

from typing import Literal

AbsenceReason = Literal[
    "not-reported",
    "not-measured",
    "not-reached",
    "not-applicable",
    "no-limit",
    "not-extracted",
    "searched-none-found",
]
"""Why a value is absent; after HL7 FHIR R5 data-absent-reason, widened by `no-limit` and `searched-none-found`."""

State = Literal["published", "draft", "withdrawn"]
Verification = Literal["recorded", "quote-found", "number-in-quote"]
SourceStatus = Literal["current", "corrected", "concern", "retracted"]

TreatmentKind = Literal["drug", "biologic", "device", "procedure", "exercise", "psychological", "supplement", "other"]
Route = Literal[
    "intramuscular",
    "intradermal",
    "intradetrusor",
    "intraglandular",
    "subcutaneous",
    "intravenous",
    "oral",
    "topical",
    "inhaled",
    "other",
]
CodeSystem = Literal[
    "atc",
    "rxnorm",
    "unii",
    "cas",
    "drugbank",
    "hcpcs",
    "spl-set-id",
    "icd-10",
    "icd-10-cm",
    "icd-11",
    "mesh",
    "snomed-ct",
    "loinc",
    "doi",
    "pmid",
    "pmcid",
    "nct",
    "ctri",
    "isrctn",
    "eudract",
]

Purpose = Literal["treatment", "prevention", "symptom-relief", "diagnosis"]
ApprovalStatus = Literal[
    "approved",
    "conditional",
    "suspended",
    "withdrawn",
    "expired",
    "refused",
    "not-approved",
    "never-submitted",
    "unknown",
]
WarningKind = Literal["boxed-warning", "contraindication", "warning", "interaction"]

Basis = Literal["label", "trial", "guideline", "claim"]
DoseStatistic = Literal["limits", "iqr", "typical"]
DosePer = Literal["session", "site", "kg", "day", "m2"]
TimeUnit = Literal["h", "d", "wk", "mo", "a"]
"""UCUM codes of time: hour, day, week, month (1 mo = 30.4375 d), year (1 a = 365.25 d)."""

HarmBasis = Literal["label", "trial", "post-marketing", "claim"]
Attribution = Literal["attributed", "observed"]
Frequency = Literal["very-common", "common", "uncommon", "rare", "very-rare", "not-known"]
"""CIOMS Working Group III: ≥1/10, ≥1/100, ≥1/1,000, ≥1/10,000, <1/10,000, not known."""
ArmRole = Literal["exposed", "comparator"]
Assessment = Literal["systematic", "non-systematic"]

OutcomeKind = Literal["binary", "continuous", "count", "time-to-event"]
Direction = Literal["lower-is-better", "higher-is-better", "unclear"]

StudyDesign = Literal[
    "randomized-parallel",
    "randomized-crossover",
    "randomized-within-person",
    "non-randomized",
    "single-arm",
    "cohort",
    "case-control",
    "case-series",
    "pooled-analysis",
    "systematic-review",
]
Blinding = Literal["open-label", "single-blind", "double-blind", "triple-blind"]
Phase = Literal["early-1", "1", "1-2", "2", "2-3", "3", "4", "not-applicable"]

Comparator = Literal["placebo", "none", "usual-care", "waiting-list", "sham", "baseline", "mixed"]
"""What a comparison is made with when it is not one of our treatments."""
ScoreKind = Literal["change", "final"]
AnalysisPopulation = Literal[
    "intention-to-treat", "modified-intention-to-treat", "per-protocol", "completers", "safety"
]
Measure = Literal[
    "risk-ratio",
    "odds-ratio",
    "risk-difference",
    "mean-difference",
    "standardized-mean-difference",
    "ratio-of-means",
    "rate-ratio",
    "hazard-ratio",
    "other",
]
PModifier = Literal["=", "<", ">"]
Finding = Literal["favours-treatment", "favours-comparator", "no-difference", "unclear"]
SynthesisKind = Literal["none", "common-effect", "random-effects", "narrative"]
CertaintyLevel = Literal["high", "moderate", "low", "very-low"]
"""GRADE certainty of evidence, one per outcome and comparison."""
LoweredBy = Literal["risk-of-bias", "inconsistency", "indirectness", "imprecision", "publication-bias"]
RaisedBy = Literal["large-effect", "dose-response", "opposing-confounding"]
BiasTool = Literal["rob-2", "rob-1", "robins-i", "other"]
BiasJudgement = Literal["low", "some-concerns", "high", "unclear", "moderate", "serious", "critical"]

SourceKind = Literal[
    "journal-article",
    "systematic-review",
    "product-label",
    "regulatory-notice",
    "registry-record",
    "guideline",
    "web-article",
]
Tier = Literal["primary", "secondary", "tertiary"]
RetractionStatus = Literal["corrected", "concern", "retracted"]
TextServed = Literal["full", "quotes-only"]

ClaimKind = Literal[
    "identity",
    "efficacy",
    "mechanism",
    "dosing",
    "dosing-interval",
    "duration",
    "route",
    "approval",
    "study-result",
    "side-effect",
    "safety",
    "background",
    "usage",
    "definition",
]
Verdict = Literal["supported", "partly-supported", "contradicted", "unverifiable"]
