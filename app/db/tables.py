"""The tables that the store keeps beside the records.

Who refers to whom, codes, texts, revisions, editions, former ids, releases, keys, writes that may be sent again,
drafts, answers that stay, and the index of search with its counts.
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
"""Every record's kind (the plural) and id: what a reference may point to."""

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
"""One row for each mention of a record in another: "who cites this source" is one indexed query."""

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
"""The text of a source, where we hold it: quotes are checked against it."""

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

`reviewer` and `note` say who published what the author had sent as a draft, and what they said to it.
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
"""Every document as readers got it from a revision on: a new version, or the same one with what follows from others.

History, past versions, changes and the differences of releases are all read from here. `position` is the order within
the revision.
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
"""Former ids: their addresses lead to the record's present one."""

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
"""The frozen copies of the dataset: each a file, with its hash, its counts and what changed since the one before.

`counts` and `difference` are JSON objects.
"""

SHAPE = Table("shape", metadata, Column("digest", AutoString, nullable=False, primary_key=True))
"""The shape of the stored documents, in one row; when the program's differs, they are rendered again."""

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
"""Who may write: the public part of each key, and the SHA-256 of the whole; the key itself is nowhere.

A name is never given twice: it stands in the history as the author.
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
"""The first answer to a write that carries an `Idempotency-Key`, for a day; `request` is the hash of what was asked."""

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
"""What editors propose. Nothing here is a record: no reader, list, reference, release or revision sees it.

`document` is the record as readers would get it; `base_version` the version that it changes, null for a new record.
"""

SYNTHESIS = Table(
    "synthesis",
    metadata,
    Column("hash", AutoString, nullable=False, primary_key=True),
    Column("release", AutoString, ForeignKey("release.name"), nullable=False),
    Column("at", AutoString, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
"""A synthesis of a release as it was first answered, in every form, compressed; `hash` is that of all it rests on."""

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
"""Every record that readers see, as the index holds it; `labels`, `scopes` and `field_values` are JSON.

`place` is the order of results among equals: its upper bits are the kind's rank, so that each kind is one range. The
full text of `words` stands in tables that only one engine has: `search_words` (FTS5) on SQLite, `search_vector`
(tsvector) on PostgreSQL.
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
"""What a person may begin to type: each name, folded, from each of its words on (`is_whole`: from its first).

`id` is the thing that has the name; empty for a term, which many records share. `n` says how many records have it.
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
"""The three-letter pieces of every word of a name, with its length: where a mistyped word finds its neighbours."""

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
"""How many records have each value of each field that can be counted: in all (`scope` empty), and of one treatment.

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
"""How many values each of these fields has, `null` not counted: a field of one treatment may have tens of thousands."""

SEARCH_INDEX = (ENTRY, NAME, GRAM, FACET, FACET_SIZE)
"""What is kept of the records for search, and can be built anew from them."""
