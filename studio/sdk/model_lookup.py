"""Which versions of a model the studio has, and which of them meet conditions.

Standard library only; Python 3.8 syntax.
"""

from typing import Any, Dict, Iterable, Iterator, Mapping, Optional
from urllib.parse import quote

from studio.sdk.client import StudioRefusedError
from studio.sdk.errors import UserErrorException

#: The property that says what made a model.
FRAMEWORK = "model_framework"


def documents_of(
    workspace: Any, name: str, version: Optional[int], stage: Optional[str]
) -> Iterator[Dict[str, Any]]:
    """Yield what the studio says about versions of a name, newest first."""
    address = "models/%s/versions" % quote(name, safe="")
    try:
        if version is not None:
            yield workspace.client.get("%s/%d" % (address, int(version)))
        else:
            yield from workspace.client.pages(address, stage=stage, limit=500)
    except StudioRefusedError as error:
        if error.status != 404:
            raise refusal(error) from error
        text = "There is no model '%s'%s." % (name, " %s" % version if version else "")
        raise UserErrorException(text, error) from error


def first_fitting(
    documents: Iterable[Dict[str, Any]],
    *,
    tags: Any,
    properties: Any,
    run_id: Optional[str],
    framework: Optional[str],
) -> Optional[Dict[str, Any]]:
    """Return the first version that meets all conditions."""
    return next((d for d in documents if fits(d, tags, properties, run_id, framework)), None)


def fits(
    document: Mapping[str, Any],
    tags: Any,
    properties: Any,
    run_id: Optional[str],
    framework: Optional[str],
) -> bool:
    """Tell whether a version meets all conditions."""
    return (
        _has(document["tags"], tags)
        and _has(document["properties"], properties)
        and run_id in (None, document["run"])
        and framework in (None, document["properties"].get(FRAMEWORK))
    )


def _has(marks: Mapping[str, Any], wanted: Any) -> bool:
    """Tell whether marks meet a condition: a name, a mapping, or a list of names and pairs."""
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in marks
    if isinstance(wanted, Mapping):
        wanted = list(wanted.items())
    for one in wanted:
        if isinstance(one, str):
            if one not in marks:
                return False
        elif one[0] not in marks or marks[one[0]] != one[1]:
            return False
    return True


def refusal(error: StudioRefusedError) -> UserErrorException:
    """Return a refusal of the studio as one sentence for a person."""
    texts = [problem["message"] for problem in error.errors] or [error.detail]
    return UserErrorException(" ".join(texts), error, errors=error.errors)
