"""Client of the studio for scripts and programs: standard library only, importable anywhere.

Every name is loaded when it is first used: a script that needs `Run` pays for nothing else.
"""

from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from studio.sdk.errors import (
        ActivityFailedException,
        AzureMLException,
        ExperimentExecutionException,
        HyperDriveConfigException,
        HyperDriveException,
        HyperDriveNotImplementedException,
        HyperDriveRehydrateException,
        RunEnvironmentException,
        UserErrorException,
    )
    from studio.sdk.hyperdrive_config import HyperDriveConfig, HyperDriveRunConfig
    from studio.sdk.hyperdrive_expressions import (
        choice,
        lognormal,
        loguniform,
        normal,
        qlognormal,
        qloguniform,
        qnormal,
        quniform,
        randint,
        uniform,
    )
    from studio.sdk.hyperdrive_policies import (
        BanditPolicy,
        EarlyTerminationPolicy,
        MedianStoppingPolicy,
        NoTerminationPolicy,
        PrimaryMetricGoal,
        TruncationSelectionPolicy,
    )
    from studio.sdk.hyperdrive_samplings import (
        BayesianExtendedParameterSampling,
        BayesianParameterSampling,
        GridParameterSampling,
        HyperParameterSampling,
        RandomParameterSampling,
    )
    from studio.sdk.model import Model
    from studio.sdk.results import HyperDriveRun
    from studio.sdk.run import Run
    from studio.sdk.script_config import Environment, Estimator, RunConfiguration, ScriptRunConfig
    from studio.sdk.widgets import RunDetails
    from studio.sdk.workspace import ComputeTarget, Experiment, Workspace


__all__ = [
    "ActivityFailedException",
    "AzureMLException",
    "BanditPolicy",
    "BayesianExtendedParameterSampling",
    "BayesianParameterSampling",
    "ComputeTarget",
    "EarlyTerminationPolicy",
    "Environment",
    "Estimator",
    "Experiment",
    "ExperimentExecutionException",
    "GridParameterSampling",
    "HyperDriveConfig",
    "HyperDriveConfigException",
    "HyperDriveException",
    "HyperDriveNotImplementedException",
    "HyperDriveRehydrateException",
    "HyperDriveRun",
    "HyperDriveRunConfig",
    "HyperParameterSampling",
    "MedianStoppingPolicy",
    "Model",
    "NoTerminationPolicy",
    "PrimaryMetricGoal",
    "RandomParameterSampling",
    "Run",
    "RunConfiguration",
    "RunDetails",
    "RunEnvironmentException",
    "ScriptRunConfig",
    "TruncationSelectionPolicy",
    "UserErrorException",
    "Workspace",
    "choice",
    "lognormal",
    "loguniform",
    "normal",
    "qlognormal",
    "qloguniform",
    "qnormal",
    "quniform",
    "randint",
    "uniform",
]

_PLACES = {
    "ActivityFailedException": "errors",
    "AzureMLException": "errors",
    "ExperimentExecutionException": "errors",
    "HyperDriveConfigException": "errors",
    "HyperDriveException": "errors",
    "HyperDriveNotImplementedException": "errors",
    "HyperDriveRehydrateException": "errors",
    "RunEnvironmentException": "errors",
    "UserErrorException": "errors",
    "HyperDriveConfig": "hyperdrive_config",
    "HyperDriveRunConfig": "hyperdrive_config",
    "choice": "hyperdrive_expressions",
    "lognormal": "hyperdrive_expressions",
    "loguniform": "hyperdrive_expressions",
    "normal": "hyperdrive_expressions",
    "qlognormal": "hyperdrive_expressions",
    "qloguniform": "hyperdrive_expressions",
    "qnormal": "hyperdrive_expressions",
    "quniform": "hyperdrive_expressions",
    "randint": "hyperdrive_expressions",
    "uniform": "hyperdrive_expressions",
    "BanditPolicy": "hyperdrive_policies",
    "EarlyTerminationPolicy": "hyperdrive_policies",
    "MedianStoppingPolicy": "hyperdrive_policies",
    "NoTerminationPolicy": "hyperdrive_policies",
    "PrimaryMetricGoal": "hyperdrive_policies",
    "TruncationSelectionPolicy": "hyperdrive_policies",
    "BayesianExtendedParameterSampling": "hyperdrive_samplings",
    "BayesianParameterSampling": "hyperdrive_samplings",
    "GridParameterSampling": "hyperdrive_samplings",
    "HyperParameterSampling": "hyperdrive_samplings",
    "RandomParameterSampling": "hyperdrive_samplings",
    "Model": "model",
    "HyperDriveRun": "results",
    "Run": "run",
    "Environment": "script_config",
    "Estimator": "script_config",
    "RunConfiguration": "script_config",
    "ScriptRunConfig": "script_config",
    "RunDetails": "widgets",
    "ComputeTarget": "workspace",
    "Experiment": "workspace",
    "Workspace": "workspace",
}


def __getattr__(name: str) -> Any:
    """Load the module of a name on its first use."""
    if name not in _PLACES:
        raise AttributeError("module 'studio.sdk' has no attribute %r" % name)
    import importlib  # noqa: PLC0415 - not needed by a script that has `Run` already

    value = getattr(importlib.import_module("studio.sdk." + _PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    """Return what can be imported, loaded or not."""
    return sorted({*globals(), *_PLACES})
