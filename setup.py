"""What pyproject.toml cannot say: a wheel has the notebook's widget, made of files in static/."""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

_SOURCE = Path(__file__).resolve().parent / "studio" / "sdk" / "widget_source.py"


class BuildWithWidget(build_py):
    """Writes the widget's script and style beside the modules of a wheel."""

    def run(self) -> None:
        super().run()
        # An editable install reads the files of the checkout.
        if not self.editable_mode:
            runpy.run_path(str(_SOURCE))["write_to"](Path(self.build_lib) / "studio" / "widget")


setup(cmdclass={"build_py": BuildWithWidget})
