"""SQLAlchemy Core tables beside those of the records.

References, codes, texts of sources, revisions, record versions, former ids, releases, API keys, idempotency keys,
drafts, archived syntheses, and the search index with its facet counts.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

metadata = SQLModel.metadata

REGISTRY = Table(
    "registry",
    metadata,
    Column("kind", AutoString, nullable=False),
    Column("id", AutoString, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
)
"""Kind (the plural) and id of every record: the target of foreign keys."""

REFERENCE = Table(
    "reference",
    metadata,
    Column("from_kind", AutoString, nullable=False),
    Column("from_id", AutoString, nullable=False),
    Column("path", AutoString, nullable=False),
    Column("to_kind", AutoString, nullable=False),
    Column("to_id", AutoString, nullable=False),
    PrimaryKeyConstraint("from_kind", "from_id", "path"),
    ForeignKeyConstraint(["from_kind", "from_id"], ["registry.kind", "registry.id"]),
    ForeignKeyConstraint(["to_kind", "to_id"], ["registry.kind", "registry.id"]),
    Index("ix_reference_to", "to_kind", "to_id", "from_kind", "from_id"),
)
"""One row for each reference from a record to another: "who cites this source" is one indexed query."""

CODE = Table(
    "code",
    metadata,
    Column("kind", AutoString, nullable=False),
    Column("id", AutoString, nullable=False),
    Column("system", AutoString, nullable=False),
    Column("code", AutoString, nullable=False),
    PrimaryKeyConstraint("system", "code", "kind", "id"),
    ForeignKeyConstraint(["kind", "id"], ["registry.kind", "registry.id"]),
    Index("ix_code_record", "kind", "id"),
)
"""Every code of every record, in lower case, for `/v1/lookup`."""

SOURCE_TEXT = Table(
    "source_text",
    metadata,
    Column("source", AutoString, ForeignKey("source.id"), primary_key=True),
    Column("text", Text, nullable=False),
)
"""The full text of a source, where it is stored: quotes are checked against it."""

REVISION = Table(
    "revision",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", AutoString, nullable=False),
    Column("author", AutoString, nullable=False),
    Column("reason", AutoString, nullable=True),
    Column("reviewer", AutoString, nullable=True),
    Column("note", AutoString, nullable=True),
)
"""One row for each transaction that changed something; the highest number is the dataset's revision.

For a change that began as a draft, `reviewer` is who published it and `note` the comment of the reviewer.
"""

RECORD_VERSION = Table(
    "edition",
    metadata,
    Column("revision", Integer, ForeignKey("revision.number"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", AutoString, nullable=False),
    Column("id", AutoString, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    PrimaryKeyConstraint("revision", "position"),
    ForeignKeyConstraint(["kind", "id"], ["registry.kind", "registry.id"]),
    Index("ix_edition_record", "kind", "id", "revision"),
)
"""Every published document, by revision: a new version, or the same one with other values derived from other records.

History, past versions, the change feed and the differences between releases are read from here. `position` is the
order within the revision.
"""

ALIAS = Table(
    "alias",
    metadata,
    Column("kind", AutoString, nullable=False),
    Column("id", AutoString, nullable=False),
    Column("to_id", AutoString, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
    ForeignKeyConstraint(["kind", "to_id"], ["registry.kind", "registry.id"]),
)
"""Former ids of renamed records: their URLs redirect (308) to the present id."""

RELEASE = Table(
    "release",
    metadata,
    Column("name", AutoString, nullable=False, primary_key=True),
    Column("at", AutoString, nullable=False),
    Column("revision", Integer, ForeignKey("revision.number"), nullable=False),
    Column("previous", AutoString, ForeignKey("release.name"), nullable=True),
    Column("sha256", AutoString, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("counts", Text, nullable=False),
    Column("difference", Text, nullable=False),
    Column("notes", Text, nullable=True),
)
"""Releases, each a file with a frozen copy of the dataset: SHA-256, size, counts, changes since the previous one.

`counts` and `difference` are JSON objects.
"""

SHAPE = Table("shape", metadata, Column("digest", AutoString, nullable=False, primary_key=True))
"""A digest of the shape of the stored documents, in one row; they are rendered again if the program has another one."""

API_KEY = Table(
    "api_key",
    metadata,
    Column("id", AutoString, nullable=False, primary_key=True),
    Column("name", AutoString, nullable=False, unique=True),
    Column("scope", AutoString, nullable=False),
    Column("digest", AutoString, nullable=False),
    Column("created_at", AutoString, nullable=False),
    Column("expires_at", AutoString, nullable=True),
    Column("revoked_at", AutoString, nullable=True),
    Column("last_used_at", AutoString, nullable=True),
)
"""API keys: the public part of each, and the SHA-256 of the whole; the key itself is not stored.

