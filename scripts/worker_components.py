"""What the Python worker is installed with, for `npm run package`: prints {"bill", "notices"} as JSON.

.venv/bin/python scripts/worker_components.py

The packages are those that its extras demand and that are installed here, with all that these demand in turn.
"""

import json
import re
import tomllib
from collections import deque
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cassl_worker.version import VERSION

PYPROJECT = Path(__file__).parent.parent / "worker-py/pyproject.toml"
RULE = "-" * 80


def main() -> None:
    found = sorted(components().items())
    print(json.dumps({"bill": bill_of(found), "notices": notices_of(found)}))


def components() -> dict[str, Distribution]:
    """By name, without the worker itself."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    extras = [texts for extra, texts in project["optional-dependencies"].items() if extra != "dev"]
    pending = deque(Requirement(text) for texts in (project["dependencies"], *extras) for text in texts)
    found: dict[str, Distribution] = {}
    while pending:
        requirement = pending.popleft()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        pending.extend(requirements_of(found[name], requirement.extras))
    return found


def requirements_of(package: Distribution, extras: set[str]) -> list[Requirement]:
    """Those that hold on this platform with these extras."""
    environments: list[dict[str, str]] = [{"extra": extra} for extra in ("", *extras)]
    wanted = [Requirement(text) for text in package.requires or []]
    return [one for one in wanted if one.marker is None or any(one.marker.evaluate(given) for given in environments)]


def licence_of(package: Distribution) -> str:
    """As its metadata give it: an expression, a name, or its trove classifiers."""
    given = package.metadata.get_all
    named = "".join((given("License-Expression") or given("License") or [])[:1]).strip()
    classifiers = [text.split(" :: ")[-1] for text in given("Classifier") or [] if text.startswith("License")]
    # Some put the whole text where its name belongs.
    return named if named and len(named) < 80 else ", ".join(classifiers) or "see its text"


def licence_texts(package: Distribution) -> str:
    files = [file for file in package.files or [] if re.match(r"(?i)(licen[cs]e|copying|notice)", file.name)]
    inside = [Path(str(file.locate())) for file in files if ".dist-info" in str(file)]
    texts = [file.read_text(errors="replace").replace("\r", "").strip() for file in inside]
    return f"\n\n{RULE}\n\n".join(dict.fromkeys(texts)) or "Its package holds no text of its licence."


def bill_of(found: list[tuple[str, Distribution]]) -> dict[str, Any]:
    """A CycloneDX 1.5 bill of materials."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component("cassl-worker", VERSION, "Apache-2.0")},
        "components": [component(name, package.version, licence_of(package)) for name, package in found],
    }


def component(name: str, version: str, licence: str) -> dict[str, Any]:
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"name": licence}}],
    }


def notices_of(found: list[tuple[str, Distribution]]) -> str:
    """Equal texts once."""
    by_text: dict[str, list[str]] = {}
    for name, package in found:
        title = f"{name} {package.version}: {licence_of(package)}"
        by_text.setdefault(licence_texts(package), []).append(title)
    sections = ["\n".join([RULE, *titles, "", text]) for text, titles in by_text.items()]
    return "\n\n".join(["cassl-worker is installed with these Python packages.", *sections]) + "\n"


if __name__ == "__main__":
    main()
