"""A synthesis of our study results in every form that it has: JSON, CSV, forest plot, funnel plot."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic_core import to_json

from app.evidence.calculator.answer import COLUMNS, table_rows
from app.evidence.calculator.plots import forest_of, funnel_of
from app.formats.csv_ndjson import csv_header, csv_lines
from app.formats.svg import nothing_drawn
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
"""Of the CSV: which record a line is about; a line of a pooled result has none of them."""


def rendered_answer(answered: Answered, form: Form) -> bytes:
    """The answer in one of its forms."""
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
    lines = (to_json(line).decode() for line in _lines(answered))
    return csv_header(columns) + csv_lines(lines, columns)


def _lines(answered: Answered) -> Iterator[dict[str, Any]]:
    """The results, what they come to, and those that do not count."""
    content = answered.content
    if answered.synthesis is not None:
        results = iter(content["results"])
        for line in table_rows(answered.synthesis):
            if line["row"] == "study":
                yield {name: value for name, value in next(results).items() if name in RECORD_COLUMNS} | line
            elif content["pooled"] is not None:
                yield line
    for entry in content["excluded"]:
        yield {name: entry[name] for name in (*RECORD_COLUMNS, "label")} | {"row": "excluded"}
