"""Controlled vocabularies of the model: closed lists of values, each with the standard that it follows."""

from typing import Literal

from typing_extensions import TypeAliasType

AbsenceReason = TypeAliasType(
    "AbsenceReason",
    Literal[
        "not-reported",
        "not-measured",
        "not-reached",
        "not-applicable",
        "no-limit",
        "not-extracted",
        "searched-none-found",
    ],
)
"""Why a value is absent; after HL7 FHIR R5 data-absent-reason, widened by `no-limit` and `searched-none-found`."""

FieldKnowledge = TypeAliasType("FieldKnowledge", Literal["known", "missing", "never-looked"])
ResourceKnowledge = TypeAliasType("ResourceKnowledge", Literal["known", "searched-none-found", "never-looked"])
DraftAction = TypeAliasType("DraftAction", Literal["create", "change", "withdraw"])
DraftState = TypeAliasType("DraftState", Literal["open", "published", "discarded"])
State = TypeAliasType("State", Literal["published", "draft", "withdrawn"])
Verification = TypeAliasType("Verification", Literal["recorded", "quote-found", "number-in-quote"])
ChangeType = TypeAliasType(
    "ChangeType",
    Literal[
        "created",
        "value-revised",
        "status-granted",
        "status-ended",
        "verdict-changed",
        "verification-changed",
        "standing-changed",
        "source-retracted",
        "source-corrected",
        "source-under-concern",
        "source-reinstated",
        "claim-withdrawn",
        "record-withdrawn",
        "record-reinstated",
        "renamed",
    ],
)
"""Types of change to a record: `created`, the named changes, or `value-revised` for any other."""
Transformation = TypeAliasType("Transformation", Literal["as-written", "number-word", "decimal-comma", "digit-groups"])
"""How the words of a quote become a number: `155`, `three`, `2,5`, `1,384`."""
SourceStatus = TypeAliasType("SourceStatus", Literal["current", "corrected", "concern", "retracted"])

TreatmentKind = TypeAliasType(
    "TreatmentKind",
    Literal["drug", "biologic", "device", "procedure", "exercise", "psychological", "supplement", "other"],
)
Route = TypeAliasType(
    "Route",
    Literal[
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
        "auricular",
        "buccal",
        "cutaneous",
        "dental",
        "endocervical",
        "endotracheopulmonary",
        "epidural",
        "gastroenteral",
        "gingival",
        "implantation",
        "intra-arterial",
        "intra-articular",
        "intracameral",
        "intracavernous",
        "intralesional",
        "intraosseous",
        "intraperitoneal",
        "intrapleural",
        "intrathecal",
        "intrauterine",
        "intravesical",
        "intravitreal",
        "nasal",
        "ocular",
        "oromucosal",
        "perineural",
        "rectal",
        "subconjunctival",
        "sublingual",
        "transdermal",
        "urethral",
        "vaginal",
    ],
)
"""Routes of administration: EDQM Standard Terms, without "use"; `inhaled`, `topical` and `other` are broader."""
CodeSystem = TypeAliasType(
    "CodeSystem",
    Literal[
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
        "meddra",
        "ctcae",
        "doi",
        "pmid",
        "pmcid",
        "nct",
        "ctri",
        "isrctn",
        "eudract",
        "ctis",
        "chictr",
        "jrct",
        "drks",
        "anzctr",
        "umin",
        "pactr",
    ],
)
CodeOrigin = TypeAliasType("CodeOrigin", Literal["source", "curator", "algorithm"])
"""Who gave a record its code: the source itself, a person here, or a program (MeSH terms of ClinicalTrials.gov)."""

Purpose = TypeAliasType("Purpose", Literal["treatment", "prevention", "symptom-relief", "diagnosis"])
ApprovalStatus = TypeAliasType(
    "ApprovalStatus",
    Literal[
        "approved",
        "conditional",
        "suspended",
        "withdrawn",
        "expired",
        "refused",
        "not-approved",
        "never-submitted",
        "unknown",
    ],
)
WarningKind = TypeAliasType("WarningKind", Literal["boxed-warning", "contraindication", "warning", "interaction"])
SPOKEN = {"boxed-warning": "black box warning"}
"""Common names of vocabulary values; search finds a record by both."""
WarningRule = TypeAliasType("WarningRule", Literal["units-not-interchangeable"])
"""Rules that a warning imposes on the API: `units-not-interchangeable` forbids comparing doses across products or
converting them."""

