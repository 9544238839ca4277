"""Numbers of trial registries: the form of each, the one spelling that is stored, and the key that finds it.

People write one number in many ways (`EUCTR2008-005767-34-FR`, `JPRN-UMIN000012345`, an address); `registry_number`
brings each to the spelling of its registry, and refuses what has another form. The registries are those of the WHO
International Clinical Trials Registry Platform that our users meet.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from unicodedata import normalize

from pydantic import BeforeValidator

_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—−_", "-"))
"""Hyphens, dashes and the minus sign of copied text, all read as the hyphen of ASCII."""
_ADDRESS = re.compile(r"HTTPS?://|10[.][0-9]{4,9}/|DOI:")
"""The start of an address or a DOI, in capitals: registries write their numbers into theirs."""
LONGEST = 300
"""Characters of a text that is looked at; no number in an address is longer."""


@dataclass(frozen=True)
class Registry:
    """A registry: how its numbers are written."""

    name: str
    number: str
    """The number's own characters as a regular expression with groups, in capitals and without spaces."""
    label: str
    """What people write before the number, as a regular expression."""
    spelling: Callable[..., str]
    """The one spelling that is stored, from the groups of `number`."""
    form: str
    """The form in words of a message."""
    is_named: bool = True
    """Whether the label is part of the number: without it, digits could be those of anything."""
    suffix: str = ""
    """What people write after the number and what belongs to no spelling, as a regular expression."""
    version: str = ""
    """The end of the stored spelling that numbers a version, as a regular expression; it is no part of the key."""

    def found(self, text: str) -> Iterator[str]:
        """The numbers of this registry in a text that `_plain` has prepared, in their one spelling."""
        return (self.spelling(*match.groups()) for match in self._pattern().finditer(text))

    def is_whole(self, text: str) -> bool:
        """Whether such a text is one number of this registry and nothing else."""
        return self._pattern().fullmatch(text) is not None

    def _pattern(self) -> re.Pattern[str]:
        label = f"(?:{self.label})" + ("" if self.is_named else "?")
        suffix = f"(?:{self.suffix})?" if self.suffix else ""
        return re.compile(rf"(?<![0-9A-Z]){label}[-:#/\s]*{self.number}{suffix}(?![0-9])")

    def key(self, spelling: str) -> str:
        """The key of a stored number: lower case, without its version."""
        return re.sub(f"{self.version}$", "", spelling).lower() if self.version else spelling.lower()


def _after(prefix: str) -> Callable[[str], str]:
    """The spelling of a registry whose numbers are a fixed prefix and digits."""
    return lambda digits: prefix + digits


