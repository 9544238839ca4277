"""Clients that tools make from the OpenAPI document: it has no fault, and what they make reads the service."""

import json
import os
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import JS, packages, program, run, tool

PYTHON_READER = """
import json, sys, warnings
warnings.simplefilter("error")
from treatment_evidence_api_client import Client, models
from treatment_evidence_api_client.types import UNSET
from treatment_evidence_api_client.api.lookup import lookup_code
from treatment_evidence_api_client.api.study_results import list_study_results
from treatment_evidence_api_client.api.treatments import get_treatment, get_treatment_dossier, list_treatments

with Client(base_url=sys.argv[1], raise_on_unexpected_status=True) as client:
    biologics = list_treatments.sync(client=client, kind=[models.TreatmentKind.BIOLOGIC], count="exact")
    assert isinstance(biologics, models.TreatmentPage), biologics
    assert all(isinstance(item, models.Treatment) for item in biologics.items)
    assert biologics.total == len(biologics.items)

    treatment = get_treatment.sync("onabotulinumtoxina", client=client)
    assert isinstance(treatment, models.TreatmentAnswer), treatment
    assert isinstance(treatment.dose_unit, models.DoseUnit)
    assert treatment.dose_unit.interchangeable_with == []

    some = get_treatment.sync("onabotulinumtoxina", client=client, fields="name")
    assert isinstance(some, models.TreatmentFields), some
    assert some.to_dict() == {"id": "onabotulinumtoxina", "name": treatment.name}

    ids, cursor = [], UNSET
    while True:
        page = list_study_results.sync(
            client=client, condition=["chronic-migraine"], include="study", limit=4, sort="-id", cursor=cursor
        )
        assert isinstance(page, models.StudyResultPage), page
        for result in page.items:
            assert isinstance(result, models.StudyResult)
            assert all(isinstance(arm, models.ResultArm) for arm in result.arms)
            assert isinstance(page.included.studies[result.study], models.Study)
            ids.append(result.id)
        cursor = page.next_
        if cursor is None:
            break
    assert ids == sorted(ids, reverse=True)

    dossier = get_treatment_dossier.sync("onabotulinumtoxina", client=client, condition="chronic-migraine")
    assert isinstance(dossier, models.Dossier), dossier
    assert dossier.study_results.total == len(dossier.study_results.items) > 0
    source = dossier.approvals.items[0].citations[0].source
    assert isinstance(dossier.included.sources[source], models.Source)

    found = lookup_code.sync(client=client, system="ATC", code="M03AX01")
    assert isinstance(found, models.LookupAnswer), found

    absent = get_treatment.sync_detailed("no-such-treatment", client=client)
    assert isinstance(absent.parsed, models.ProblemDetails), absent
    assert absent.parsed.status == absent.status_code == 404

print(json.dumps({"ids": ids, "found": [hit.id for hit in found.items], "unit": treatment.dose_unit.label}))
"""


