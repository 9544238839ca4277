"""Renders a synthesis in each of its formats: JSON, CSV, forest plot (SVG), funnel plot (SVG)."""

from collections.abc import Iterator
from typing import Any, Literal

from app.evidence.calculator.answer import COLUMNS, table_rows
from app.evidence.calculator.plots import forest_of, funnel_of
from app.formats.csv_ndjson import csv_header, csv_lines
from app.formats.svg import nothing_drawn
from app.json_codec import to_json
from app.reports.synthesis.answer import Answered

Form = Literal["json", "csv", "forest", "funnel"]
RECORD_COLUMNS = (
    "id",
    "version",
    "study",
    "treatment",
    "comparator",
    "outcome",
    "time_frame_days",
    "synthesis",
    "finding",
    "source_status",
    "reason",
    "detail",
)
"""CSV columns that identify the record of a row; empty in rows of a pooled result."""


def rendered_answer(answered: Answered, form: Form) -> bytes:
    """The answer as bytes (UTF-8) in one format."""
    if form == "json":
        return to_json(answered.content)
    if form == "csv":
        return _csv(answered).encode()
    if answered.analysis is None or answered.synthesis is None:
        return nothing_drawn(str(answered.captions.title), str(answered.content["not_pooled"])).encode()
    draw = forest_of if form == "forest" else funnel_of
    return draw(answered.captions, answered.analysis, answered.synthesis).encode()


def _csv(answered: Answered) -> str:
    columns = (*COLUMNS[:3], *RECORD_COLUMNS, *COLUMNS[3:])
    lines = (to_json(row).decode() for row in _rows(answered))
    return csv_header(columns) + csv_lines(lines, columns)


def _rows(answered: Answered) -> Iterator[dict[str, Any]]:
    """The CSV rows: counted results and their pooled estimates, then excluded results."""
    content = answered.content
    if answered.synthesis is not None:
        results = iter(content["results"])
        for row in table_rows(answered.synthesis):
            if row["row"] == "study":
                yield {name: value for name, value in next(results).items() if name in RECORD_COLUMNS} | row
            elif content["pooled"] is not None:
                yield row
    for entry in content["excluded"]:
        yield {name: entry[name] for name in (*RECORD_COLUMNS, "label")} | {"row": "excluded"}