Basis = TypeAliasType("Basis", Literal["label", "trial", "guideline", "claim"])
DoseStatistic = TypeAliasType("DoseStatistic", Literal["limits", "iqr", "typical"])
DosePer = TypeAliasType("DosePer", Literal["session", "site", "kg", "day", "m2"])
MaximumPer = TypeAliasType("MaximumPer", Literal["kg", "m2", "session", "day", "cycle", "lifetime"])
"""What a maximum is per: FHIR R5 `maxDosePerAdministration`, `maxDosePerPeriod`, `maxDosePerLifetime`; kg, m²."""
RatePer = TypeAliasType("RatePer", Literal["kg", "m2"])
DoseBasis = TypeAliasType("DoseBasis", Literal["absolute", "per-kg", "per-m2"])
"""What an amount is: absolute, per kg of body weight, or per m² of body surface; never compared with each other."""
StepKind = TypeAliasType("StepKind", Literal["loading", "titration", "maintenance", "tapering"])
RenalMeasure = TypeAliasType("RenalMeasure", Literal["creatinine-clearance", "egfr"])
"""Creatinine clearance in mL/min, or estimated glomerular filtration rate in mL/min/1.73 m²."""
TimeUnit = TypeAliasType("TimeUnit", Literal["h", "d", "wk", "mo", "a", "min"])
"""UCUM codes of time: minute, hour, day, week, month (1 mo = 30.4375 d), year (1 a = 365.25 d)."""

HarmBasis = TypeAliasType("HarmBasis", Literal["label", "trial", "post-marketing", "claim", "observational"])
Attribution = TypeAliasType("Attribution", Literal["attributed", "observed"])
Frequency = TypeAliasType("Frequency", Literal["very-common", "common", "uncommon", "rare", "very-rare", "not-known"])
"""CIOMS Working Group III: ≥1/10, ≥1/100, ≥1/1,000, ≥1/10,000, <1/10,000, not known."""
Bound = TypeAliasType("Bound", Literal["<", "<=", ">=", ">", "~"])
"""HL7 FHIR R5 `quantity-comparator`, with `~` for "about"."""
Severity = TypeAliasType("Severity", Literal["mild", "moderate", "severe", "life-threatening", "fatal"])
"""HL7 FHIR R5 `adverse-event-severity` (mild, moderate, severe), widened by grades 4 and 5 of CTCAE."""
ArmRole = TypeAliasType("ArmRole", Literal["exposed", "comparator", "not-assigned"])
"""What an arm received, the treatment or what it is compared with; `not-assigned` has a reason beside it."""
Assessment = TypeAliasType("Assessment", Literal["systematic", "non-systematic"])

OutcomeKind = TypeAliasType("OutcomeKind", Literal["binary", "continuous", "count", "time-to-event"])
Direction = TypeAliasType("Direction", Literal["lower-is-better", "higher-is-better", "unclear"])

StudyDesign = TypeAliasType(
    "StudyDesign",
    Literal[
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
        "randomized-factorial",
        "randomized-cluster",
        "randomized-stepped-wedge",
        "randomized-sequential",
        "sequential",
        "single-patient",
        "cross-sectional",
        "network-meta-analysis",
    ],
)
"""Allocation, intervention model and observational model of ClinicalTrials.gov in one word, and reviews."""
Blinding = TypeAliasType(
    "Blinding", Literal["open-label", "single-blind", "double-blind", "triple-blind", "quadruple-blind"]
)
"""ClinicalTrials.gov `masking`."""
BlindedRole = TypeAliasType(
    "BlindedRole", Literal["participant", "care-provider", "investigator", "outcomes-assessor", "data-analyst"]
)
"""ClinicalTrials.gov `whoMasked`, widened by `data-analyst` (CONSORT 2010, item 11a)."""
StudyStatus = TypeAliasType(
    "StudyStatus",
    Literal[
        "not-yet-recruiting",
        "recruiting",
        "enrolling-by-invitation",
        "active-not-recruiting",
        "suspended",
        "terminated",
        "completed",
        "withdrawn",
        "unknown",
    ],
)
"""ClinicalTrials.gov `overallStatus`; `withdrawn`: ended before anybody was enrolled."""
Phase = TypeAliasType("Phase", Literal["early-1", "1", "1-2", "2", "2-3", "3", "4", "not-applicable"])

