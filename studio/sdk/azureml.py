"""Run a program written for Azure ML against this studio: python -m studio.sdk.azureml PROGRAM ...

Puts stand-ins for the `azureml` packages on the search path, last, so that a real package always
wins. In a notebook: `import studio.sdk.azureml; studio.sdk.azureml.enable()`.
Standard library only; Python 3.8 syntax.
"""

import importlib.util
import runpy
import sys
from pathlib import Path
from typing import List, Optional

_USAGE = "usage: python -m studio.sdk.azureml PROGRAM.py [argument ...]  (or -m MODULE ...)"


def enable() -> bool:
    """Offer the stand-ins to this process; False where the real package is installed."""
    compat = _compat_folder()
    if compat is None or str(compat) in sys.path:
        return compat is not None
    if importlib.util.find_spec("azureml") is not None:
        return False
    sys.path.append(str(compat))
    return True


def main(words: List[str]) -> None:
    """Run a program as `python` would, with the stand-ins."""
    is_module = words[:1] == ["-m"]
    words = words[1:] if is_module else words
    if not words or words[0] in ("-h", "--help"):
        sys.stderr.write(_USAGE + "\n")
        raise SystemExit(0 if words else 2)
    if not is_module and not Path(words[0]).is_file():
        sys.stderr.write("There is no program '%s'.\n%s\n" % (words[0], _USAGE))
        raise SystemExit(2)
    sys.argv = words
    # As for any program, its own folder comes first.
    sys.path[0] = "" if is_module else str(Path(words[0]).resolve().parent)
    if not enable():
        sys.stderr.write("The real azureml package is installed; the program gets that one.\n")
    if is_module:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(words[0], run_name="__main__")


def _compat_folder() -> Optional[Path]:
    """Return where the stand-ins are: in a run's copy of the client, or in the installed studio."""
    root = Path(__file__).resolve().parent.parent.parent
    for folder in (root / "compat", root / "runner" / "compat"):
        if (folder / "azureml").is_dir():
            return folder
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
