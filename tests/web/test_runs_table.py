"""The table of runs: what the address asks for, columns, views, many runs at once, files of it."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from html import unescape
from typing import Any

import pyarrow.parquet
import pytest
from django.urls import reverse

from experiments.models import ColumnChoice, Run, SavedView
from experiments.services.run_marks import change_marks
from tests.factories import make_sweep, make_user
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import make_sweep_world, many_runs

pytestmark = pytest.mark.django_db
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def site(client, world):
    client.force_login(world.alice)
    return Site(client, world.sweep)


class Site:
    """The pages of one sweep's runs, for whoever the client is signed in as."""

    def __init__(self, client: Any, sweep: Any) -> None:
        self.client, self.sweep = client, sweep

    def get(self, query: str = "", **headers: str) -> str:
        answer = self.client.get(
            reverse("sweep_runs", args=[self.sweep.public_id]) + query, **headers
        )
        assert answer.status_code == 200
        return str(answer.content.decode())

    def post(self, name: str, /, *args: Any, **data: Any) -> Any:
        headers = JSON if name == "runs_act" else {}
        return self.client.post(reverse(name, args=[self.sweep.public_id, *args]), data, **headers)


def numbers(html: str) -> list[int]:
    return [int(n) for n in re.findall(r'<tr data-id="[^"]+" data-run="(\d+)"', html)]


def heads(html: str) -> list[str]:
    head = html[html.index("<thead>\n        <tr><th scope") :]
    labels = re.findall(r"<th [^>]*>(?:<a [^>]*><bdi>|<span [^>]*>)([^<]+)<", head)
    return [unescape(label) for label in labels]


def table_data(html: str) -> Any:
    found = re.search(r'<script id="table-data" type="application/json">(.*?)</script>', html)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=lr<0.25", [0, 1]),
        ("?q=lr<0.25 -status:stopped", [0]),
        ("?q=accuracy>0.3%26state=running", []),
        ("?q=layers%3D1&state=failed", [2]),
        ("?q=accuracy:any&sort=metric&dir=desc", [0, 3, 1]),
        ('?q="loss <b>"<1', [0]),
        ("?sort=loss+<b>&dir=desc&columns=number,lr", [0, 1, 2, 3, 4]),
        ("?sort=curve", [0, 1, 2, 3, 4]),
    ],
)
def test_address_filters_and_sorts(site, query, expected):
    text = query.replace("<", "%3C").replace(">", "%3E").replace('"', "%22")
    if "%26" in query:
        assert "is not a number" in site.get(text)
    else:
        assert numbers(site.get(text)) == expected


def test_wrong_filter_is_told_and_shows_no_run(site):
    html = site.get("?q=status%3Afoo+lr%3Cabc")
    text = unescape(html)

    assert "'status:foo': 'foo' is not a state; use queued, running" in text
    assert "'lr<abc': 'abc' is not a number" in text
    assert 'aria-invalid="true"' in html
    assert numbers(html) == []
    assert "The filter cannot be read" in html


def test_links_of_the_page_keep_what_the_address_asked_for(site):
    html = site.get("?q=lr%3C1&state=completed&columns=number,lr,loss+%3Cb%3E.min&sort=lr&dir=desc")
    links = [unescape(link) for link in re.findall(r'href="(\?[^"]+)"', html)]

    assert heads(html) == ["Run", "lr", "loss <b> (min)"]
    assert table_data(html)["query"] in links or links
    for link in links:
        if "sort=" in link and "view" not in link:
            assert "q=lr%3C1" in link or "state" not in link, link
    assert "0.2000" in html


def test_columns_are_shown_in_the_order_of_the_address_and_remembered_per_person(site, world):
    change_marks(world.winner, tags={"a,b": "x"}, removed_tags=[], properties={"sha": "f00"})
    site.post("runs_columns", column=["number", "tags.a,b", "worker", "lr"], query="?q=lr%3C1")

    assert heads(site.get()) == ["Run", "a,b", "Worker", "lr"]
    assert heads(site.get("?columns=number,tags.a%252Cb,properties")) == [
        "Run",
        "a,b",
        "Properties",
    ]
    assert "sha: f00" in site.get("?columns=properties")
    site.client.force_login(world.bob)
    assert heads(site.get())[:4] == ["Run", "Status", "accuracy ↑ best", "Curve"]
    site.client.force_login(world.alice)
    site.post("runs_columns", reset="1")
    assert heads(site.get())[-1] == "Why it ended"
    assert not ColumnChoice.objects.exists()


