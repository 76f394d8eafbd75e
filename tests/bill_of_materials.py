"""`make sbom`: every package that the studio needs, with its licence, as CycloneDX JSON.

Taken from what is installed: the studio with all its extras for users, none of its tools. The same
environment gives the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any, Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers import ROOT

STUDIO: Final = "sweep-studio"
EXTRAS: Final = ("examples", "import", "notebook", "parquet", "postgres", "s3")
TARGET: Final = ROOT / "dist" / "sbom.cdx.json"


def main() -> int:
    """Write the list; say how many packages have which licence."""
    bill = bill_of_materials()
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n")
    for component in bill["components"]:
        print(f"{component['name']} {component['version']}\t{_shown(component['licenses'])}")
    print(f"{len(bill['components'])} packages: {TARGET.relative_to(ROOT)}")
    return 0


def bill_of_materials() -> dict[str, Any]:
    """Return the document."""
    needs = _needed()
    studio = needs.pop(STUDIO)
    found = {name: distribution(name) for name in sorted(needs)}
    references = {STUDIO: _reference(distribution(STUDIO))}
    references |= {name: _reference(one) for name, one in found.items()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", **_described(distribution(STUDIO))}},
        "components": [{"type": "library", **_described(one)} for one in found.values()],
        "dependencies": [
            {"ref": references[name], "dependsOn": sorted(references[n] for n in names)}
            for name, names in {STUDIO: studio, **dict(sorted(needs.items()))}.items()
        ],
    }


def _needed() -> dict[str, set[str]]:
    """Return the studio and all that it needs here: name -> what each needs itself."""
    found: dict[str, set[str]] = {}
    asked: set[tuple[str, str]] = set()
    left = [(STUDIO, extra) for extra in ("", *EXTRAS)]
    while left:
        name, extra = left.pop()
        if (name, extra) in asked:
            continue
        asked.add((name, extra))
        try:
            lines = distribution(name).requires or ()
        except PackageNotFoundError:
            continue  # another package is as good: xgboost, where xgboost-cpu is
        found.setdefault(name, set())
        for requirement in _that_apply(lines, extra):
            other = canonicalize_name(requirement.name)
            left += [(other, wish) for wish in ("", *requirement.extras)]
            found[name].add(other)
    return {name: names & found.keys() - {name} for name, names in found.items()}


def _that_apply(lines: Iterable[str], extra: str) -> list[Requirement]:
    wanted = map(Requirement, lines)
    return [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": extra})]


def _described(package: Distribution) -> dict[str, Any]:
    name = canonicalize_name(package.metadata["Name"])
    reference = _reference(package)
    return {
        "bom-ref": reference,
        "name": name,
        "version": package.version,
        "licenses": _licences(package),
        "purl": reference,
    }


def _reference(package: Distribution) -> str:
    return f"pkg:pypi/{canonicalize_name(package.metadata['Name'])}@{package.version}"


def _licences(package: Distribution) -> list[dict[str, Any]]:
    """Return an expression where the package has one, else the names that it gives."""
    metadata = package.metadata
    short = metadata.get("License-Expression") or metadata.get("License") or ""
    try:
        return [{"expression": canonicalize_license_expression(short)}]
    except InvalidLicenseExpression:
        pass
    classes = metadata.get_all("Classifier") or []
    names = [c.rpartition(" :: ")[2] for c in classes if c.startswith("License :: OSI Approved ::")]
    line = short.strip().partition("\n")[0]
    return [{"license": {"name": name}} for name in names or ([line] if line else ["unknown"])]


def _shown(licences: list[dict[str, Any]]) -> str:
    return ", ".join(one.get("expression") or one["license"]["name"] for one in licences)


if __name__ == "__main__":
    sys.exit(main())
