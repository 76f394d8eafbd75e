"""Registered models as programs see them: look up, list, download, mark, register.

Standard library only; Python 3.8 syntax.
"""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any, Dict, Iterable, List, Mapping, Optional
from urllib.parse import quote

from studio.sdk.client import StudioRefusedError
from studio.sdk.errors import UserErrorException
from studio.sdk.model_lookup import FRAMEWORK, documents_of, first_fitting, fits, refusal

_FRAMEWORK_VERSION = "model_framework_version"


class Model:
    """One version of a registered model."""

    def __init__(
        self,
        workspace: Any,
        name: Optional[str] = None,
        id: Optional[str] = None,  # noqa: A002 - the name of the original
        tags: Any = None,
        properties: Any = None,
        version: Optional[int] = None,
        run_id: Optional[str] = None,
        model_framework: Optional[str] = None,
        stage: Optional[str] = None,
        **ignored: Any,
    ) -> None:
        """Look a version up by `name` or by `id` (`name:version`); without a version the newest.

        `stage` takes the one that is marked so, for example "production".

        Raises:
            UserErrorException: there is none that meets all conditions.
        """
        if id is not None:
            name, _, number = id.rpartition(":")
            version = int(number) if number.isdigit() else version
        if not name:
            raise UserErrorException("Model needs a name, or an id such as 'digits:3'.")
        self.workspace = workspace
        document = first_fitting(
            documents_of(workspace, name, version, stage),
            tags=tags,
            properties=properties,
            run_id=run_id,
            framework=model_framework,
        )
        if document is None:
            wanted = "version %s" % version if version else "version that meets the conditions"
            raise UserErrorException("The model '%s' has no %s." % (name, wanted))
        self._read(document)

    @classmethod
    def _of(cls, workspace: Any, document: Mapping[str, Any]) -> "Model":
        model = cls.__new__(cls)
        model.workspace = workspace
        model._read(document)
        return model

    def _read(self, document: Mapping[str, Any]) -> None:
        self._document = dict(document)
        self.name = str(document["name"])
        self.version = int(document["version"])
        self.id = str(document["id"])
        self.description = str(document["description"])
        self.tags: Dict[str, Optional[str]] = dict(document["tags"])
        self.properties: Dict[str, str] = dict(document["properties"])
        self.stage = str(document["stage"])
        self.run_id = str(document["run"])
        self.experiment_name = str(document["experiment"])
        self.created_time = document["created"]
        self.created_by = document["created_by"]
        self.url = str(document["url"])
        self.metric: Dict[str, Any] = dict(document["metric"])
        self.hyperparameters: Dict[str, Any] = dict(document["hyperparameters"])
        self.model_framework = self.properties.get(FRAMEWORK)
        self.model_framework_version = self.properties.get(_FRAMEWORK_VERSION)

    @property
    def run(self) -> Any:
        """The run it comes from."""
        from studio.sdk.run import Run  # noqa: PLC0415 - it imports us

        return Run.get(self.workspace, self.run_id)

    @staticmethod
    def list(
        workspace: Any,
        name: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        run_id: Optional[str] = None,
        latest: bool = False,
        model_framework: Optional[str] = None,
        stage: Optional[str] = None,
        **ignored: Any,
    ) -> "List[Model]":
        """Return the versions that meet the conditions; with `latest` one of each name.

        `tags` and `properties` are a name, names, or names with values.
        """
        names = [name] if name else [m["name"] for m in workspace.client.pages("models", limit=500)]
        found: List[Model] = []
        for one in names:
            try:
                fitting = [
                    document
                    for document in documents_of(workspace, one, None, stage)
                    if fits(document, tags, properties, run_id, model_framework)
                ]
            except UserErrorException:  # nothing of this name
                continue
            found += [Model._of(workspace, d) for d in (fitting[:1] if latest else fitting)]
        return found

    @staticmethod
    def get_model_path(
        model_name: str, version: Optional[int] = None, _workspace: Any = None
    ) -> str:
        """Download a model to ./azureml-models/<name>/<version> unless it is there; its path."""
        from studio.sdk.workspace import Workspace  # noqa: PLC0415 - it imports us

        model = Model(_workspace or Workspace.from_config(), model_name, version=version)
        folder = Path("azureml-models", model.name, str(model.version))
        path = folder / model._base_name()
        return str(path) if path.exists() else model.download(str(folder))

    @staticmethod
    def register(workspace: Any, model_path: Any, model_name: str, **options: Any) -> "Model":
        """Refuse: models come from runs, so that it is known what made them.

        Raises:
            UserErrorException: always.
        """
        raise UserErrorException(
            "Files of this machine cannot be registered; models come from runs: "
            "run.register_model(%r, model_path='outputs/...')." % (model_name,)
        )

    def download(
        self, target_dir: Any = ".", exist_ok: bool = False, exists_ok: Optional[bool] = None
    ) -> str:
        """Download the files below `target_dir`; return the path of the file or the folder.

        Every file is checked against its SHA-256.

        Raises:
            UserErrorException: something is there already and may not be replaced, or a file
                did not arrive as it was registered.
        """
        path = Path(str(target_dir)) / self._base_name()
        if path.exists() and not (exist_ok or exists_ok):
            raise UserErrorException("%s exists; pass exist_ok=True to replace it." % path)
        try:
            for file in self._client().get(self._address("files"), **self._where())["items"]:
                target = path / _safe(file["path"]) if self._document["is_folder"] else path
                self._fetch(file, target)
        except StudioRefusedError as error:
            raise refusal(error) from error
        return str(path)

    def get_file_names(self) -> "List[str]":
        """Return the names of the files, relative to what was registered."""
        items = self._client().get(self._address("files"), **self._where())["items"]
        return [str(file["path"]) for file in items]

    def mark(self, stage: Optional[str]) -> None:
        """Mark the version "staging", "production" or "archived"; None removes the mark.

        Who was staging or production before becomes archived.
        """
        self._change(stage=stage or "none")

    def add_tags(self, tags: Mapping[str, Any]) -> None:
        """Add tags or change them."""
        self._change(tags={str(k): None if v is None else str(v) for k, v in tags.items()})

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Remove tags by name; unknown ones are passed over."""
        self._change(remove_tags=[tags] if isinstance(tags, str) else [str(t) for t in tags])

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Add properties; one that exists cannot be changed."""
        self._change(properties={str(k): str(v) for k, v in properties.items()})

    def update(
        self,
        tags: Optional[Mapping[str, Any]] = None,
        description: Optional[str] = None,
        **ignored: Any,
    ) -> None:
        """Replace all tags, and the description, where given."""
        changes: Dict[str, Any] = {}
        if tags is not None:
            changes["tags"] = {str(k): None if v is None else str(v) for k, v in tags.items()}
            changes["remove_tags"] = [key for key in self.tags if key not in changes["tags"]]
        if description is not None:
            changes["description"] = description
        self._change(**changes)

    def delete(self) -> None:
        """Delete the version with its files; refused while it is staging or production."""
        try:
            self._client().delete(self._address(), **self._where())
        except StudioRefusedError as error:
            raise refusal(error) from error

    def serialize(self) -> Dict[str, Any]:
        """Return everything the studio says about it."""
        return dict(self._document)

    def __repr__(self) -> str:
        return "Model(name=%r, version=%d, stage=%r)" % (self.name, self.version, self.stage)

    def _change(self, **changes: Any) -> None:
        address = "%s?workspace=%s" % (self._address(), quote(self._document["workspace"]))
        try:
            self._read(self._client().patch(address, changes))
        except StudioRefusedError as error:
            raise refusal(error) from error

    def _fetch(self, file: Mapping[str, Any], target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        address = "%s?workspace=%s" % (
            self._address("files", quote(file["path"])),
            quote(self._document["workspace"]),
        )
        with part.open("wb") as out:
            self._client().download(address, out)
        if _digest(part) != file["digest"]:
            part.unlink()
            raise UserErrorException("%s did not arrive whole; try again." % file["path"])
        part.replace(target)

    def _base_name(self) -> str:
        return PurePosixPath(str(self._document["path"])).name

    def _client(self) -> Any:
        return self.workspace.client

    def _address(self, *parts: str) -> str:
        return "/".join(["models", quote(self.name), "versions", str(self.version), *parts])

    def _where(self) -> Dict[str, str]:
        return {"workspace": self._document["workspace"]}


def register_model(
    client: Any,
    workspace: Any,
    run_id: str,
    name: str,
    path: str,
    *,
    tags: Optional[Mapping[str, Any]] = None,
    properties: Optional[Mapping[str, Any]] = None,
    framework: Any = None,
    framework_version: Any = None,
    description: Optional[str] = None,
) -> Model:
    """Make a version of a model of files of a run.

    Raises:
        UserErrorException: the studio refuses it, and why.
    """
    kept = {str(k): str(v) for k, v in (properties or {}).items()}
    for key, value in ((FRAMEWORK, framework), (_FRAMEWORK_VERSION, framework_version)):
        if value is not None:
            kept[key] = str(value)
    body = {
        "run": run_id,
        "path": path,
        "description": description or "",
        "tags": {str(k): None if v is None else str(v) for k, v in (tags or {}).items()},
        "properties": kept,
    }
    try:
        document = client.post("models/%s/versions" % quote(name, safe=""), body)
    except StudioRefusedError as error:
        raise refusal(error) from error
    return Model._of(workspace, document)


def _safe(name: str) -> str:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise UserErrorException("The file name %r leads out of the folder." % name)
    return name


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
