"""Two recordings side by side: which requests were answered differently, but for request ids and times."""

import difflib
import gzip
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
"""A request and its answer, as recorded."""
SHOWN_DIFFERENCES, SHOWN_LINES, MOST_NAMED = 8, 30, 300
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MADE_UP_REQUEST_ID = re.compile(r"[0-9a-f]{16}")
TAG_HASH = re.compile(r"\b[0-9a-f]{16}\b")
TAGS = ("etag", "if-match", "if-none-match")
AGE = re.compile(r'\d+(?= days older)|(?<=_days": )\d+')
"""How old a check is today, in words and as a value: another number on another day."""
DRAWING_ID = re.compile(r'(?<=[" #][tdc])[0-9a-f]{8}(?=[" )])')
"""The names that a badge gives its parts: a hash of its title and description, which may name a day."""
WORDS = ("title", "detail", "description", "summary")
"""The members of problems and of the OpenAPI document that hold human wording."""


def compare(before: Path, after: Path, *, without_texts: bool) -> int:
    """Print the first differences between two recordings; how many there are."""
    starts, recordings = [], []
    for file in (before, after):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            starts.append(json.loads(next(lines))["started"])
            recordings.append([json.loads(line) for line in lines])
    days = [datetime.fromisoformat(start) for start in starts]
    spelled = "|".join(f"{day:%Y-%m-%d}|{day.day} {day:%B %Y}" for day in days)
    rules = Rules(without_texts, days[0].date() != days[1].date(), re.compile(f"(?<![0-9T-])({spelled})(?![0-9T-])"))
    told = [
        [_told(entry, start, rules) for entry in entries] for entries, start in zip(recordings, starts, strict=True)
    ]
    asked = [[lines[0] for lines in entries] for entries in told]
    count, shown = 0, set[tuple[str, ...]]()
    for _, first, last, other_first, other_last in difflib.SequenceMatcher(
        None, asked[0], asked[1], False
    ).get_opcodes():
        pairs = max(last - first, other_last - other_first)
        for offset in range(pairs):
            old = told[0][first + offset] if first + offset < last else []
            new = told[1][other_first + offset] if other_first + offset < other_last else []
            if old != new:
                count += 1
                if count <= MOST_NAMED:
                    _show(old, new, shown)
    sizes = [len(entries) for entries in told]
    print(f"{sizes[0]} requests before, {sizes[1]} after, {count} answered differently.")
    return count


@dataclass(frozen=True)
class Rules:
    """What is passed over when two recordings are compared."""

    is_without_texts: bool
    is_on_two_days: bool
    """Answers that name the present day, or ages, have other hashes and lengths then."""
    days: re.Pattern[str]


def _told(entry: Entry, start: str, rules: Rules) -> list[str]:
    """A request and its answer as lines, the request first, without what no two recordings have in common."""
    are_bytes_loose = rules.is_without_texts or rules.is_on_two_days
    passed_over = {"date", "server-timing"} | ({"content-length"} if are_bytes_loose else set())
    if entry["path"] == "/metrics":
        passed_over.add("content-length")
    sent = [(f"sent {name}", value) for name, value in entry["sent"].items()]
    answered = [(name, value) for name, value in entry["headers"] if name not in passed_over]
    lines = [f"{entry['method']} {entry['path']}", f"body sent: {entry.get('body_sent', '')}"]
    for name, value in [*sent, ("status", str(entry["status"])), *answered]:
        line = f"{name}: {value}"
        if name == "x-request-id":
            line = MADE_UP_REQUEST_ID.sub("<id>", line)
        elif (entry["is_after_writes"] or are_bytes_loose) and name.removeprefix("sent ").lower() in TAGS:
            line = TAG_HASH.sub("<hash>", line)
        lines.append(line)
    media_type = next((value for name, value in entry["headers"] if name == "content-type"), "")
    lines += _body_lines(entry["body"], media_type, entry["path"], without_texts=rules.is_without_texts)
    shown = [INSTANT.sub(lambda found: "<instant>" if found[0] >= start else found[0], line) for line in lines]
    if are_bytes_loose and media_type.startswith("image/svg"):
        shown = [DRAWING_ID.sub("<hash>", line) for line in shown]
    shown = [AGE.sub("<age>", line) for line in shown] if rules.is_on_two_days else shown
    return [rules.days.sub("<day>", line) for line in shown]


def _body_lines(body: Any, media_type: str, path: str, *, without_texts: bool) -> list[str]:
    if not isinstance(body, str):
        return [json.dumps(body)]
    text: str = body
    if without_texts and media_type.startswith("text/html"):
        text = re.sub(r'(\s(?:alt|title|aria-label|placeholder|content))="[^"]*"', r'\1=""', text)
        text = re.sub(r">[^<]+<", "><", text)
    if "json" not in media_type or "ndjson" in media_type:
        return text.replace("><", ">\n<").splitlines()
    try:
        content = json.loads(text)
    except ValueError:
        return text.splitlines()
    if without_texts and (path.startswith("/openapi.json") or "problem" in media_type):
        content = _wordless(content)
    return json.dumps(content, indent=1, ensure_ascii=False).splitlines()


def _wordless(value: Any) -> Any:
    """A JSON value without the members that hold human wording."""
    if isinstance(value, dict):
        return {k: _wordless(v) for k, v in value.items() if not (k in WORDS and isinstance(v, str))}
    return [_wordless(item) for item in value] if isinstance(value, list) else value


def _show(old: list[str], new: list[str], shown: set[tuple[str, ...]]) -> None:
    """Print what differs between two answers; of later ones, and of those that differ as one before, the request."""
    lines = list(difflib.unified_diff(old, new, "before", "after", lineterm="", n=1))[2:]
    kind = tuple(line for line in lines if re.match(r"[+-](?!etag|content-length|sent)", line))[:4]
    if kind in shown or len(shown) >= SHOWN_DIFFERENCES:
        print(f"--- {(old or new)[0][:150]}")
        return
    shown.add(kind)
    print(f"--- {(old or new)[0][:300]}")
    print("\n".join(line[:300] for line in lines[:SHOWN_LINES]))
