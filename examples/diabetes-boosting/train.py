"""Fit boosted trees to scikit-learn's diabetes data.

Reports the mean squared error on held-out patients after every few stages; smaller is better.
"""

import argparse
import json
import pathlib
import pickle

from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from studio.sdk import Run


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", type=int, default=200)
    parser.add_argument("--every", type=int, default=10, help="stages between two reports")
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--max-depth", type=int, default=3)
    parser.add_argument("--subsample", type=float, default=1.0)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    run = Run.get_context()
    train_x, test_x, train_y, test_y = train_test_split(
        *load_diabetes(return_X_y=True), test_size=0.25, random_state=0
    )
    model = GradientBoostingRegressor(
        n_estimators=arguments.every,
        learning_rate=arguments.learning_rate,
        max_depth=arguments.max_depth,
        subsample=arguments.subsample,
        warm_start=True,
        random_state=0,
    )
    error = float("inf")
    for stage in range(arguments.every, arguments.stages + 1, arguments.every):
        model.set_params(n_estimators=stage)
        model.fit(train_x, train_y)
        error = mean_squared_error(test_y, model.predict(test_x))
        run.log("mse", error, step=stage)
        print(f"stage {stage}: mse {error:.1f}", flush=True)
    outputs = pathlib.Path("outputs")
    outputs.mkdir(exist_ok=True)
    with (outputs / "model.pkl").open("wb") as file:
        pickle.dump(model, file)
    (outputs / "result.json").write_text(json.dumps({"mse": error, **vars(arguments)}, indent=2))


if __name__ == "__main__":
    main()
