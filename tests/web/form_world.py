"""What a browser posts to the new-sweep form, and what its page answers."""

import io
import re
import zipfile

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

URL = "/sweeps/new/"


def form(stored=None, **changes):
    """What a browser posts for a sweep that is right."""
    return {
        "name": "digits · wide",
        "experiment": "digits",
        "code": "snapshot",
        "snapshot": stored.digest if stored else "",
        "entry": "script",
        "script": "train.py",
        "arguments": "--epochs 20",
        "environment": "OMP_NUM_THREADS=1",
        "search_space-0-name": "lr",
        "search_space-0-type": "loguniform",
        "search_space-0-min_value": "-6",
        "search_space-0-max_value": "-1",
        "search_space-1-name": "batch",
        "search_space-1-type": "choice",
        "search_space-1-values": "16, 32, auto",
        "sampling": "sobol",
        "seed": "7",
        "metric": "accuracy",
        "goal": "maximize",
        "policy": "bandit",
        "policy-bandit-slack_factor": "0.1",
        "policy-bandit-delay_evaluation": "5",
        "policy-median_stopping-evaluation_interval": "3",
        "compute": "local",
        "max_total_runs": "20",
        "max_concurrent_runs": "4",
        "max_duration_minutes": "60",
        **changes,
    }


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return SimpleUploadedFile("code.zip", buffer.getvalue(), content_type="application/zip")


def problems(response):
    """The (path or sentence, message) pairs of the list above the form."""
    page = response.content.decode()
    found = page[page.index('id="problem-list"') : page.index("</ul>", page.index("problem-list"))]
    return [re.sub(r"<[^>]+>", "", item) for item in re.findall(r"<li>(.*?)</li>", found)]


def control(response, name):
    page = response.content.decode()
    return re.search(rf'<(?:input|textarea|select)[^>]* name="{re.escape(name)}"[^>]*>', page)[0]


def check(client, data):
    return client.post(reverse("sweep_check"), data, headers={"Accept": "application/json"}).json()
