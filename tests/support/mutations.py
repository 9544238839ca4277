"""`make mutations`: takes each control of SECURITY.md out of a copy of the program, and its test must go red.

A control is a place in the code, what stands there without it, and the test that holds it. `SECURITY.md` lists them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from compileall import compile_dir
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import NamedTuple

from tests.conftest import ROOT, untraced

COPIED = ("app", "tests", "data", "docs", "pyproject.toml", "README.md", "SECURITY.md", "Makefile", "requirements.lock")
LONGEST_SECONDS = 120
"""A test that hangs without its control has found that it is missing."""


class Control(NamedTuple):
    """What keeps something out: its risk (OWASP API Security Top 10, 2023), its place, and the test that holds it."""

    risk: str
    words: str
    file: str
    code: str
    without: str
    test: str


CONTROLS = (
    # Who may do what
    Control(
        "API5",
        "A write without a key that may write is refused before anything of it is looked at",
        "app/web/middleware/checks.py",
        "admit(caller, needed)",
        "pass",
        "tests/web/test_keys.py::test_what_is_wrong_with_a_write_is_told_to_whoever_may_write",
    ),
    Control(
        "API5",
        "What writes asks again who the caller is",
        "app/web/auth.py",
        'return admit(request.scope.get("caller"), needed)',
        'return request.scope.get("caller")  # type: ignore[return-value]',
        "tests/web/test_operations.py::test_what_writes_asks_again_who_the_caller_is",
    ),
    Control(
        "API5",
        "A scope includes those before it, and none behind it",
        "app/api_keys.py",
        "SCOPES.index(scope) >= SCOPES.index(needed)",
        "True",
        "tests/web/test_keys.py::test_every_operation_asks_for_the_key_that_it_declares",
    ),
    Control(
        "API2",
        "The whole key is compared, not its public part",
        "app/web/auth.py",
        "if not compare_digest(key_digest(key), stored_digest) or found is None:",
        "if found is None:",
        "tests/web/test_keys.py::test_a_key_with_one_character_changed_opens_nothing",
    ),
    Control(
        "API2",
        "A revoked key opens nothing",
        "app/web/auth.py",
        "if found.revoked_at is not None:",
        "if False:",
        "tests/web/test_keys.py::test_the_challenge_says_what_is_wrong_with_a_key",
    ),
    Control(
        "API2",
        "An expired key opens nothing",
        "app/web/auth.py",
        "if found.expires_at is not None and found.expires_at <= now():",
        "if False:",
        "tests/web/test_keys.py::test_the_challenge_says_what_is_wrong_with_a_key",
    ),
    Control(
        "API2",
        "A key is stored as its hash alone",
        "app/api_keys.py",
        "return sha256(key.encode()).hexdigest()",
        "return key",
        "tests/web/test_keys.py::test_a_key_is_shown_once_and_stored_as_its_hash_alone",
    ),
    Control(
        "API2",
        "A key is never repeated in an answer",
        "app/web/problems.py",
        "mask_keys(to_json(body, indent=2).decode())",
        "to_json(body, indent=2).decode()",
        "tests/web/test_keys.py::test_a_key_is_never_repeated",
    ),
    Control(
        "API2",
        "A key is never written to a log",
        "app/web/logging.py",
        "mask_keys(to_json(entry, fallback=str).decode())",
        "to_json(entry, fallback=str).decode()",
        "tests/web/test_operations.py::test_a_key_in_a_log_line_is_masked",
    ),
    Control(
        "API2",
        "A release holds no key",
        "app/releases/build.py",
        "*SEARCH_INDEX)",
        '*SEARCH_INDEX, metadata.tables["api_key"])',
        "tests/web/test_keys.py::test_a_release_holds_no_key",
    ),
    Control(
        "API1",
        "No cache keeps what was answered to a key",
        "app/web/middleware/gate.py",
        "if self.caller is not None:",
        "if False:",
        "tests/web/test_keys.py::test_an_answer_to_a_key_is_kept_by_no_cache",
    ),
    Control(
        "API1",
        "No answer to a request with a key enters the response cache",
        "app/web/cache.py",
        '        b"authorization",\n',
        "",
        "tests/web/test_cache.py::test_answers_to_keys_and_drafts_are_neither_taken_from_the_cache_nor_put_there",
    ),
    Control(
        "API3",
        "No cached answer is older than a write that was acknowledged",
        "app/web/cache.py",
        "now = (state, int(time.time()) // SECONDS_A_DAY)",
        "now = (DatasetState(0, 0), int(time.time()) // SECONDS_A_DAY)",
        "tests/web/test_cache.py::test_a_change_is_seen_in_the_very_next_answer",
    ),
    Control(
        "API3",
        "What depends on today changes with the day",
        "app/web/cache.py",
        "int(time.time()) // SECONDS_A_DAY",
        "0 // SECONDS_A_DAY",
        "tests/web/test_cache.py::test_another_day_has_other_answers",
    ),
    Control(
        "API4",
        "The response cache has a bound",
        "app/web/cache.py",
        "while self.bytes > self.most_bytes:",
        "while False:",
        "tests/web/test_cache.py::test_a_flood_of_addresses_stays_within_the_bound",
    ),
    Control(
        "API1",
        "The answer to an Idempotency-Key belongs to its holder",
        "app/store/write/one.py",
        "IDEMPOTENCY.c.holder == idempotency.holder, ",
        "",
        "tests/web/test_edits.py::test_an_idempotency_key_belongs_to_one_request_of_one_holder",
    ),
    Control(
        "API1",
        "A change names the version that it changes",
        "app/store/write/one.py",
        "if expected is not None and existing.version not in expected:",
        "if False:",
        "tests/web/test_edits.py::test_a_change_must_say_which_version_it_changes",
    ),
    # What may be sent
    Control(
        "API3",
        "A field that a record does not have is refused",
        "app/models/base.py",
        'model_config = SQLModelConfig(extra="forbid", ',
        'model_config = SQLModelConfig(extra="ignore", ',
        "tests/web/test_broken_bodies.py::test_an_unknown_name_in_any_object_of_any_record_is_told",
    ),
    Control(
        "API3",
        "What the server owns is passed over in a body",
        "app/models/base.py",
        "if name in cls.model_fields or name not in owned}",
        "}",
        "tests/web/test_edits.py::test_what_was_read_can_be_put_back_and_changes_nothing",
    ),
    Control(
        "API4",
        "A body that says it is too large is refused at once",
        "app/web/middleware/checks.py",
        "if announced.isdecimal() and int(announced[:20]) > largest:",
        "if False:",
        "tests/web/test_keys.py::test_what_is_wrong_with_a_write_is_told_to_whoever_may_write",
    ),
    Control(
        "API4",
        "A body that grows too large is refused on the way",
        "app/web/middleware/gate.py",
        "if self._received > self.largest_body:",
        "if False:",
        "tests/web/test_broken_bodies.py::test_a_body_that_is_too_large_is_refused_however_it_comes",
    ),
    Control(
        "API4",
        "A compressed body is refused unread",
        "app/main.py",
        "        content_coding,\n",
        "",
        "tests/web/test_operations.py::test_a_compressed_body_is_refused_before_it_is_read",
    ),
    Control(
        "API4",
        "JSON is nested 200 deep at most, found before anything is built of it",
        "app/web/strict_json.py",
        "from_json(content, allow_inf_nan=False)",
        "content.decode()",
        "tests/web/test_broken_bodies.py::test_what_is_no_json_is_told_with_its_place",
    ),
    Control(
        "API8",
        "A name stands once in an object, so that no two readers differ",
        "app/web/strict_json.py",
        "object_pairs_hook=_object, ",
        "",
        "tests/web/test_broken_bodies.py::test_what_two_readers_would_read_differently_is_refused",
    ),
    Control(
        "API4",
        "An address has an end",
        "app/web/middleware/checks.py",
        "if len(raw) + len(query) > LONGEST_ADDRESS:",
        "if False:",
        "tests/web/test_hostile.py::test_an_address_that_is_too_long_is_refused",
    ),
    Control(
        "API8",
        "An address holds no NUL",
        "app/web/middleware/checks.py",
        'if b"\\x00" in decoded:',
        "if False:",
        "tests/web/test_hostile.py::test_nul_and_what_is_not_utf8_is_refused_in_path_name_and_value",
    ),
    Control(
        "API4",
        "A page has 200 records at most",
        "app/store/read/query.py",
        "Field(ge=1, le=MOST_ROWS)",
        "Field(ge=1)",
        "tests/web/test_hostile.py::test_a_limit_out_of_range_is_refused",
    ),
    Control(
        "API4",
        "A query is cut off after a second",
        "app/db/database.py",
        "set_deadline(connection, time.monotonic() + self.query_seconds)",
        "set_deadline(connection, None)",
        "tests/web/test_wire.py::test_a_query_that_takes_too_long_is_cut_off",
    ),
    Control(
        "API4",
        "What anybody may make the metrics remember is bounded",
        "app/web/middleware/request_log.py",
        "self.routes.template(path) or NO_ROUTE",
        "self.routes.template(path) or path",
        "tests/web/test_operations.py::test_metrics_count_by_template_and_nobody_makes_them_grow",
    ),
    Control(
        "API8",
        "Connections for reading cannot write",
        "app/db/engines.py",
        "READ_PRAGMAS if read_only else PRAGMAS",
        "PRAGMAS",
        "tests/store/test_store.py::test_readers_cannot_write",
    ),
    Control(
        "API8",
        "A cursor is bound to its query",
        "app/store/read/cursors.py",
        "if named != mark:",
        "if False:",
        "tests/web/test_hostile.py::test_a_cursor_of_another_query_is_refused",
    ),
    # Where it is sent, and what is answered
    Control(
        "API8",
        "With a list of hosts no other is answered, and a malformed one never",
        "app/main.py",
        "        host_among(settings.hosts),\n",
        "",
        "tests/web/test_operations.py::test_with_a_list_only_its_hosts_are_answered_and_supervisors_always",
    ),
    Control(
        "API8",
        "Without httptools nothing starts",
        "app/web/http_parser.py",
        'if find_spec("httptools") is None:',
        "if False:",
        "tests/web/test_operations.py::test_without_httptools_nothing_starts",
    ),
    Control(
        "API8",
        "An unforeseen failure shows nothing of its insides",
        "app/web/problems.py",
        '"Something failed that should not."',
        "repr(failure.__dict__) + str(failure)",
        "tests/web/test_operations.py::test_an_unforeseen_failure_is_logged_with_trace_and_request_and_nothing_that_was_sent",
    ),
    Control(
        "API8",
        "A log holds no message of an exception, which repeats what was sent",
        "app/web/logging.py",
        "lines.append(type(cause).__qualname__)",
        "lines.append(repr(cause))",
        "tests/web/test_operations.py::test_an_unforeseen_failure_is_logged_with_trace_and_request_and_nothing_that_was_sent",
    ),
    Control(
        "API8",
        "A name of a request is repeated only when it is well-formed",
        "app/web/middleware/request_log.py",
        "if sent and _WELL_FORMED.fullmatch(sent) and mask_keys(sent.decode()) == sent.decode():",
        "if sent:",
        "tests/web/test_operations.py::test_a_name_that_is_not_well_formed_is_not_repeated",
    ),
    Control(
        "API8",
        "Any page may read, with no cookie of its own",
        "app/web/middleware/headers.py",
        '(b"access-control-allow-origin", b"*"),',
        '(b"access-control-allow-origin", b"*"), (b"access-control-allow-credentials", b"true"),',
        "tests/web/test_wire.py::test_every_answer_says_the_revision_and_may_be_read_from_any_page",
    ),
    Control(
        "API8",
        "Data is never run or framed as a page",
        "app/web/path_classes.py",
        "DATA = f\"default-src 'none'; {SEALED}\"",
        "DATA = \"default-src 'self'\"",
        "tests/web/test_operations.py::test_each_class_of_addresses_has_the_headers_that_it_needs",
    ),
    Control(
        "API8",
        "The documentation runs no script but ours",
        "app/web/path_classes.py",
        "script-src 'self'; style",
        "script-src 'self' 'unsafe-inline'; style",
        "tests/docs/test_documents.py::test_the_documentation_page_loads_nothing_from_elsewhere",
    ),
    Control(
        "API8",
        "No browser guesses another media type",
        "app/web/middleware/headers.py",
        '    (b"x-content-type-options", b"nosniff"),\n',
        "",
        "tests/web/test_operations.py::test_each_class_of_addresses_has_the_headers_that_it_needs",
    ),
    Control(
        "API8",
        "No other site learns which address was read",
        "app/web/middleware/headers.py",
        '    (b"referrer-policy", b"no-referrer"),\n',
        "",
        "tests/web/test_operations.py::test_each_class_of_addresses_has_the_headers_that_it_needs",
    ),
    Control(
        "API8",
        "A problem names no other host",
        "app/web/problems.py",
        'return "/" + quote(raw, safe="%/:@!$&\'()*+,;=~").lstrip("/")',
        'return quote(raw, safe="%/:@!$&\'()*+,;=~")',
        "tests/web/test_hostile.py::test_the_instance_of_a_problem_never_names_another_host",
    ),
    Control(
        "API8",
        "A text in CSV never starts a formula",
        "app/formats/csv_ndjson.py",
        "if text.startswith(FORMULA_STARTS)",
        "if False",
        "tests/contract/test_properties.py::test_no_text_cell_of_a_csv_starts_a_formula_and_none_breaks_the_line",
    ),
    Control(
        "API8",
        "A drawing holds no markup of a stranger",
        "app/formats/svg.py",
        "escape(",
        "str(",
        "tests/evidence/test_calculator.py::test_a_plot_runs_no_script_and_holds_no_markup_of_a_stranger",
    ),
    # What leaves the house, and what comes in
    Control(
        "API7",
        "The program asks no other host",
        "app/web/middleware/checks.py",
        "import re\n",
        "import re\nimport urllib.request\n",
        "tests/web/test_operations.py::test_the_program_asks_no_other_host",
    ),
    Control(
        "API9",
        "Every operation stands in the OpenAPI document, which is compared",
        "app/routers/health.py",
        'operation_id="get_health"',
        "include_in_schema=False",
        "tests/contract/test_openapi.py::test_the_document_is_the_snapshot",
    ),
    Control(
        "API10",
        "A release whose file was altered is not served",
        "app/releases/pool.py",
        "digest != release.sha256",
        "False",
        "tests/releases/test_releases.py::test_a_file_that_is_not_what_was_released_is_503_and_the_rest_goes_on",
    ),
    Control(
        "API10",
        "A damaged file is not taken for a backup",
        "app/releases/backups.py",
        'if found != "ok":',
        "if False:",
        "tests/releases/test_backups.py::test_a_damaged_database_is_not_taken_for_a_backup",
    ),
    Control(
        "API8",
        "Only its owner may read a backup",
        "app/releases/backups.py",
        "file.touch(mode=0o600, exist_ok=False)",
        "file.touch(mode=0o644, exist_ok=False)",
        "tests/releases/test_backups.py::test_a_backup_is_one_file_with_everything_and_comes_back",
    ),
)


def ran(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """The exit status of pytest over some tests on SQLite, and what it said; 1 for a test that hangs."""
    nodes = list(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-x", "-p", "no:cacheprovider", "-k", "not postgresql"]
    environment = {**untraced(), "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        finished = subprocess.run(
            [*command, *nodes],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS * len(nodes),
        )
    except subprocess.TimeoutExpired:
        return 1, "it hung"
    return finished.returncode, finished.stdout


def copied(folder: Path) -> None:
    """The program and its tests in another folder, compiled so that a file which changes is compiled again."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    compile_dir(folder, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)


