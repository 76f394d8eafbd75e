"""Client of the studio for training scripts: standard library only, importable anywhere."""

from studio.sdk.run import Run, UserErrorException

__all__ = ["Run", "UserErrorException"]