@pytest.fixture(scope="module")
def openapi_file(live_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document as the running service gives it."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(fetched(f"{live_server}/openapi.json"))
    return path


@pytest.fixture(scope="module")
def front_end_project(openapi_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front-end project with generated types, our checked-in programs and the packages."""
    folder = tmp_path_factory.mktemp("front-end")
    for name in ("read.ts", "wrong.ts", "tsconfig.json"):
        shutil.copy(JS / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(packages())
    made = run([tool("openapi-typescript"), openapi_file, "-o", "api.d.ts"], cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "⚠" not in made.stdout + made.stderr
    return folder


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bytes(answer.read())


def read_json(url: str) -> Any:
    return json.loads(fetched(url))


def test_the_lock_file_names_no_registry_and_pins_every_package_by_its_hash() -> None:
    text = (JS / "package-lock.json").read_text()
    locked = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert '"resolved"' not in text
    assert "registry" not in text
    assert [name for name, entry in locked.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    wanted = json.loads((JS / "package.json").read_text())["devDependencies"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_redocly_finds_nothing_to_complain_about(openapi_file: Path) -> None:
    answer = run(
        [tool("redocly"), "lint", openapi_file, "--config", JS / "redocly.yaml", "--format", "json"],
        cwd=openapi_file.parent,
    )
    found = json.loads(answer.stdout)
    problems = [f"{problem['ruleId']}: {problem['message']}" for problem in found["problems"]]
    assert problems == []
    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}
    assert answer.returncode == 0, answer.stderr


def test_a_front_end_in_strict_typescript_reads_the_service(front_end_project: Path, live_server: str) -> None:
    compiled = run([tool("tsc"), "--project", ".", "--pretty", "false"], cwd=front_end_project)
    assert compiled.stdout + compiled.stderr == ""
    assert compiled.returncode == 0

    starter = (
        "const { read } = await import('./out/read.js'); console.log(JSON.stringify(await read(process.argv[1])));"
    )
    answer = run([program("node"), "--input-type=module", "--eval", starter, live_server], cwd=front_end_project)
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)

    treatments = read_json(f"{live_server}/v1/treatments?kind=biologic&kind=drug&sort=name&limit=200")["items"]
    assert told["names"] == [treatment["name"] for treatment in treatments]
    assert told["total"] == len(treatments)
    one = {"id": "onabotulinumtoxina", "name": "OnabotulinumtoxinA", "kind": "biologic", "unit": "Botox units"}
    assert told["one"] == one
    results = read_json(f"{live_server}/v1/study-results?condition=chronic-migraine&count=exact")
    assert len(told["results"]) == results["total"] > 3
    assert told["pages"] == -(-results["total"] // 3)
    assert told["orphans"] == []
    dossier = read_json(f"{live_server}/v1/treatments/onabotulinumtoxina/dossier")
    refused = [item for item in dossier["approvals"]["items"] if item["status"] == "not-approved"]
    assert told["dossier"] == {
        "treatment": "onabotulinumtoxina",
        "refused": len(refused),
        "disclaimer": dossier["disclaimer"],
    }
    problem = f"{live_server}/problems/invalid-parameter"
    assert told["error"] == {"status": 422, "type": problem, "parameter": "sort", "nearest": "percent"}


def test_the_types_find_every_mistake_of_a_careless_front_end(front_end_project: Path) -> None:
    (front_end_project / "tsconfig.wrong.json").write_text('{"extends": "./tsconfig.json", "files": ["wrong.ts"]}')
    compiled = run(
        [tool("tsc"), "--project", "tsconfig.wrong.json", "--noEmit", "--pretty", "false"], cwd=front_end_project
    )
    assert compiled.returncode != 0
    wrong = (front_end_project / "wrong.ts").read_text().splitlines()
    expected = [number for number, line in enumerate(wrong, 1) if line.startswith("export const ")]
    errors = [line for line in compiled.stdout.splitlines() if line.startswith("wrong.ts(")]
    assert [int(error.removeprefix("wrong.ts(").split(",")[0]) for error in errors] == expected


def test_a_generated_python_client_reads_the_service_into_typed_objects(
    openapi_file: Path, live_server: str, tmp_path: Path
) -> None:
    ours = Path(sys.executable).parent
    with_ruff = {"PATH": f"{ours}{os.pathsep}{os.environ['PATH']}"}  # it formats what it makes with our ruff
    command: list[str | Path] = [ours / "openapi-python-client", "generate", "--path", openapi_file]
    as_bytes = (f"{name}: application/octet-stream" for name in ("application/vnd.sqlite3", "application/x-ndjson"))
    (tmp_path / "config.yml").write_text(f"content_type_overrides: {{{', '.join(as_bytes)}}}")
    options: list[str | Path] = ["--output-path", tmp_path / "client", "--config", "config.yml", "--fail-on-warning"]
    made = run([*command, *options], cwd=tmp_path, environment=with_ruff)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (made.stdout + made.stderr).strip() == f"Generating {tmp_path / 'client'}"

    (tmp_path / "reader.py").write_text(PYTHON_READER)
    answer = run(
        [sys.executable, "reader.py", live_server], cwd=tmp_path, environment={"PYTHONPATH": str(tmp_path / "client")}
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)

    results = read_json(f"{live_server}/v1/study-results?condition=chronic-migraine&sort=-id&limit=200")["items"]
    found = read_json(f"{live_server}/v1/lookup?system=atc&code=M03AX01")["items"]
    assert told["ids"] == [result["id"] for result in results]
    assert told["found"] == [hit["id"] for hit in found] != []
    assert told["unit"] == "Botox units"