def test_views_are_saved_opened_changed_and_deleted(site, world):
    query = "?q=lr%3C0.25&sort=lr&dir=desc&columns=number,lr"
    answer = site.post("view_save", name="  small   rates ", query=query)
    view = SavedView.objects.get()

    assert (view.name, view.filter, view.sort, view.descending) == (
        "small rates",
        "lr<0.25",
        "lr",
        True,
    )
    assert answer.url.endswith(f"/runs/?view={view.pk}")
    html = site.get(f"?view={view.pk}")
    assert (numbers(html), heads(html)) == ([1, 0], ["Run", "lr"])
    assert (
        f"view={view.pk}&sort=lr&dir=desc&q=lr%3C0.25&columns=number%2Clr"
        in table_data(html)["query"]
    )
    assert ">changed<" not in html
    # What an address says itself is not filled in by the view.
    other = site.get(f"?view={view.pk}&sort=lr&dir=desc&columns=number,lr")
    assert (numbers(other), ">changed<" in other) == ([4, 3, 2, 1, 0], True)

    taken = site.client.post(
        reverse("view_save", args=[world.sweep.public_id]), {"name": "small rates"}, follow=True
    )
    assert "There is a view “small rates” in this experiment already" in taken.content.decode()
    site.post("view_change", view.pk, content="1", query="?q=lr%3C0.15")
    view.refresh_from_db()
    assert (view.filter, view.sort, view.name) == ("lr<0.15", "number", "small rates")
    field = re.search(r'<input[^>]* id="view-rename"[^>]*>', site.get(f"?view={view.pk}"))
    assert field
    assert 'value="small rates"' in field[0]
    answer = site.post("view_change", view.pk, name="tiny", query=f"?view={view.pk}&sort=lr")
    view.refresh_from_db()
    assert (view.name, view.filter) == ("tiny", "lr<0.15")
    assert answer.url.endswith(f"?view={view.pk}&sort=lr")
    site.post("view_delete", view.pk)
    assert not SavedView.objects.exists()


def test_default_view_opens_where_nothing_is_asked_for(site, world):
    site.post("view_save", name="failures", query="?q=status%3Afailed", default="on")
    (view,) = SavedView.objects.all()

    assert numbers(site.get()) == [2]
    assert len(numbers(site.get("?view=none"))) == 5
    assert "view=none" in unescape(site.get("?view=none&sort=lr"))
    again = make_sweep(owner=world.alice, workspace=world.sweep.experiment.workspace)
    assert "status:failed" in Site(site.client, again).get()
    # Somebody's own columns come before those of a view that nobody asked for.
    site.post("runs_columns", column=["number", "lr"])
    assert heads(site.get()) == ["Run", "lr"]
    assert len(heads(site.get(f"?view={view.pk}"))) > 2
    site.post("view_change", view.pk, default="off")
    assert len(numbers(site.get())) == 5


def test_views_belong_to_their_owner_and_their_workspace(site, world):
    site.post("view_save", name="mine", query="?q=lr%3C1")
    (view,) = SavedView.objects.all()
    change = reverse("view_change", args=[world.sweep.public_id, view.pk])

    site.client.force_login(world.bob)  # a reader sees it and changes nothing
    assert "mine" in site.get()
    assert site.client.post(change, {"name": "x"}).status_code == 403
    assert site.post("view_save", name="his").status_code == 403
    site.client.force_login(world.charlie)  # elsewhere
    for name, args in [("view_save", []), ("view_change", [view.pk]), ("view_delete", [view.pk]),
                       ("runs_columns", []), ("runs_act", [])]:  # fmt: skip
        assert site.post(name, *args, name="x", action="cancel", run="1").status_code == 404
    # A view of another experiment is not there, whatever sweep the address names.
    site.client.force_login(world.alice)
    other = make_sweep(
        owner=world.alice, workspace=world.sweep.experiment.workspace, experiment="b"
    )
    foreign = reverse("view_delete", args=[other.public_id, view.pk])
    assert site.client.post(foreign).status_code == 404
    dora = make_user("dora")
    world.sweep.experiment.workspace.memberships.create(user=dora, role="Contributor")
    site.client.force_login(dora)
    refused = site.client.post(change, {"name": "hers"}, follow=True).content.decode()
    assert "“mine” belongs to alice" in refused
    view.refresh_from_db()
    assert view.name == "mine"


def test_picked_runs_are_canceled_repeated_and_tagged(site, world):
    canceled = site.post("runs_act", action="cancel", run="0,3,4")
    assert canceled.json() == {"message": "2 runs are canceled. 1 had ended."}
    world.running.refresh_from_db()
    assert world.running.state == "CancelRequested"

    repeated = site.post("runs_act", action="retry", run=["2", "0"])
    assert repeated.json()["message"].startswith("1 run is repeated. 1 did not fail")
    assert Run.objects.filter(retry_of=world.failed).count() == 1
    assert site.post("runs_act", action="retry", run="2").json()["message"].startswith("No run is")

    tagged = site.post("runs_act", action="tag", tag="team = vision", all="1", query="?q=run:0..1")
    assert tagged.json() == {"message": "2 runs are tagged."}
    tags = Run.objects.filter(sweep=world.sweep, number__lt=3).order_by("number")
    assert [run.tags for run in tags] == [{"team": "vision"}, {"team": "vision"}, {}]
    site.post("runs_act", action="untag", tag="team", run="1")
    assert numbers(site.get("?q=tag:team")) == [0]


