"""FastAPI and SQLModel as their tutorials write it: sessions by dependency, tables, response models."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import selectinload
from sqlmodel import JSON, Field, Relationship, Session, SQLModel, col, create_engine, select

engine = create_engine(
    f"sqlite:///{os.environ['PEERS_DATABASE']}", connect_args={"check_same_thread": False}, pool_size=40
)
app = FastAPI()


class Condition(SQLModel, table=True):
    """A condition."""

    id: str = Field(primary_key=True)
    name: str
    definition: str | None


class Treatment(SQLModel, table=True):
    """A treatment."""

    id: str = Field(primary_key=True)
    name: str
    kind: str
    definition: str | None


class SideEffectBase(SQLModel):
    """What a side effect has, in the table and in answers."""

    id: str = Field(primary_key=True)
    citations: list[dict[str, Any]] = Field(sa_type=JSON)
    treatment: str = Field(foreign_key="treatment.id", index=True)
    condition: str | None = Field(foreign_key="condition.id", index=True)
    term: str
    organ_class: str | None
    serious: bool | None
    basis: str
    attribution: str
    study: str | None
    arms: list[dict[str, Any]] = Field(sa_type=JSON)
    frequency: str | None
    affected: int | None
    at_risk: int | None
    percent: float | None
    missing: dict[str, Any] = Field(sa_type=JSON)
    curator_checked: str | None
    version: int
    created_at: str
    updated_at: str
    state: str
    verification: str | None
    checked_on: str | None
    source_status: str | None
    needs_review: bool
    review_due: str | None
    superseded_by: str | None


class SideEffect(SideEffectBase, table=True):
    """A side effect."""

    __tablename__ = "side_effect"
    about: Condition | None = Relationship()


class SideEffectWithCondition(SideEffectBase):
    """A side effect with its condition."""

    about: Condition | None


class Page(SQLModel):
    """A list of side effects."""

    items: list[SideEffectBase]


class PageWithConditions(SQLModel):
    """A list of side effects with their conditions."""

    items: list[SideEffectWithCondition]


def get_session() -> Iterator[Session]:
    """A session for one request."""
    with Session(engine) as session:
        yield session


OneSession = Annotated[Session, Depends(get_session)]


def _selected(session: Session, treatment: str | None, limit: int, sort: str, *options: Any) -> Any:
    order = col(SideEffect.percent).desc() if sort == "-percent" else col(SideEffect.id)
    statement = select(SideEffect).options(*options).order_by(order).limit(limit)
    if treatment is not None:
        statement = statement.where(SideEffect.treatment == treatment)
    return {"items": session.exec(statement).all()}


@app.get("/side-effects")
def read_side_effects(session: OneSession, treatment: str | None = None, limit: int = 20, sort: str = "id") -> Page:
    """A list, all of it or of one treatment."""
    return _selected(session, treatment, limit, sort)  # type: ignore[no-any-return]  # FastAPI makes the page


@app.get("/side-effects-with-conditions")
def read_with_conditions(session: OneSession, treatment: str, limit: int = 20) -> PageWithConditions:
    """A list of one treatment, each with its condition."""
    return _selected(session, treatment, limit, "id", selectinload(SideEffect.about))  # type: ignore[no-any-return, arg-type]  # as SQLModel documents it


@app.get("/side-effects/{side_effect_id}")
def read_side_effect(side_effect_id: str, session: OneSession) -> SideEffectBase:
    """One side effect."""
    found = session.get(SideEffect, side_effect_id)
    if found is None:
        raise HTTPException(status_code=404)
    return found


@app.get("/treatments/{treatment_id}/side-effects")
def read_side_effects_of(treatment_id: str, session: OneSession, limit: int = 20) -> Page:
    """A list of one treatment, which must be there."""
    if session.get(Treatment, treatment_id) is None:
        raise HTTPException(status_code=404)
    return _selected(session, treatment_id, limit, "id")  # type: ignore[no-any-return]  # FastAPI makes the page
