"""Fit a line by gradient descent, logged with MLflow: to the studio in a sweep."""

import argparse
import json
import os
import random

import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0.05)
parser.add_argument("--decay", type=float, default=0.0)
parser.add_argument("--steps", type=int, default=40)
args = parser.parse_args()

random.seed(1)
points = [(x / 20, 3 * x / 20 - 1 + random.gauss(0, 0.1)) for x in range(20)]
slope, offset = 0.0, 0.0

with mlflow.start_run():
    mlflow.log_param("points", len(points))
    mlflow.set_tag("model", "line")
    for step in range(args.steps):
        errors = [slope * x + offset - y for x, y in points]
        loss = sum(error * error for error in errors) / len(points)
        mlflow.log_metric("loss", loss, step=step)
        rate = args.rate / (1 + args.decay * step)
        slope -= rate * 2 * sum(e * x for e, (x, _) in zip(errors, points)) / len(points)
        offset -= rate * 2 * sum(errors) / len(points)
    print("loss", loss)
    os.makedirs("outputs", exist_ok=True)
    with open("outputs/line.json", "w") as file:
        json.dump({"slope": slope, "offset": offset}, file)
    mlflow.log_artifact("outputs/line.json", "model")
