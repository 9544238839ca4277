"""Identifiers in a search text (DOI, PMID, PMCID, registry numbers, codes, ids): alone, after a label, or in a URL."""

import re
from collections.abc import Iterator
from typing import get_args
from urllib.parse import unquote

from app.models import RESOURCES
from app.models.registries import registry_keys_in
from app.models.types import SLUG_PATTERN
from app.models.vocabulary import CodeSystem

SYSTEMS: tuple[str, ...] = get_args(CodeSystem.__value__)
OTHER_LABELS = ("pubmed", "pubmed id", "rxcui", "icd", "icd-10", "icd10")
"""Labels that people write before a code, in addition to the names of the code systems."""
AROUND = " \t\n\"'“”„«»‘’()[]{}<>.,;:!?"
"""Characters that are stripped from both ends of an identifier."""
LONGEST = 300
MOST_PARTS = 4
"""Slash-separated parts of a DOI's suffix that are tried, because a URL may append its own parts after a slash."""

_LABELS = "|".join(sorted(map(re.escape, {*SYSTEMS, *OTHER_LABELS}), key=len, reverse=True))
_LABELLED = re.compile(rf"(?:{_LABELS})(?:\s*[:#]\s*|\s+)(\S+)")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
_PMID = re.compile(r"\b(?:pmid|pubmed(?:\.ncbi\.nlm\.nih\.gov/|/|\s+id)?)[\s:#]*([0-9]{1,9})\b")
_PMCID = re.compile(r"\bpmc[0-9]{1,10}\b")
_OURS = re.compile(rf"(?:^|/)({'|'.join(RESOURCES)})/({SLUG_PATTERN.strip('^$')})/?(?:[?#]\S*)?$")


def codes_in(text: str) -> set[str]:
    """Candidate codes in a text, in lower case, not checked against the index.

    The whole text, also without the name of a code system before it, and any DOI, registry number, PMID or PMCID
    within it.
    """
    return {code for code in _codes(text.lower()) if 0 < len(code) <= LONGEST and "\x00" not in code}


def keys_in(text: str) -> list[tuple[str, str]]:
    """The kind and the id at the end of each URL of this API in a text."""
    return [(found[1], found[2]) for found in _OURS.finditer(text.strip(AROUND).lower())]


def identifiers_in(text: str) -> set[str]:
    """All candidate codes and record ids in a text, in lower case."""
    return codes_in(text) | {record_id for _, record_id in keys_in(text)}


def _codes(text: str) -> Iterator[str]:
    plain = text.strip(AROUND)
    yield from (text.strip(), plain)
    if labelled := _LABELLED.fullmatch(plain):
        yield labelled[1]
    for found in _DOI.findall(unquote(text)):
        yield from (found, found.strip(AROUND))
        prefix, *parts = re.split("[?#]", found)[0].strip(AROUND).split("/")
        yield from ("/".join([prefix, *parts[:number]]) for number in range(1, MOST_PARTS + 1))
    yield from registry_keys_in(text)
    yield from _PMID.findall(text)
    yield from _PMCID.findall(text)
