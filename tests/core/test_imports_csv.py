"""Runs read from CSV and W&B files: what columns mean, what is guessed, what is refused and how."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from experiments.imports.build import Given, build
from experiments.imports.csv_runs import read_csv
from experiments.imports.space import check_space, infer_space
from experiments.imports.wandb_export import read_wandb
from experiments.problems import ProblemsError
from experiments.space.space import SearchSpace

BEST = Given(metrics=("acc",), goal="maximize")


def read(text: str, given: Given = BEST):
    return build(read_csv(text.splitlines(keepends=True), "trials.csv", given), given)


def problems_of(text: str, given: Given = BEST) -> list[tuple[str, str]]:
    with pytest.raises(ProblemsError) as caught:
        read(text, given)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_rows_are_runs_and_other_columns_hyperparameters():
    sweep = read("lr,opt,bias,acc\n0.1,adam,true,0.5\n1e-3,'=sgd,false,\n\n0.2,adam,,NaN\n")

    assert [dict(run.params) for run in sweep.runs] == [
        {"lr": 0.1, "opt": "adam", "bias": True},
        {"lr": 0.001, "opt": "=sgd", "bias": False},
        {"lr": 0.2, "opt": "adam"},
    ]
    assert [[list(s.values) for s in run.series] for run in sweep.runs[:2]] == [[[0.5]], []]
    assert math.isnan(float(sweep.runs[2].series[0].values[0]))
    assert list(sweep.spec["search_space"]) == ["lr", "opt", "bias"]
    assert sweep.spec["primary_metric"] == {"name": "acc", "goal": "maximize"}


def test_rows_of_one_run_are_its_reports():
    sweep = read(
        "trial,step,time,lr,acc,loss,state\n"
        "b,0,100,0.1,0.5,9,pruned\nb,5,101.5,0.1,0.75,,pruned\na,0,,0.2,0.1,1,FINISHED\n",
        Given(metrics=("acc", "loss"), goal="maximize", params=("lr",)),
    )

    first, second = sweep.runs
    assert (first.status, first.end_reason, second.status) == ("Canceled", "policy", "Completed")
    assert [(s.name, list(s.values), s.steps, s.times) for s in first.series] == [
        ("acc", [0.5, 0.75], [0, 5], [100, 101.5]),
        ("loss", [9], [0], [100]),
    ]
    assert second.series[0].times is None


@pytest.mark.parametrize(
    ("header", "given"),
    [
        ("run_id,status,start_time,params.lr,metrics.acc,tags.team", BEST),
        ("number,value,datetime_start,params_lr,user_attrs_team,state", Given(goal="maximize")),
        ("Name,State,Created,Runtime,lr,acc", Given(metrics=("acc",), goal="minimize")),
    ],
)
def test_tables_of_other_tools_say_what_they_are(header, given):
    cells = {"lr": "0.1", "acc": "0.5", "value": "0.5", "state": "finished", "status": "FINISHED"}
    row = [
        cells.get(name.lower().removeprefix("params.").removeprefix("params_"), "")
        for name in header.replace("metrics.", "").split(",")
    ]
    sweep = read(f"{header}\n{','.join(row)}\n", given)

    assert dict(sweep.runs[0].params) == {"lr": 0.1}
    assert list(sweep.runs[0].series[0].values) == [0.5]
    assert sweep.runs[0].status == "Completed"


def test_every_problem_of_a_file_is_listed_with_line_and_column():
    text = "run,step,lr,acc,status\n1,0,0.1,high,ok\n1,x,0.2,0.5,ok\n2,0,0.1,0.5\n3,0,0.3,0.5,odd\n"

    assert problems_of(text) == [
        ("line 2, column acc",
         'acc is "high" and no number; use a number, NaN, Infinity or nothing.'),
        ("line 3, column lr",
         'lr is "0.2" but 0.1 in line 2; a run has one value of each hyperparameter.'),
        ("line 3, column step", 'step is "x" and no number; a step is a number.'),
        ("line 4", "The line has 4 cells and the header 5."),
        ("line 5, column status",
         'status is "odd" and no state; use completed, failed, canceled, pruned, running or '
         "queued."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "given", "path", "words"),
    [
        ("", BEST, "line 1", "is empty"),
        ("lr,lr,acc\n", BEST, "line 1", '"lr" is there twice'),
        ("lr,loss\n1,2\n", BEST, "line 1", 'no column "acc"; there are "lr", "loss"'),
        ("lr,acc\n1,2\n", Given(goal="maximize"), "metric", "--metric NAME"),
        ("lr,acc\n1,2\n", Given(metrics=("acc",)), "goal", "--goal maximize"),
        ("lr,acc\n1,\n", BEST, "metric", "No run has reported"),
        ("lr,acc\n", BEST, "runs", "no run to import"),
        ("status,acc\nok,1\n", BEST, "search_space", "No run has a hyperparameter"),
        ("lr,acc\n" + "1,2\n" * 1001, BEST, "runs", "1001 runs"),
    ],
)
def test_what_cannot_be_imported_says_why(text, given, path, words):
    [(where, message)] = problems_of(text, given)

    assert where == path
    assert words in message


def test_spaces_are_guessed_from_values():
    runs = [
        {
            "lr": 10.0 ** -(i % 4 + 1) * (1 + i / 100),
            "units": 2 ** (i % 3 + 4),
            "layers": i + 1,
            "width": i * 40,
            "drop": i / 50,
            "opt": ("sgd", "adam")[i % 2],
            "fixed": 3,
        }
        for i in range(12)
    ]
    space = infer_space(runs)

    assert space["units"] == "choice(16, 32, 64)"
    assert space["layers"] == "choice(range(1, 13))"
    assert space["width"] == "quniform(0, 440, 1)"
    assert space["drop"] == "uniform(0.0, 0.22)"
    assert space["opt"] == 'choice("adam", "sgd")'
    assert space["fixed"] == "choice(3)"
    assert space["lr"].startswith("loguniform(-9.")
    parsed = SearchSpace.parse(space)
    assert [run for run in runs if not parsed.contains(run)] == []


def test_a_given_space_must_name_what_the_runs_have():
    assert check_space({"lr": "uniform(0, 1)"}, [{"lr": 5}]) == {"lr": "uniform(0, 1)"}
    with pytest.raises(ProblemsError) as caught:
        check_space({"lr": "uniform(0, 1)", "x": "choice(1)"}, [{"lr": 1, "width": 2}])
    assert [problem.path for problem in caught.value.problems] == [
        "search_space",
        "search_space.x",
    ]


ENTRIES = [
    {
        "name": "one",
        "state": "finished",
        "created_at": "2026-11-01T10:00:00",
        "config": {"lr": 0.1, "model": {"layers": 2}, "epochs": 3, "_wandb": {}},
        "summary": {"acc": 0.9, "_step": 1},
        "history": [
            {"_step": 0, "_timestamp": 10.0, "acc": 0.7},
            {"_step": 1, "_timestamp": 11.0, "acc": 0.9, "loss": "NaN"},
        ],
    },
    {
        "name": "two",
        "state": "crashed",
        "config": {"lr": {"value": 0.3, "desc": None}, "model": {"layers": 3}, "epochs": 3},
        "summary": {"acc": 0.2, "_step": 4},
    },
]


def test_wandb_json_has_config_summary_and_history():
    for text in (json.dumps(ENTRIES), "\n".join(map(json.dumps, ENTRIES))):
        found = read_wandb(text, "runs.json", BEST)
        one, two = build(found, BEST).runs

        assert dict(one.params) == {"lr": 0.1, "model.layers": 2}
        assert dict(two.params) == {"lr": 0.3, "model.layers": 3}
        assert one.properties == {"wandb.name": "one", "epochs": "3"}
        assert (two.status, two.series[0].steps) == ("Failed", [4])
        assert [(s.name, s.steps, s.times) for s in one.series] == [
            ("acc", [0, 1], [10, 11]),
            ("loss", [1], [11]),
        ]
        assert found.notes == ["Settings the same in all runs are properties of the runs: epochs."]


def test_wandb_csv_of_the_documented_program_is_read(tmp_path: Path):
    text = ",summary,config,name\n" + "".join(
        f'{i},"{entry["summary"]}","{entry["config"]}",{entry["name"]}\n'
        for i, entry in enumerate(ENTRIES)
    )
    runs = build(read_wandb(text, "project.csv", BEST), BEST).runs

    assert [list(run.series[0].values) for run in runs] == [[0.9], [0.2]]
    with pytest.raises(ProblemsError, match="line 2, column config"):
        read_wandb("config,summary\n{oops,{}\n", "p.csv", BEST)
