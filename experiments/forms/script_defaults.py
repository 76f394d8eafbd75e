"""What a sweep's script takes for its hyperparameters when it is given none."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any, Final

from experiments.models import Sweep
from experiments.script_reader import MAX_BYTES, read_script
from experiments.services.snapshots import snapshot_path
from experiments.space.space import argument_name
from experiments.spec_command import split_command

# A snapshot that was removed or damaged is no reason to show nothing else.
_UNREADABLE: Final = (OSError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)


def script_defaults(sweep: Sweep) -> dict[str, Any]:
    """Return the defaults that the script declares, by hyperparameter; only those it says."""
    name = _script_of(sweep)
    if not name:
        return {}
    try:
        with zipfile.ZipFile(snapshot_path(sweep.snapshot)) as archive, archive.open(name) as file:
            source = file.read(MAX_BYTES + 1)
    except _UNREADABLE:
        return {}
    declared = {
        option: argument.default
        for argument in read_script(source).arguments
        if argument.takes_one_value and argument.default is not None
        for option in argument.options
    }
    options = {name: argument_name(name) for name in sweep.spec["search_space"]}
    return {name: declared[option] for name, option in options.items() if option in declared}


def _script_of(sweep: Sweep) -> str:
    script = sweep.spec.get("script")
    if script:
        return str(script).removeprefix("./")
    try:
        words = split_command(sweep.spec.get("command") or "")
    except ValueError:
        return ""
    return next((word.removeprefix("./") for word in words if word.endswith(".py")), "")
