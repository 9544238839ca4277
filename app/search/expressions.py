"""What a record must hold, as a tree of tokens, and as FTS5 (SQLite) and tsquery (PostgreSQL) write it.

A record is indexed as one text of tokens. What a token is there stands before it as a sign that folding never leaves
in a word, so that no question can ask for it by itself:

- without a sign: a word of any of the record's texts, its names among them;
- `ⁿ`: a word of its names and titles;
- `ᵃ`: a word of what it is about: the names of the things that it refers to, its kind, its id, its authors, its closed
  words;
- `ᵉ`: one whole name, title or id, its words joined by dots;
- `·kind·id`: the things that it is about, itself included;
- `··kind·id`: the things that it is about, where what it says holds for all that is part of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NAMED = "ⁿ"
ABOUT = "ᵃ"
WHOLE = "ᵉ"
DOT = "·"
"""Joins tokens to one; alone it stands between two texts, so that no phrase spans them."""


@dataclass(frozen=True)
class Token:
    """One token, or with `is_prefix` any that begins so."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True)
class Phrase:
    """Tokens one after the other."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class AllOf:
    """Everything of it."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True)
class AnyOf:
    """At least one of it."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Without:
    """One and not the other."""

    wanted: "Expression"
    unwanted: "Expression"


Expression = Token | Phrase | AllOf | AnyOf | Without


def all_of(parts: Iterable[Expression]) -> Expression:
    """Everything of it, without a needless bracket."""
    held = tuple(parts)
    return held[0] if len(held) == 1 else AllOf(held)


def any_of(parts: Iterable[Expression]) -> Expression:
    """At least one of it, each once, without a needless bracket."""
    every = (one for part in parts for one in (part.parts if isinstance(part, AnyOf) else (part,)))
    held = tuple(dict.fromkeys(every))
    return held[0] if len(held) == 1 else AnyOf(held)


def phrase(words: Sequence[str]) -> Expression:
    """Tokens one after the other; a single one is a token."""
    return Token(words[0]) if len(words) == 1 else Phrase(tuple(words))


def signed_tokens(expression: Expression, sign: str) -> Expression:
    """The same, asked of tokens with a sign."""
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
    """A whole name, as one token."""
    return Token(WHOLE + DOT.join(words))


def about(plural: str, record_id: str) -> Token:
    """That a record is about a thing."""
    return Token(about_token(plural, record_id))


def about_token(plural: str, record_id: str) -> str:
    """The token of what is about a thing."""
    return f"{DOT}{plural}{DOT}{record_id}".replace("-", DOT)


def holding(plural: str, record_id: str) -> Token:
    """That what a record says of a thing holds for all that is part of the thing."""
    return Token(holding_token(plural, record_id))


def holding_token(plural: str, record_id: str) -> str:
    """The token of what holds for all that is part of a thing."""
    return DOT + about_token(plural, record_id)


def fts5(expression: Expression) -> str:
    """As FTS5 writes it; every token stands in quotes, where nothing is an operator."""
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
    """As PostgreSQL writes it; every token stands in quotes, where nothing is an operator."""
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
    """Whether the index finds every match without looking at anything else: words alone, in no relation."""
    match expression:
        case Token():
            return True
        case AnyOf():
            return all(map(is_plain, expression.parts))
        case _:
            return False


def holds(line: str, expression: Expression) -> bool:
    """Whether an indexed line matches, as the full text of either engine would say."""
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
"""The highest place that a tsvector can note; indexed texts end there on both engines."""


def tsvector(words: str) -> str:
    """An indexed text as PostgreSQL writes it: each token with its places."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(words.split(" "), start=1):
        if token != DOT:
            places.setdefault(token, []).append(place)
    return " ".join(f"'{token}':{','.join(map(str, found))}" for token, found in places.items())