Names are never reused: they are the authors in the history.
"""

IDEMPOTENCY = Table(
    "idempotency",
    metadata,
    Column("holder", AutoString, ForeignKey("api_key.id"), nullable=False),
    Column("key", AutoString, nullable=False),
    Column("request", AutoString, nullable=False),
    Column("at", AutoString, nullable=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
    PrimaryKeyConstraint("holder", "key"),
    Index("ix_idempotency_at", "at"),
)
"""The response to the first write with an `Idempotency-Key`, for a day; `request` is the hash of that request."""

DRAFT = Table(
    "draft",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("holder", AutoString, ForeignKey("api_key.id"), nullable=False),
    Column("action", AutoString, nullable=False),
    Column("kind", AutoString, nullable=False),
    Column("record", AutoString, nullable=False),
    Column("base_version", Integer, nullable=True),
    Column("document", Text, nullable=False),
    Column("at", AutoString, nullable=False),
    Column("reason", AutoString, nullable=True),
    Column("state", AutoString, nullable=False),
    Column("decided_at", AutoString, nullable=True),
    Column("decided_by", AutoString, nullable=True),
    Column("note", AutoString, nullable=True),
    Column("revision", Integer, nullable=True),
    Index("ix_draft_state", "state", "number"),
    Index("ix_draft_holder", "holder", "number"),
)
"""Drafts proposed by editors. They are no records: no list, reference, release or revision includes them.

`document` is the record as it would be published; `base_version` the version that it changes, null for a new record.
"""

SYNTHESIS = Table(
    "synthesis",
    metadata,
    Column("hash", AutoString, nullable=False, primary_key=True),
    Column("release", AutoString, ForeignKey("release.name"), nullable=False),
    Column("at", AutoString, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
"""Archived syntheses of releases: the first response in every format, compressed; `hash` covers all its inputs."""

ENTRY = Table(
    "search_entry",
    metadata,
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("kind", AutoString, nullable=False),
    Column("id", AutoString, nullable=False),
    Column("title", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("field_values", Text, nullable=False),
    ForeignKeyConstraint(["kind", "id"], ["registry.kind", "registry.id"]),
    Index("ix_search_entry_record", "kind", "id", unique=True),
)
"""The index document of every published record; `labels`, `scopes` and `field_values` are JSON.

`place` orders results of equal score: its upper bits are the kind's rank, so that each kind is one range. The full-text
index of `words` is in tables that only one engine has: `search_words` (FTS5) on SQLite, `search_vector` (tsvector) on
PostgreSQL.
"""

NAME = Table(
    "search_name",
    metadata,
    Column("kind", AutoString, nullable=False),
    Column("beginning", AutoString, nullable=False),
    Column("label", AutoString, nullable=False),
    Column("id", AutoString, nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "beginning", "label", "id"),
    sqlite_with_rowid=False,
)
"""Prefixes for suggestions: each name, folded, from each of its words on (`is_whole`: from its first).

`id` is the named record; empty for a term, which many records share. `n` is the number of records with the name.
"""

GRAM = Table(
    "search_gram",
    metadata,
    Column("gram", AutoString, nullable=False),
    Column("size", Integer, nullable=False),
    Column("word", AutoString, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("gram", "size", "word"),
    sqlite_with_rowid=False,
)
"""Trigrams of every word of a name, with the word's length: candidates for the correction of a mistyped word."""

FACET = Table(
    "facet_count",
    metadata,
    Column("kind", AutoString, nullable=False),
    Column("scope", AutoString, nullable=False),
    Column("field", AutoString, nullable=False),
    Column("value", AutoString, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "scope", "field", "value"),
    Index("ix_facet_count_most", "kind", "scope", "field", "n", "value"),
    sqlite_with_rowid=False,
)
"""Facet counts: the number of records by value of a field, of all records (`scope` empty) or of one treatment.

`value` is JSON: `"label"`, `true`, `null` for none.
"""

FACET_SIZE = Table(
    "facet_size",
    metadata,
    Column("kind", AutoString, nullable=False),
    Column("scope", AutoString, nullable=False),
    Column("field", AutoString, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "scope", "field"),
    sqlite_with_rowid=False,
)
"""The number of distinct values of each of these fields, without `null`: one treatment may have tens of thousands."""

SEARCH_INDEX = (ENTRY, NAME, GRAM, FACET, FACET_SIZE)
"""The tables of the search index, all of which can be rebuilt from the records."""