def survives(folder: Path, control: Control) -> str | None:
    """Why a control counts as not held: its test stays green, or could not run; None when it goes red."""
    file = folder / control.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(control.code, control.without), encoding="utf-8")
    try:
        status, said = ran(folder, [control.test])
    finally:
        file.write_text(whole, encoding="utf-8")
    return None if status == 1 else f"its test is {'green' if status == 0 else 'broken'} without it: {said[-500:]}"


def main(words: Sequence[str]) -> int:
    """Take out one control after the other, or those whose words or test contain what is given."""
    chosen = [one for one in CONTROLS if not words or any(word in f"{one.words} {one.test}" for word in words)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        status, said = ran(folder, sorted({control.test for control in chosen}))
        if status:
            print(said)
            print("The tests are not green with all controls in place.")
            return 1
        alive = 0
        for number, control in enumerate(chosen, 1):
            wrong = survives(folder, control)
            alive += wrong is not None
            print(
                f"{number:3}/{len(chosen)} {'red, as it should be' if wrong is None else 'NOT HELD'}: {control.words}"
            )
            if wrong is not None:
                print(f"        {control.test}: {wrong}")
    print(f"{len(chosen) - alive} of {len(chosen)} controls are held by their test.")
    return 1 if alive else 0


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main(sys.argv[1:]))
