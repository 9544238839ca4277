"""Set-up installs what the locks name, whatever newer versions a registry offers (pip, "Repeatable Installs")."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

BACKEND = '''"""A build backend (PEP 517, PEP 660) whose wheels are ready."""
import shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy("ready/made_up_project-1.0-py3-none-any.whl", folder).rpartition("/")[2]
'''
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
LOCKED = {"made-up-runner": "1.0", "made-up-plugin": "1.0"}
"""What the made-up lock pins; the runner asks for an extra of the plugin, as one of our own did."""


def write_wheel(folder: Path, name: str, version: str, requires: str | None = None) -> str:
    """Write the wheel of a package without a module into a folder; returns its SHA-256."""
    stem = name.replace("-", "_") + f"-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
    files = {
        f"{stem}.dist-info/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: made-up\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**files, f"{stem}.dist-info/RECORD": record}.items():
            archive.writestr(path, content)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture
def locked_project(tmp_path: Path) -> Path:
    """A project with our Makefile and made-up locks, beside an index that offers a newer version of everything."""
    index, project = tmp_path / "index", tmp_path / "project"
    write_wheel(project / "ready", "made-up-project", "1.0", "made-up-runner>=1")
    (project / "backend.py").write_text(BACKEND)
    (project / "pyproject.toml").write_text(PROJECT)
    shutil.copy(ROOT / "Makefile", project)
    lock = ""
    for version in ("1.0", "2.0"):
        for name, pinned in LOCKED.items():
            requires = f"made-up-plugin[toml]>={version}" if name == "made-up-runner" else None
            digest = write_wheel(index / name, name, version, requires)
            lock += f"{name}=={version} --hash=sha256:{digest}\n" if version == pinned else ""
    for name in LOCKED:
        links = "".join(f'<a href="{wheel.name}">{wheel.name}</a>\n' for wheel in (index / name).glob("*.whl"))
        (index / name / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n")
    (project / "requirements.lock").write_text(lock)
    (project / "requirements-dev.lock").write_text(lock)
    return project


def test_set_up_does_not_depend_on_what_is_newer_than_the_lock(locked_project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_INDEX_URL": (locked_project.parent / "index").as_uri(), "PIP_CONFIG_FILE": os.devnull}
    python = f"PYTHON={sys.base_prefix}/bin/python3"
    finished = subprocess.run(
        ["make", "setup-dev", python], cwd=locked_project, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    listed = subprocess.run(
        [".venv/bin/python", "-m", "pip", "list", "--format=freeze"],
        cwd=locked_project, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    installed = dict(line.partition("==")[::2] for line in listed.splitlines())
    assert {name: installed.get(name) for name in LOCKED} == LOCKED


def test_every_install_takes_the_lock_as_it_is() -> None:
    for name in ("Makefile", "Dockerfile", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            assert "pip install" not in line or "--no-deps" in line, f"{name}: {line} resolves"


def test_the_locks_name_all_that_is_needed() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )  # a lock that lacks a dependency installs without complaint, because nothing is resolved
    assert finished.returncode == 0, finished.stdout
