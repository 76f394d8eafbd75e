"""The command of an attempt at a run: the words that are started, and their environment."""

from __future__ import annotations

from django.conf import settings

from experiments.services.runs import ClaimedRun
from experiments.spec_command import resume_words
from runner.environment import run_environment, studio_url
from runner.interpreter import choose_python, own_environment
from runner.workdir import Workdir, client_directory


def command_of(claimed: ClaimedRun, workdir: Workdir) -> tuple[list[str], dict[str, str]]:
    """Return the whole command, word by word, and the environment it is started in."""
    spec = claimed.spec
    python = spec.python or choose_python(claimed.compute_python)
    env = run_environment(
        run_id=claimed.public_id,
        token=claimed.token,
        studio_url=studio_url(settings.STUDIO_HOME),
        journal=workdir.journal,
        client=client_directory(settings.STUDIO_HOME),
        python=python,
        extra={
            **claimed.compute_environment,
            **own_environment(),
            **spec.environment,
            **spec.environment_for(claimed.params),
        },
        mlflow_experiment=str(claimed.experiment_id),
    )
    if claimed.resume_from is not None:
        # What scripts of Azure ML may read instead of --resume-from.
        env["AZUREML_DATAREFERENCE_MODEL_LOCATION"] = str(workdir.resumed)
    return [*spec.argv(claimed.params, python), *_resume_words(claimed, workdir)], env


def script_arguments(claimed: ClaimedRun, workdir: Workdir) -> list[str] | None:
    """Return what the script is given, where that is not what the run was created with."""
    words = _resume_words(claimed, workdir)
    return [*claimed.arguments, *words] if words else None


def _resume_words(claimed: ClaimedRun, workdir: Workdir) -> list[str]:
    return resume_words(str(workdir.resumed)) if claimed.resume_from else []
