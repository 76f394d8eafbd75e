"""Stand-in for `azureml.core.script_run_config`."""

from studio.sdk import ScriptRunConfig

__all__ = ["ScriptRunConfig"]
