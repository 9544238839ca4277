"""`make audit`: is anything that we pin known to be vulnerable? Says so too when nobody could tell.

pip-audit is green when an advisory service knows none of the packages, and passes over those of other platforms. So the
pins are counted here: every one of the lock, for whatever platform, was looked up, or the audit fails.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

LOCK = ROOT / "requirements.lock"
SERVICES = ("pypi", "osv")
"""Where advisories come from: the second is asked when the first does not know every package."""
SOUND, VULNERABLE, UNKNOWN = 0, 1, 3
"""Exit statuses."""
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
Package = tuple[str, str]


def pins(lock: str) -> list[Package]:
    """Name and version of every package of a lock file, whichever platform it is for."""
    return [(name, version) for name, version in PIN.findall(lock)]


def rounds(packages: list[Package]) -> Iterator[list[Package]]:
    """The packages so that each name stands once in a round: pip-audit takes no name twice."""
    rest = packages
    while rest:
        first = dict(reversed(rest))
        chosen = list(first.items())
        yield chosen
        rest = [one for one in rest if one not in chosen]


def asked(packages: list[Package], service: str) -> list[dict[str, Any]]:
    """What pip-audit says of some packages; nothing when it cannot reach the service."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pins.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in packages), encoding="utf-8")
        words = ["pip_audit", "-r", str(file), "--no-deps", "--disable-pip", "-s", service, "-f", "json"]
        command = [sys.executable, "-m", *words, "--progress-spinner", "off", "--timeout", "10"]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    start = finished.stdout.find("{")
    found: list[dict[str, Any]] = json.loads(finished.stdout[start:])["dependencies"] if start >= 0 else []
    return found


def judged(packages: list[Package], answers: list[dict[str, Any]]) -> tuple[int, str]:
    """The exit status and its message: VULNERABLE goes before UNKNOWN, and nothing unknown is SOUND."""
    looked_up = {(answer["name"], answer["version"]) for answer in answers if "skip_reason" not in answer}
    missed = [f"{name} {version}" for name, version in packages if (name, version) not in looked_up]
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in answers
        for flaw in one.get("vulns", ())
    ]
    lines.append(f"{len(packages) - len(missed)} of {len(packages)} packages of {LOCK.name} were looked up.")
    if missed:
        lines.append(f"NOT LOOKED UP, so nothing is known of: {', '.join(missed)}.")
    vulnerable = any(one.get("vulns") for one in answers)
    return (VULNERABLE if vulnerable else UNKNOWN if missed else SOUND), "\n".join(lines)


def main() -> int:
    """Ask one service after the other until every package is known."""
    packages = pins(LOCK.read_text(encoding="utf-8"))
    status, words = UNKNOWN, ""
    for service in SERVICES:
        answers = [answer for chosen in rounds(packages) for answer in asked(chosen, service)]
        status, words = judged(packages, answers)
        print(f"{service}: {words}")
        if status != UNKNOWN:
            return status
    print("The advisory services could not be asked about every package: this is no clean bill of health.")
    return status


if __name__ == "__main__":
    sys.exit(main())