def test_actions_on_many_runs_are_refused_with_a_sentence(site, world):
    wrong = site.post("runs_act", action="cancel", all="1", query="?q=status%3Afoo")
    assert (wrong.status_code, "'foo' is not a state" in wrong.json()["detail"]) == (409, True)
    assert site.post("runs_act", action="explode", run="1").status_code == 422
    assert site.post("runs_act", action="cancel", run="").json()["detail"] == "No run is selected."
    assert site.post("runs_act", action="tag", tag=" ", run="1").status_code == 422
    long = site.post("runs_act", action="tag", tag="x" * 101, run="1").json()
    assert long["detail"] == "The name has 101 characters; use 1 to 100."
    site.client.force_login(world.bob)
    assert site.post("runs_act", action="cancel", run="3").status_code == 403
    world.running.refresh_from_db()
    assert world.running.state == "Running"


def test_files_have_what_is_picked_or_all_that_match_with_exact_values(site, world):
    world.winner.tags = {"team": "vision"}
    world.winner.save()
    answer = site.client.get(
        reverse("sweep_runs", args=[world.sweep.public_id]), {"format": "csv", "runs": "4,0,99"}
    )
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

    assert [row["run"] for row in rows] == ["0", "4"]
    assert (rows[0]["loss <b>"], rows[0]["loss <b>.min"], rows[0]["tags"]) == (
        "0.2", "0.2", '{"team": "vision"}',
    )  # fmt: skip
    assert rows[1]["accuracy"] == ""

    file = site.client.get(
        reverse("sweep_runs", args=[world.sweep.public_id]),
        {"format": "parquet", "q": "lr<0.35", "sort": "lr", "dir": "desc"},
    )
    table = pyarrow.parquet.read_table(io.BytesIO(file.getvalue()))
    assert table["run"].to_pylist() == [2, 1, 0]
    assert table["lr"].to_pylist() == [0.3, 0.2, 1e-05]
    assert [str(table.schema.field(name).type) for name in ("run", "lr", "layers", "created")] == [
        "int64", "double", "int64", "timestamp[us, tz=UTC]",
    ]  # fmt: skip


def test_files_that_cannot_be_made_say_why(site, world, monkeypatch):
    def get(**query):
        return site.client.get(reverse("sweep_runs", args=[world.sweep.public_id]), query)

    assert get(format="csv", q="status:foo").status_code == 400
    assert "use numbers of runs" in get(format="csv", runs="1,x").content.decode()
    # As on a studio without the extra.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = get(format="parquet")
    assert (answer.status_code, "sweep-studio[parquet]" in answer.content.decode()) == (501, True)
    assert "format=parquet" not in site.get()


def test_odd_names_and_values_are_escaped_and_isolated(site, world):
    space = {"معدل_التعلم": "uniform(0, 1)", "x" * 120: "choice(1, 2)", "<b>": "choice('a', 'b')"}
    sweep = make_sweep(
        owner=world.alice, workspace=world.sweep.experiment.workspace, search_space=space
    )
    many = {"معدل_التعلم": 0.5, "x" * 120: 1, "<b>": "<script>" + "y" * 5000}
    Run.objects.create(sweep=sweep, number=0, public_id=f"{sweep.public_id}_0", params=many,
                       tags={"<i>": "שלום"})  # fmt: skip
    html = Site(site.client, sweep).get()
    facts = PageFacts(html)

    assert "<bdi>معدل_التعلم</bdi>" in html
    assert facts.unlabelled() == []
    assert "<script>y" not in html
    assert "&lt;i&gt;: שלום" in html
    assert numbers(Site(site.client, sweep).get("?q=معدل_التعلم>0.4")) == [0]


def test_number_of_queries_does_not_grow_with_runs_metrics_and_tags(
    site, world, django_assert_max_num_queries
):
    query = "?columns=number,curve,loss+%3Cb%3E,tags,lr&q=lr%3C0.9&sort=loss+%3Cb%3E"
    with django_assert_max_num_queries(24) as before:
        site.get(query)
    many_runs(world.sweep, [0.11, 0.12, 0.13])
    for run in Run.objects.filter(sweep=world.sweep):
        change_marks(run, tags={f"t{run.number}": None}, removed_tags=[], properties={})

    with django_assert_max_num_queries(len(before)):
        assert len(numbers(site.get(query))) == 8