Comparator = TypeAliasType(
    "Comparator", Literal["placebo", "none", "usual-care", "waiting-list", "sham", "baseline", "mixed"]
)
"""Comparators that are not records of `treatments`."""
ScoreKind = TypeAliasType("ScoreKind", Literal["change", "final"])
AnalysisPopulation = TypeAliasType(
    "AnalysisPopulation",
    Literal["intention-to-treat", "modified-intention-to-treat", "per-protocol", "completers", "safety"],
)
Measure = TypeAliasType(
    "Measure",
    Literal[
        "risk-ratio",
        "odds-ratio",
        "risk-difference",
        "mean-difference",
        "standardized-mean-difference",
        "ratio-of-means",
        "rate-ratio",
        "hazard-ratio",
        "other",
    ],
)
PModifier = TypeAliasType("PModifier", Literal["=", "<", ">"])
Finding = TypeAliasType(
    "Finding",
    Literal[
        "favours-treatment",
        "favours-comparator",
        "no-difference",
        "unclear",
        "not-significant",
        "non-inferior",
        "non-inferiority-not-shown",
    ],
)
"""What a result found: `no-difference` is a precise null, `not-significant` an inconclusive one (Altman 1995,
doi:10.1136/bmj.311.7003.485)."""
Hypothesis = TypeAliasType(
    "Hypothesis", Literal["superiority", "non-inferiority", "equivalence", "non-inferiority-or-equivalence", "other"]
)
"""ClinicalTrials.gov `nonInferiorityType`."""
Sides = TypeAliasType("Sides", Literal["one-sided", "two-sided"])
"""ClinicalTrials.gov `ciNumSides`."""
EstimateDirection = TypeAliasType("EstimateDirection", Literal["treatment", "comparator", "unknown"])
DirectionBasis = TypeAliasType("DirectionBasis", Literal["source", "outcome"])
DispersionKind = TypeAliasType(
    "DispersionKind",
    Literal[
        "geometric-coefficient-of-variation",
        "coefficient-of-variation",
        "geometric-standard-deviation",
        "median-absolute-deviation",
        "other",
    ],
)
"""ClinicalTrials.gov `dispersionType`, without those that have fields: SD, standard error, quartiles, range."""
SynthesisKind = TypeAliasType("SynthesisKind", Literal["none", "common-effect", "random-effects", "narrative"])
CertaintyLevel = TypeAliasType("CertaintyLevel", Literal["high", "moderate", "low", "very-low"])
"""GRADE certainty of evidence, one per outcome and comparison."""
LoweredBy = TypeAliasType(
    "LoweredBy", Literal["risk-of-bias", "inconsistency", "indirectness", "imprecision", "publication-bias"]
)
RaisedBy = TypeAliasType("RaisedBy", Literal["large-effect", "dose-response", "opposing-confounding"])
BiasTool = TypeAliasType("BiasTool", Literal["rob-2", "rob-1", "robins-i", "other"])
BiasJudgement = TypeAliasType(
    "BiasJudgement", Literal["low", "some-concerns", "high", "unclear", "moderate", "serious", "critical"]
)

SourceKind = TypeAliasType(
    "SourceKind",
    Literal[
        "journal-article",
        "systematic-review",
        "product-label",
        "regulatory-notice",
        "registry-record",
        "guideline",
        "web-article",
    ],
)
Tier = TypeAliasType("Tier", Literal["primary", "secondary", "tertiary"])
RetractionStatus = TypeAliasType("RetractionStatus", Literal["corrected", "concern", "retracted"])
TextServed = TypeAliasType("TextServed", Literal["full", "quotes-only"])

ClaimKind = TypeAliasType(
    "ClaimKind",
    Literal[
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
    ],
)
Verdict = TypeAliasType("Verdict", Literal["supported", "partly-supported", "contradicted", "unverifiable"])
