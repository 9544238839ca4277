"""Query expressions: a tree of tokens, and its syntax in FTS5 (SQLite) and tsquery (PostgreSQL).

A record is indexed as one text of tokens. A prefix (sign) gives the type of a token. Case folding never leaves these
characters in a word, so that no search text can address a typed token directly:

- without a sign: a word of any of the record's texts, its names among them;
- `ⁿ`: a word of its names and titles;
- `ᵃ`: a word of its subject: the names of the entities that it refers to, its kind, its id, its authors, its values
  from closed vocabularies;
- `ᵉ`: one whole name, title or id, its words joined by dots;
- `·kind·id`: an entity that it is about, itself included;
- `··kind·id`: an entity that it is about, where the record applies to every part of the entity, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NAMED = "ⁿ"
ABOUT = "ᵃ"
WHOLE = "ᵉ"
DOT = "·"
"""Joins words into one token; alone it separates two texts, so that no phrase match spans them."""


@dataclass(frozen=True)
class Token:
    """One token; with `is_prefix`, every token that begins with the text."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True)
class Phrase:
    """Adjacent tokens, in this order."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class AllOf:
    """Conjunction: every part must match."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True)
class AnyOf:
    """Disjunction: at least one part must match."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Without:
    """Difference: `wanted` must match and `unwanted` must not."""

    wanted: "Expression"
    unwanted: "Expression"


Expression = Token | Phrase | AllOf | AnyOf | Without


def all_of(parts: Iterable[Expression]) -> Expression:
    """The conjunction of the parts; a single part is returned as it is."""
    every = tuple(parts)
    return every[0] if len(every) == 1 else AllOf(every)


def any_of(parts: Iterable[Expression]) -> Expression:
    """The disjunction of the parts, nested disjunctions flattened, duplicates removed; a single part as it is."""
    flattened = (inner for part in parts for inner in (part.parts if isinstance(part, AnyOf) else (part,)))
    distinct = tuple(dict.fromkeys(flattened))
    return distinct[0] if len(distinct) == 1 else AnyOf(distinct)


def phrase(words: Sequence[str]) -> Expression:
    """Adjacent tokens, in this order; for a single word, its token."""
    return Token(words[0]) if len(words) == 1 else Phrase(tuple(words))


def signed_tokens(expression: Expression, sign: str) -> Expression:
    """The expression with the sign before each of its tokens: it matches tokens of that type alone."""
    match expression:
        case Token():
            return Token(sign + expression.text, expression.is_prefix)
        case Phrase():
            return Phrase(tuple(sign + text for text in expression.texts))
        case AllOf():
            return AllOf(tuple(signed_tokens(part, sign) for part in expression.parts))
        case AnyOf():
            return AnyOf(tuple(signed_tokens(part, sign) for part in expression.parts))
        case Without():
            return Without(signed_tokens(expression.wanted, sign), signed_tokens(expression.unwanted, sign))


def whole_name(words: Sequence[str]) -> Token:
    """The token of a whole name (`ᵉ`)."""
    return Token(WHOLE + DOT.join(words))


def about(plural: str, record_id: str) -> Token:
    """Matches the records that are about an entity."""
    return Token(about_token(plural, record_id))


def about_any(plural: str) -> Token:
    """Matches the records that are about any entity of a kind."""
    return Token(about_token(plural, ""), is_prefix=True)


def about_token(plural: str, record_id: str) -> str:
    """The token in the entry of each record that is about an entity (`·kind·id`)."""
    return f"{DOT}{plural}{DOT}{record_id}".replace("-", DOT)


def holding(plural: str, record_id: str) -> Token:
    """Matches the records about an entity that apply to every part of it, too."""
    return Token(holding_token(plural, record_id))


def holding_token(plural: str, record_id: str) -> str:
    """The token in the entry of each record that applies to every part of an entity (`··kind·id`)."""
    return DOT + about_token(plural, record_id)


def fts5(expression: Expression) -> str:
    """The FTS5 query string; every token is quoted, so that none is read as an operator."""
    match expression:
        case Token():
            return f'"{expression.text}"' + (" *" if expression.is_prefix else "")
        case Phrase():
            return f'"{" ".join(expression.texts)}"'
        case AllOf():
            return "(" + " AND ".join(map(fts5, expression.parts)) + ")"
        case AnyOf():
            return "(" + " OR ".join(map(fts5, expression.parts)) + ")"
        case Without():
            return f"({fts5(expression.wanted)} NOT {fts5(expression.unwanted)})"


def tsquery(expression: Expression) -> str:
    """The tsquery string; every token is quoted, so that none is read as an operator."""
    match expression:
        case Token():
            return f"'{expression.text}'" + (":*" if expression.is_prefix else "")
        case Phrase():
            return "(" + " <-> ".join(f"'{text}'" for text in expression.texts) + ")"
        case AllOf():
            return "(" + " & ".join(map(tsquery, expression.parts)) + ")"
        case AnyOf():
            return "(" + " | ".join(map(tsquery, expression.parts)) + ")"
        case Without():
            return f"({tsquery(expression.wanted)} & !{tsquery(expression.unwanted)})"


def is_plain(expression: Expression) -> bool:
    """Whether the expression is a token or a disjunction of tokens, which one index lookup each answers."""
    match expression:
        case Token():
            return True
        case AnyOf():
            return all(map(is_plain, expression.parts))
        case _:
            return False


def holds(line: str, expression: Expression) -> bool:
    """Whether the indexed text of a record matches, evaluated in Python with the semantics of both engines."""
    match expression:
        case Token():
            return f" {expression.text}{'' if expression.is_prefix else ' '}" in f" {line} "
        case Phrase():
            return f" {' '.join(expression.texts)} " in f" {line} "
        case AllOf():
            return all(holds(line, part) for part in expression.parts)
        case AnyOf():
            return any(holds(line, part) for part in expression.parts)
        case Without():
            return holds(line, expression.wanted) and not holds(line, expression.unwanted)


MOST_PLACES = 16_383
"""The highest position that a tsvector can store; indexed texts are cut there on both engines."""


def tsvector(words: str) -> str:
    """The tsvector literal of an indexed text: each token with its positions, counted from 1."""
    positions: dict[str, list[int]] = {}
    for position, token in enumerate(words.split(" "), start=1):
        if token != DOT:
            positions.setdefault(token, []).append(position)
    return " ".join(f"'{token}':{','.join(map(str, found))}" for token, found in positions.items())