REGISTRIES: Mapping[str, Registry] = {
    "nct": Registry("ClinicalTrials.gov", r"([0-9]{8})", "NCT", _after("NCT"), "NCT and 8 digits: NCT00156910"),
    "isrctn": Registry("ISRCTN registry", r"([0-9]{8})", "ISRCTN", _after("ISRCTN"), "ISRCTN and 8 digits"),
    "eudract": Registry(
        "EU Clinical Trials Register",
        r"([0-9]{4}-[0-9]{6}-[0-9]{2})",
        "EUCTR|EUDRACT(?:NUMBER|NO)?[.]?",
        str,
        "year, 6 and 2 digits: 2008-005767-34",
        is_named=False,
        suffix="[-/](?:[A-Z]{2,3}|3RD|OUTSIDE-EU/EEA)",
    ),
    "ctis": Registry(
        "EU Clinical Trials Information System",
        r"(20[0-9]{2}-5[0-9]{5}-[0-9]{2})(-[0-9]{2})?",
        "CTIS|EUCT(?:NUMBER|NO)?[.]?",
        lambda number, version: number + (version or ""),
        "year, 5 and 5 digits, 2 digits, and 2 of the version: 2024-515914-41-00",
        is_named=False,
        version="(?<=-[0-9]{6}-[0-9]{2})-[0-9]{2}",
    ),
    "ctri": Registry(
        "Clinical Trials Registry – India",
        r"([0-9]{4})[-/]([0-9]{2,3})[-/]([0-9]{6})",
        "CTRI",
        lambda year, month, number: f"CTRI/{year}/{month}/{number}",
        "CTRI, year, month and 6 digits: CTRI/2022/08/044530",
    ),
    "chictr": Registry(
        "Chinese Clinical Trial Registry",
        r"(?:([A-Z]{3,4})-?([0-9]{8})|([0-9]{10}))",
        "CHICTR",
        lambda kind, old, number: f"ChiCTR-{kind}-{old}" if kind else f"ChiCTR{number}",
        "ChiCTR and 10 digits; before 2016 ChiCTR, three or four letters and 8 digits",
    ),
    "jrct": Registry(
        "Japan Registry of Clinical Trials",
        r"(S[0-9]{9}|[0-9]{10})",
        "(?:JPRN-?)?JRCT",
        lambda number: f"jRCT{number.lower()}",
        "jRCT and 10 digits, or jRCTs and 9",
    ),
    "drks": Registry("German Clinical Trials Register", r"([0-9]{8})", "DRKS", _after("DRKS"), "DRKS and 8 digits"),
    "anzctr": Registry(
        "Australian New Zealand Clinical Trials Registry",
        r"([0-9]{14})",
        "(?:ANZCTR[-:]?)?ACTRN",
        _after("ACTRN"),
        "ACTRN and 14 digits",
        suffix="P",
    ),
    "umin": Registry(
        "UMIN Clinical Trials Registry",
        r"([0-9]{9})",
        "(?:JPRN-?)?UMIN(?:-?CTR)?",
        _after("UMIN"),
        "UMIN and 9 digits",
    ),
    "pactr": Registry(
        "Pan African Clinical Trials Registry", r"([0-9]{15,16})", "PACTR", _after("PACTR"), "PACTR and 15 or 16 digits"
    ),
}
"""The registries by the word of our code systems; an example in a form is the number of a trial in the seed, or of a
register's own guidance."""


def registry_number(system: str, text: str) -> str:
    """The one spelling of a registry's number; ValueError with the registry's form where the text has another.

    Spaces, dashes of other kinds, small letters, a label, an address, a country after a EudraCT number: all are read.
    """
    registry = REGISTRIES[system]
    plain = _plain(text)
    for candidate in (re.sub(r"\s", "", plain), plain):
        if registry.is_whole(candidate) or _ADDRESS.match(plain):
            for number in registry.found(candidate):
                return number
    raise ValueError(f"{text[:100]!r} is no number of {registry.name}: {registry.form}")


def spelled(system: str, text: str) -> str:
    """The one spelling of a code where its system is a registry that knows its form; else the text as it is."""
    try:
        return registry_number(system, text) if system in REGISTRIES else text
    except ValueError:
        return text


def lookup_key(system: str, code: str) -> str:
    """The key under which a code is found: in lower case, a registry's number in its spelling without the version."""
    spelling = spelled(system, code)
    registry = REGISTRIES.get(system)
    return registry.key(spelling) if registry is not None else spelling.lower()


def registry_keys_in(text: str) -> Iterator[str]:
    """The keys of all registry numbers within a text, and their spellings with a version, in lower case."""
    plain = _plain(text)
    for registry in REGISTRIES.values():
        for spelling in registry.found(plain):
            yield from (registry.key(spelling), spelling.lower())


def _plain(text: str) -> str:
    """The start of a text in capitals, with ASCII's hyphens and digits."""
    return normalize("NFKC", text[:LONGEST].strip()).translate(_HYPHENS).upper()


def _nct(value: object) -> object:
    return spelled("nct", value) if isinstance(value, str) else value


NctSpelling = BeforeValidator(_nct)
"""Brings a number of ClinicalTrials.gov to its one spelling before its form is checked."""
