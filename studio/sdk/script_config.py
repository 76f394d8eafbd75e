"""What is run: a script with its fixed arguments, folder, environment and compute target.

Standard library only; Python 3.8 syntax. Reads no files and calls no studio.
"""

import logging
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from studio.sdk.errors import UserErrorException

logger = logging.getLogger("studio.sdk")

# The original's default: 30 days, which is the longest the studio allows anyway.
_NO_LIMIT_SECONDS = 2592000


class Launch(NamedTuple):
    """How a sweep starts each run: the part of a specification that is not about tuning."""

    source_directory: str
    script: Optional[str]
    command: Optional[str]
    arguments: List[Any]
    compute: Optional[str]
    python: Optional[str]
    environment: Dict[str, str]
    run_timeout_minutes: Optional[float]


class PythonSection:
    """Which interpreter runs the script; None: that of the compute target."""

    def __init__(self) -> None:
        self.interpreter_path: Optional[str] = None
        self.user_managed_dependencies = True


class Environment:
    """Variables and interpreter of a run. The studio installs no packages."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.environment_variables: Dict[str, str] = {}
        self.python = PythonSection()


class RunConfiguration:
    """The same settings as an object that can be changed before it is submitted."""

    def __init__(
        self,
        script: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        command: Any = None,
    ) -> None:
        self.script = script
        self.arguments: List[Any] = list(arguments or [])
        self.command = command
        self.target: Any = None
        self.environment: Any = Environment()
        self.environment_variables: Dict[str, str] = {}
        self.max_run_duration_seconds: Optional[float] = None


class ScriptRunConfig:
    """A script (or a command) in a folder, with its fixed arguments."""

    def __init__(
        self,
        source_directory: Any = None,
        script: Optional[str] = None,
        arguments: Optional[Sequence[Any]] = None,
        run_config: Optional[RunConfiguration] = None,
        compute_target: Any = None,
        environment: Any = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: Optional[float] = _NO_LIMIT_SECONDS,
        command: Any = None,
        docker_runtime_config: Any = None,
    ) -> None:
        """`command`: text or words with `${{search_space.<name>}}`, instead of script.

        Raises:
            UserErrorException: script and command together, or a feature the studio lacks.
        """
        _refuse(distributed_job_config=distributed_job_config, resume_from=resume_from)
        if docker_runtime_config is not None:
            logger.warning("docker_runtime_config is ignored: runs are plain processes.")
        self.source_directory = "." if source_directory is None else str(source_directory)
        self.run_config = RunConfiguration() if run_config is None else run_config
        if run_config is None:
            self.run_config.target = compute_target
            self.run_config.environment = environment or Environment()
        elif compute_target is not None or environment is not None:
            logger.warning("compute_target and environment are ignored: run_config has its own.")
        self._take(script, arguments, command, is_shared=run_config is not None)
        if max_run_duration_seconds not in (None, _NO_LIMIT_SECONDS):
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
        if self.script is not None and self.command is not None:
            raise UserErrorException(
                "ScriptRunConfig: script and command are both given; remove one of them."
            )

    @property
    def script(self) -> Optional[str]:
        """The Python file in source_directory."""
        return self.run_config.script

    @script.setter
    def script(self, value: Optional[str]) -> None:
        self.run_config.script = value

    @property
    def arguments(self) -> List[Any]:
        """The fixed arguments."""
        return self.run_config.arguments

    @arguments.setter
    def arguments(self, value: Sequence[Any]) -> None:
        self.run_config.arguments = list(value)

    @property
    def command(self) -> Any:
        """The command, where there is no script."""
        return self.run_config.command

    def launch(self, sampled: Sequence[str] = ()) -> Launch:
        """Return what is run; names in `sampled` change nothing: the sampled value comes last."""
        settings = self.run_config
        variables = dict(getattr(settings, "environment_variables", None) or {})
        interpreter = None
        environment = getattr(settings, "environment", None)
        if isinstance(environment, Mapping):
            variables.update(environment)
        elif environment is not None:
            variables.update(getattr(environment, "environment_variables", None) or {})
            section = getattr(environment, "python", None)
            interpreter = getattr(section, "interpreter_path", None)
        seconds = getattr(settings, "max_run_duration_seconds", None)
        return Launch(
            source_directory=self.source_directory,
            script=self.script,
            command=_command_text(self.command),
            arguments=[plain_argument(item) for item in self.arguments or []],
            compute=compute_name(settings.target),
            python=interpreter,
            environment={str(key): str(value) for key, value in variables.items()},
            run_timeout_minutes=None if seconds is None else seconds / 60,
        )

    def _take(self, script: Any, arguments: Any, command: Any, *, is_shared: bool) -> None:
        given = {"script": script, "arguments": arguments, "command": command}
        for name, value in given.items():
            if value is None:
                continue
            if is_shared and getattr(self.run_config, name, None):
                logger.warning("%s given directly wins over that of run_config.", name)
            setattr(self.run_config, name, list(value) if name == "arguments" else value)


class Estimator:
    """The older form: a script with its arguments as a mapping."""

    def __init__(
        self,
        source_directory: Any = None,
        *,
        entry_script: Optional[str] = None,
        script_params: Optional[Mapping[str, Any]] = None,
        compute_target: Any = None,
        environment_variables: Optional[Mapping[str, str]] = None,
        **ignored: Any,
    ) -> None:
        """`script_params`: names to values; an empty text makes a flag without a value.

        Settings about packages, images and nodes are ignored with a warning.
        """
        if ignored:
            logger.warning("Estimator: %s have no meaning here.", ", ".join(sorted(ignored)))
        self.source_directory = "." if source_directory is None else str(source_directory)
        self.entry_script = entry_script
        self.script_params = dict(script_params or {})
        self.compute_target = compute_target
        self.environment_variables = dict(environment_variables or {})

    def launch(self, sampled: Sequence[str] = ()) -> Launch:
        """Return what is run, without the fixed arguments that are sampled."""
        flags = {_flag(name) for name in sampled}
        arguments: List[Any] = []
        for name, value in self.script_params.items():
            if _flag(name) in flags:
                logger.warning("Estimator: the fixed %s is dropped, it is sampled.", name)
                continue
            arguments.append(str(name))
            if not (isinstance(value, str) and value == ""):
                arguments.append(plain_argument(value))
        return Launch(
            source_directory=self.source_directory,
            script=self.entry_script,
            command=None,
            arguments=arguments,
            compute=compute_name(self.compute_target),
            python=None,
            environment=dict(self.environment_variables),
            run_timeout_minutes=None,
        )


def compute_name(target: Any) -> Optional[str]:
    """Return the name of a compute target that is given as name or object."""
    if target is None or isinstance(target, str):
        return target
    name = getattr(target, "name", None)
    if not isinstance(name, str):
        raise UserErrorException("compute_target is %r; use the name of a target." % (target,))
    return name


def plain_argument(value: Any) -> Any:
    """Return a value as JSON can carry it: numbers of numpy as numbers, the rest as text."""
    if callable(getattr(value, "item", None)) and getattr(value, "shape", None) == ():
        value = value.item()
    return value if isinstance(value, (str, int, float)) else str(value)


def _flag(name: str) -> str:
    return name if str(name).startswith("--") else "--%s" % name


def _command_text(command: Any) -> Optional[str]:
    if command is None or isinstance(command, str):
        return command
    return " ".join(str(word) for word in command)


def _refuse(**features: Any) -> None:
    for name, value in features.items():
        if value is not None:
            raise UserErrorException(
                "ScriptRunConfig: %s is not possible here; leave it out." % name, target=name
            )
