"""The Gaussian process against plain formulas: fit, posterior, acquisition, outputs, views."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from experiments.samplers.base import History, Observation
from experiments.samplers.gp import acquisition, censoring, inspect, outputs
from experiments.samplers.gp.encoding import Encoding
from experiments.samplers.gp.fitting import JITTER, Evidence, Prior, fit_theta
from experiments.samplers.gp.kernels import Kernel
from experiments.samplers.gp.model import condition, factor
from experiments.samplers.gp.rows import rows_of
from experiments.space.space import SearchSpace

OPTION = np.array([False, False, True])
SPACE = SearchSpace.parse(
    {
        "lr": "loguniform(-9, 0)",
        "units": "choice(128, 16, 64, 32)",
        "act": "choice('relu', 'gelu', 'tanh')",
        "size": "qloguniform(0, 5, 4)",
        "depth": "quniform(1, 12, 1)",
        "fixed": "choice(7)",
    }
)


def data(n=25, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.random((n, 2)), rng.integers(3, size=n)])
    y = np.sin(4 * X[:, 0]) + X[:, 1] + 0.5 * (X[:, 2] == 1) + 0.1 * rng.normal(size=n)
    return X, (y - y.mean()) / y.std()


def kernel(share=0.3):
    return Kernel(np.array([6.0, 0.7, 1.3]), 1.4, OPTION, share)


def dense(k, X, y, noise, Z):
    """Rasmussen and Williams (2006), equations 2.25 and 2.26, as they stand."""
    K = k.cross(X, X) + (noise + JITTER) * np.eye(len(y))
    cross = k.cross(Z, X)
    variance = k.signal - np.diag(cross @ np.linalg.solve(K, cross.T))
    return cross @ np.linalg.solve(K, y), np.sqrt(variance)


def posterior(first=25, noise=0.05):
    X, y = data()
    L1 = factor(kernel(), X[:first], np.full(first, noise))
    return condition(kernel(), X, y, np.full(len(y), noise), L1)


def test_kernel_is_matern_five_halves_and_sums_over_each_parameter():
    a, b = np.array([[0.1, 0.5, 0.0]]), np.array([[0.4, 0.2, 2.0]])
    parts = np.array([6.0 * 0.09, 0.7 * 0.09, 1.3])
    r = math.sqrt(parts.sum())

    joint = (1 + 5**0.5 * r + 5 * r * r / 3) * math.exp(-(5**0.5) * r)
    sums = ((1 + parts / 4) ** -2).mean()

    assert kernel(share=0.0).cross(a, b)[0, 0] == pytest.approx(1.4 * joint)
    assert kernel().cross(a, b)[0, 0] == pytest.approx(1.4 * (0.7 * joint + 0.3 * sums))
    assert kernel().cross(a, a)[0, 0] == pytest.approx(1.4)


def test_sums_carry_what_was_learned_to_the_other_corner():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    y = np.array([1.0, 0.0, 0.0])
    models = []
    for share in (0.0, 1.0):
        k = Kernel(np.array([9.0, 9.0]), 1.0, np.array([False, False]), share)
        models.append(condition(k, X, y, np.full(3, 1e-6), factor(k, X, np.full(3, 1e-6))))

    joint, added = (float(model.mean(np.array([[1.0, 1.0]]))[0]) for model in models)

    # f(1, 1) = f(1, 0) + f(0, 1) - f(0, 0) for a sum.
    assert added == pytest.approx(-1.0, abs=0.35)
    assert abs(joint) < 0.1


@pytest.mark.parametrize("adds", [True, False])
def test_gradient_of_the_fit_is_right(adds):
    X, y = data()
    evidence = Evidence(X, y, OPTION, Prior(adds=adds))
    theta = np.array([0.3, -1.0, 0.5, 0.2, -3.0, 0.4])[: 5 + adds]

    numeric = optimize.approx_fprime(theta, lambda t: evidence(t)[0], 1e-6)

    assert evidence(theta)[1] == pytest.approx(numeric, abs=1e-3)


@pytest.mark.parametrize("adds", [True, False])
def test_value_of_the_fit_is_the_log_density(adds):
    X, y = data()
    evidence = Evidence(X, y, OPTION, Prior(adds=adds))
    theta = np.array([0.3, -1.0, 0.5, 0.2, -3.0, 0.4])[: 5 + adds]
    share = 1 / (1 + math.exp(-0.4)) if adds else 0.0
    k = Kernel(np.exp(theta[:3]), math.exp(0.2), OPTION, share)
    K = k.cross(X, X) + (math.exp(-3.0) + JITTER) * np.eye(len(y))

    likelihood = stats.multivariate_normal(np.zeros(len(y)), K).logpdf(y)
    prior = stats.norm(evidence.prior_mean, evidence.prior_deviation)
    offset = prior.logpdf(evidence.prior_mean).sum() - 0.5 * len(y) * math.log(2 * math.pi)

    assert evidence(theta)[0] == pytest.approx(offset - likelihood - prior.logpdf(theta).sum())


def test_fit_finds_what_matters():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.random((60, 4)), rng.integers(3, size=60)])
    y = np.cos(6 * X[:, 1])
    mask = np.array([False] * 4 + [True])

    theta = fit_theta(X, (y - y.mean()) / y.std(), mask, Prior()).theta

    assert np.argmax(theta[:5]) == 1
    assert theta[1] > np.delete(theta[:5], 1).max() + 2.0
    assert math.exp(theta[6]) < 0.01


@pytest.mark.parametrize(("noise", "count", "adds"), [(0.0, 40, True), (0.5, 40, False)])
def test_kernel_has_sums_where_there_is_little_noise(noise, count, adds):
    rng = np.random.default_rng(1)
    space = SearchSpace.parse({"a": "uniform(0, 1)", "b": "uniform(0, 1)"})
    observations = []
    for number in range(count):
        params = space.sample(rng)
        value = math.sin(5 * params["a"]) + params["b"] ** 2 + noise * rng.normal()
        observations.append(Observation(number, params, value, "completed"))

    view = inspect.learn(space, goal="minimize", history=History(count, observations))

    assert (view.surrogate.posterior.kernel.share > 0) == adds


@pytest.mark.parametrize("first", [1, 10, 24, 25])
def test_posterior_in_blocks_is_the_plain_one(first):
    (X, y), (Z, _) = data(), data(7, seed=3)

    mean, spread = posterior(first).predict(Z)

    expected = dense(kernel(), X, y, 0.05, Z)
    assert mean == pytest.approx(expected[0])
    assert spread == pytest.approx(expected[1])
    assert posterior(first).mean(Z) == pytest.approx(expected[0])


def test_pending_runs_narrow_the_spread_and_move_no_mean():
    (X, y), (Z, _) = data(), data(7, seed=3)
    P = data(3, seed=9)[0]
    model = posterior(20)
    for x in P:
        model = model.with_pending(x)
    believed = dense(kernel(), X, y, 0.05, P)[0]

    mean, spread = model.predict(Z)

    expected = dense(kernel(), np.vstack([X, P]), np.append(y, believed), 0.05, Z)
    assert mean == pytest.approx(dense(kernel(), X, y, 0.05, Z)[0])
    assert mean == pytest.approx(expected[0], abs=1e-6)
    assert spread == pytest.approx(expected[1], abs=1e-6)


def test_slopes_of_the_posterior_are_right():
    model = posterior(20).with_pending(np.array([0.2, 0.9, 1.0]))
    z = np.array([0.31, 0.62, 1.0])

    def at(numbers, part):
        return float(model.predict(np.array([[*numbers, 1.0]]))[part][0])

    mean, spread, d_mean, d_spread = model.slopes(z)

    assert (mean, spread) == pytest.approx((at(z[:2], 0), at(z[:2], 1)))
    for part, found in ((0, d_mean), (1, d_spread)):
        numeric = optimize.approx_fprime(z[:2], lambda v, part=part: at(v, part), 1e-6)
        assert found[:2] == pytest.approx(numeric, abs=1e-4)
        assert found[2] == 0.0


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (1.5, 0.3), (-2.0, 0.5), (2.0, 0.2)])
def test_log_expected_improvement_is_the_integral(mean, spread):
    law = stats.norm(mean, spread)
    low = min(mean, 0.5) - 12 * spread
    expected = integrate.quad(lambda f: (0.5 - f) * law.pdf(f), low, 0.5, limit=200)[0]

    found = acquisition.log_expected_improvement(np.array([mean]), np.array([spread]), 0.5)[0]

    assert found == pytest.approx(math.log(expected), abs=5e-3)


def test_log_expected_improvement_stays_finite_and_grows():
    means = np.linspace(1e7, 0, 500)

    found = acquisition.log_expected_improvement(means, np.full(500, 1.0), 0.0)

    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


def test_slope_of_the_acquisition_is_right():
    d_mean, d_spread = np.array([0.7, -0.2]), np.array([0.1, 0.4])

    def at(t):
        value = acquisition.log_expected_improvement(
            np.array([0.3 + t @ d_mean]), np.array([0.5 + t @ d_spread]), -1.0
        )
        return float(value[0])

    value, slope = acquisition.slope(0.3, 0.5, d_mean, d_spread, -1.0)

    assert value == pytest.approx(at(np.zeros(2)))
    assert slope == pytest.approx(optimize.approx_fprime(np.zeros(2), at, 1e-7), abs=1e-4)


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.7, 1.0, 2.0, 3.0])
def test_power_transform_is_that_of_scipy_and_is_undone(power):
    z = np.linspace(-2, 2, 21)

    bent = outputs.yeo_johnson(z, power)

    assert bent == pytest.approx(stats.yeojohnson(z, power))
    assert outputs.invert_yeo_johnson(bent, power) == pytest.approx(z)


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_outputs_are_about_normal_and_are_undone(goal):
    values = np.random.default_rng(0).gamma(2.0, size=200)

    transform = outputs.fit_transform(values, goal)
    y = transform.apply(values)

    assert (y.mean(), y.std()) == pytest.approx((0.0, 1.0), abs=0.05)
    kept = y < y.max()
    assert transform.invert(y)[kept] == pytest.approx(values[kept])
    assert np.argmin(y) == (values.argmin() if goal == "minimize" else values.argmax())


def test_diverged_runs_do_not_press_the_others_together():
    good = np.linspace(0.1, 0.5, 20)

    y = outputs.fit_transform(np.append(good, 1e12), "minimize").apply(np.append(good, 1e12))

    assert y[10] - y[0] > 0.5
    assert y[-1] == y.max()


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (-30.0, -2.0), (0.0, 9.0)])
def test_mean_below_a_bound(low, high):
    law = stats.truncnorm((low - 0.2) / 0.7, (high - 0.2) / 0.7, 0.2, 0.7)

    found = censoring.truncated_mean(np.array([0.2]), np.array([0.7]), low, np.array([high]))

    assert found[0] == pytest.approx(law.mean(), abs=1e-6)


def test_bounds_are_lowered_where_the_model_expects_more():
    X = np.array([[0.1], [0.2], [0.3], [0.9]])
    y = np.array([-1.0, 1.5, -0.9, 1.2])
    k = Kernel(np.array([9.0]), 1.0, np.array([False]))
    model = condition(k, X, y, np.full(4, 0.01), factor(k, X, np.full(4, 0.01)))

    found = censoring.impute(model, y, np.array([False, True, False, True]))

    assert found[[0, 2]].tolist() == [-1.0, -0.9]
    assert -1.0 <= found[1] < -0.5
    assert found[1] < found[3] <= 1.2


def test_places_and_values_go_both_ways():
    encoding, rng = Encoding(SPACE), np.random.default_rng(0)

    for _ in range(100):
        params = SPACE.sample(rng)
        x = encoding.encode(params)
        assert x is not None
        assert encoding.snap(x[None, :])[0] == pytest.approx(x)
        assert SPACE.key(encoding.decode(x)) == pytest.approx(SPACE.key(params)) or (
            encoding.decode(x)["lr"] == pytest.approx(params["lr"])
        )


def test_listed_numbers_count_by_rank_and_words_stay_apart():
    encoding = Encoding(SPACE)
    base = SPACE.sample(np.random.default_rng(0))
    units = [encoding.encode({**base, "units": u})[1] for u in (16, 32, 64, 128)]

    assert units == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert encoding.is_option.tolist() == [False, False, True, False, False]
    assert encoding.encode({**base, "act": "none"}) is None
    assert encoding.encode({**base, "units": 17}) is None
    # The same number in another type is the same value; true is no number.
    assert encoding.encode({**base, "depth": 3.0}) == pytest.approx(
        encoding.encode({**base, "depth": 3})
    )
    assert encoding.encode({**base, "depth": True}) is None


def learned(n=30, **changes):
    rng = np.random.default_rng(1)
    space = SearchSpace.parse({"x": "uniform(0, 1)", "kind": "choice('a', 'b')", "z": "choice(1)"})
    found = [space.sample(rng) for _ in range(n)]
    observations = [
        Observation(i, p, (p["x"] - 0.4) ** 2 + (p["kind"] == "b"), "completed")
        for i, p in enumerate(found)
    ]
    return inspect.learn(space, goal="minimize", history=History(n, observations)), observations


def test_view_shows_the_valley():
    view, _ = learned()

    line = view.along("x")
    best = min(range(len(line.values)), key=line.prediction.mean.__getitem__)

    assert line.values[best] == pytest.approx(0.4, abs=0.06)
    assert view.best["kind"] == "a"
    assert line.prediction.mean[best] == pytest.approx(0.0, abs=0.02)
    assert all(
        low <= high for low, high in zip(line.prediction.low, line.prediction.high, strict=True)
    )
    assert view.along("z") is None
    with pytest.raises(ValueError, match="not a configuration"):
        view.along("x", at={"x": 3})


def test_view_over_two_is_made_of_slices():
    view, _ = learned()

    field = view.over("x", "kind", points=9)

    assert (len(field.values_a), field.values_b) == (9, ["a", "b"])
    for j, kind in enumerate(field.values_b):
        line = view.along("x", at={"x": 0.5, "kind": kind, "z": 1}, points=9)
        assert field.prediction.mean[j::2] == pytest.approx(line.prediction.mean)
    assert view.over("x", "x") is None


def test_left_out_runs_are_predicted_by_the_others():
    view, observations = learned()

    found = view.leave_one_out()

    assert [row.number for row in found] == list(range(30))
    assert [row.observed for row in found] == [o.value for o in observations]
    errors = np.array([row.mean - row.observed for row in found])
    assert np.median(np.abs(errors)) < 0.05
    # One by hand: the same theta, without run 7.
    model = view.surrogate.posterior
    keep = np.arange(30) != 7
    noise = model.pending_noise
    expected, _ = dense(model.kernel, model.X[keep], view.surrogate.y[keep], noise, model.X[7:8])
    metric = view.surrogate.transform.invert(expected)[0]
    assert found[7].mean == pytest.approx(metric, abs=1e-6)


def test_relevance_adds_up():
    view, _ = learned()

    assert sum(view.relevance().values()) == pytest.approx(1.0)
    assert view.relevance()["z"] == 0.0


def test_too_few_runs_have_no_view():
    assert learned(2)[0] is None


def test_rows_tell_runs_apart():
    space = SearchSpace.parse({"x": "choice(range(10))"})
    observations = [
        Observation(3, {"x": 3}, None, "failed"),
        Observation(0, {"x": 0}, 1.0, "completed"),
        Observation(1, {"x": 1}, None, "pending"),
        Observation(2, {"x": 2}, 2.0, "canceled"),
        Observation(4, {"x": 0}, 5.0, "failed"),
        Observation(5, {"x": 5}, None, "canceled"),
        Observation(6, {"x": 6}, math.nan, "completed"),
    ]
    prior = [Observation(0, {"x": 9}, 3.0, "completed"), Observation(1, {"x": 8}, None, "pending")]

    rows = rows_of(History(7, observations, prior), Encoding(space))

    assert rows.numbers.tolist() == [-1, 0, 2, 3, 6]
    assert np.isnan(rows.values).tolist() == [False, False, False, True, True]
    assert rows.is_censored.tolist() == [False, False, True, False, False]
    assert (len(rows.pending), rows.n_settled, rows.n_valued) == (1, 2, 3)
