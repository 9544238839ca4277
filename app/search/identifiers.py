"""The identifiers that a question holds, as people write and paste them: alone, after a label, in an address."""

import re
from collections.abc import Iterator
from typing import get_args
from urllib.parse import unquote

from app.models import RESOURCES
from app.models.types import SLUG_PATTERN
from app.models.vocabulary import CodeSystem

SYSTEMS: tuple[str, ...] = get_args(CodeSystem.__value__)
OTHER_LABELS = ("pubmed", "pubmed id", "rxcui", "icd", "icd-10", "icd10")
"""What people write before a code, beside the systems' own names."""
AROUND = " \t\n\"'“”„«»‘’()[]{}<>.,;:!?"
"""What may stand before and after an identifier without being part of it."""
LONGEST = 300
MOST_PARTS = 4
"""Parts of a DOI's suffix between slashes that are tried: what an address adds to a DOI stands after one."""

_LABELS = "|".join(sorted(map(re.escape, {*SYSTEMS, *OTHER_LABELS}), key=len, reverse=True))
_LABELLED = re.compile(rf"(?:{_LABELS})(?:\s*[:#]\s*|\s+)(\S+)")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
_NCT = re.compile(r"\bnct[\s:#]*([0-9]{8})\b")
_PMID = re.compile(r"\b(?:pmid|pubmed(?:\.ncbi\.nlm\.nih\.gov/|/|\s+id)?)[\s:#]*([0-9]{1,9})\b")
_PMCID = re.compile(r"\bpmc[0-9]{1,10}\b")
_OURS = re.compile(rf"(?:^|/)({'|'.join(RESOURCES)})/({SLUG_PATTERN.strip('^$')})/?(?:[?#]\S*)?$")


def codes_in(text: str) -> set[str]:
    """The codes that a text may mean, in lower case; which of them are any record's is for the index to say.

    The whole text, also after the name of a code system, and any DOI, NCT number, PMID or PMCID within it.
    """
    return {code for code in _codes(text.lower()) if 0 < len(code) <= LONGEST and "\x00" not in code}


def keys_in(text: str) -> list[tuple[str, str]]:
    """The kind and the id at the end of an address of ours."""
    return [(found[1], found[2]) for found in _OURS.finditer(text.strip(AROUND).lower())]


def identifiers_in(text: str) -> set[str]:
    """All of these as a record may show them, in lower case."""
    return codes_in(text) | {one for _, one in keys_in(text)}


def _codes(text: str) -> Iterator[str]:
    plain = text.strip(AROUND)
    yield from (text.strip(), plain)
    if labelled := _LABELLED.fullmatch(plain):
        yield labelled[1]
    for found in _DOI.findall(unquote(text)):
        yield from (found, found.strip(AROUND))
        prefix, *parts = re.split("[?#]", found)[0].strip(AROUND).split("/")
        yield from ("/".join([prefix, *parts[:number]]) for number in range(1, MOST_PARTS + 1))
    yield from (f"nct{digits}" for digits in _NCT.findall(text))
    yield from _PMID.findall(text)
    yield from _PMCID.findall(text)
