"""Hypothesis strategies for valid expressions, search spaces and specifications."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from experiments.spec import SweepSpec

Raw = dict[str, Any]

numbers = st.one_of(
    st.integers(-1000, 1000),
    st.floats(-1000, 1000, allow_nan=False).map(lambda x: round(x, 6)),
)
spreads = st.one_of(st.just(0), st.floats(0.01, 10).map(lambda x: round(x, 4)))
log_spreads = st.one_of(st.just(0), st.floats(0.01, 2).map(lambda x: round(x, 4)))
exponents = st.floats(-15, 15).map(lambda x: round(x, 4))
steps = st.one_of(st.integers(1, 20), st.sampled_from([0.05, 0.1, 0.25, 2.0, 7.5, 1e-3]))
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(-1e9, 1e9), words
)
options = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=5,
)


def _pair(values: st.SearchStrategy[Any], *, may_be_equal: bool) -> st.SearchStrategy[list[Any]]:
    pairs = st.lists(values, min_size=2, max_size=2).map(sorted)
    return pairs if may_be_equal else pairs.filter(lambda pair: pair[0] < pair[1])


_RANGES = _pair(numbers, may_be_equal=False)
_EXPONENTS = _pair(exponents, may_be_equal=True)


def _bounds(pairs: st.SearchStrategy[list[Any]], name: str) -> st.SearchStrategy[Raw]:
    return pairs.map(lambda p: {"type": name, "min_value": p[0], "max_value": p[1]})


def _moments(
    name: str, means: st.SearchStrategy[Any], widths: st.SearchStrategy[Any]
) -> st.SearchStrategy[Raw]:
    return st.builds(lambda mu, sigma: {"type": name, "mu": mu, "sigma": sigma}, means, widths)


def _stepped(plain: st.SearchStrategy[Raw], name: str) -> st.SearchStrategy[Raw]:
    return st.builds(lambda raw, q: {**raw, "type": name, "q": q}, plain, steps)


# One strategy of v2 mappings for each expression.
EXPRESSION_MAPPINGS: dict[str, st.SearchStrategy[Raw]] = {
    "choice": st.lists(options, min_size=1, max_size=6).map(
        lambda values: {"type": "choice", "values": values}
    ),
    "randint": st.integers(1, 10**9).map(lambda upper: {"type": "randint", "upper": upper}),
    "uniform": _bounds(_RANGES, "uniform"),
    "loguniform": _bounds(_EXPONENTS, "loguniform"),
    "normal": _moments("normal", numbers, spreads),
    "lognormal": _moments("lognormal", exponents, log_spreads),
    "quniform": _stepped(_bounds(_RANGES, "uniform"), "quniform"),
    "qloguniform": _stepped(_bounds(_EXPONENTS, "loguniform"), "qloguniform"),
    "qnormal": _stepped(_moments("normal", numbers, spreads), "qnormal"),
    "qlognormal": _stepped(_moments("lognormal", exponents, log_spreads), "qlognormal"),
}
expression_mappings = st.one_of(*EXPRESSION_MAPPINGS.values())
names = st.from_regex(r"(--)?[a-zA-Z_][a-zA-Z0-9_.-]{0,8}", fullmatch=True)
space_mappings = st.dictionaries(names, expression_mappings, min_size=1, max_size=5).filter(
    lambda raw: len({name.removeprefix("--") for name in raw}) == len(raw)
)

_LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() != ""
)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
_IDENTIFIERS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
_POLICIES = st.one_of(
    st.none(),
    st.just("median_stopping"),
    st.builds(
        lambda kind, slack, every, delay: {
            "type": "bandit",
            kind: slack,
            "evaluation_interval": every,
            "delay_evaluation": delay,
        },
        st.sampled_from(["slack_factor", "slack_amount"]),
        st.one_of(st.integers(0, 2), st.floats(0, 2)),
        st.integers(1, 9),
        st.integers(0, 9),
    ),
    st.builds(
        lambda share, more: {
            "type": "truncation_selection",
            "truncation_percentage": share,
            **more,
        },
        st.integers(1, 99),
        st.fixed_dictionaries({}, optional={"exclude_finished_jobs": st.booleans()}),
    ),
)


# What the documented Bayesian sampling takes: numbers or words, whole steps.
_LEARNABLE = st.dictionaries(
    st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True),
    st.one_of(
        st.lists(st.one_of(st.integers(-99, 99), st.floats(-9, 9)), min_size=1, max_size=4).map(
            lambda values: {"type": "choice", "values": values}
        ),
        st.lists(words, min_size=1, max_size=4).map(
            lambda values: {"type": "choice", "values": values}
        ),
        EXPRESSION_MAPPINGS["uniform"],
        st.builds(
            lambda low, width, q: {
                "type": "quniform",
                "min_value": low,
                "max_value": low + width,
                "q": q,
            },
            st.integers(-999, 999),
            st.integers(1, 999),
            st.integers(1, 20),
        ),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def specifications(draw: st.DrawFn) -> Raw:
    """Draw a valid specification as a user may write it."""
    is_bayesian = draw(st.integers(0, 5)) == 0
    space = draw(_LEARNABLE if is_bayesian else space_mappings)
    only_choices = all(e["type"] == "choice" for e in space.values())
    samplers = ["random", "sobol", "bayesian_extended", *(["grid"] if only_choices else [])]
    sampling: Any = "bayesian" if is_bayesian else draw(st.sampled_from(samplers))
    if sampling != "grid" and draw(st.booleans()):
        sampling = {"type": sampling, "seed": draw(st.integers(0, 2**62 - 1))}
    raw: Raw = {
        "search_space": space,
        "sampling": sampling,
        "primary_metric": {
            "name": draw(_LINES),
            "goal": draw(st.sampled_from(["maximize", "Minimize"])),
        },
        "early_termination": None if is_bayesian else draw(_POLICIES),
        "max_total_runs": draw(st.integers(1, 1000)),
    }
    raw |= draw(_started(sorted(space)))
    raw |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": _LINES,
                "experiment": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True),
                "source_directory": _LINES,
                "snapshot": st.just("ab" * 32),
                "python": _LINES,
                "environment": st.dictionaries(
                    _IDENTIFIERS.filter(lambda name: not name.startswith(("STUDIO", "DJANGO"))),
                    st.one_of(_TEXTS, st.integers(), st.booleans(), st.floats(-10, 10)),
                    max_size=3,
                ),
                "compute": _LINES,
                "max_concurrent_runs": st.one_of(st.none(), st.integers(1, 100)),
                "max_duration_minutes": st.one_of(st.integers(1, 43200), st.floats(1, 43200)),
                "run_timeout_minutes": st.one_of(st.none(), st.floats(0.01, 43200)),
                "max_failed_runs": st.one_of(st.none(), st.integers(1, 1000)),
                "tags": st.dictionaries(_TEXTS, _TEXTS, max_size=3),
                "description": _TEXTS,
            },
        )
    )
    return raw


def one_line(spec: SweepSpec) -> Raw:
    """Return the texts of fields where a form does not keep the white space around them."""
    keys = ("name", "compute", "python", "description", "source_directory", "script", "command")
    metric = {**spec.dump()["primary_metric"], "name": spec.metric_name.strip()}
    texts = {key: getattr(spec, key).strip() for key in keys if getattr(spec, key)}
    return {**texts, "primary_metric": metric}


def _started(names: list[str]) -> st.SearchStrategy[Raw]:
    arguments = st.lists(
        st.one_of(_TEXTS.filter(lambda text: "${{" not in text), st.integers(), st.floats(-9, 9)),
        max_size=4,
    )
    script = st.builds(
        lambda words: {"script": "train.py", "arguments": words},
        arguments,
    )
    command = st.sampled_from(names).map(
        lambda name: {"command": f"python train.py --x='${{{{search_space.{name}}}}}' -v"}
    )
    return st.one_of(script, command)
