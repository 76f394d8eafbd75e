"""Logistic regression by hand: pure Python, no library at all.

Two clouds of points are told apart by gradient descent; the loss is reported after every pass.
"""

import argparse
import json
import math
import os
import random
import time

from studio.sdk import Run


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=30)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds to wait after each pass")
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--decay", type=float, default=0.0)
    return parser.parse_args()


def make_points(count: int) -> list:
    """Return (x, y, label) of two overlapping clouds; always the same ones."""
    numbers = random.Random(7)
    points = []
    for index in range(count):
        label = index % 2
        centre = 1.0 if label else -1.0
        points.append((numbers.gauss(centre, 1.2), numbers.gauss(-centre, 1.2), label))
    return points


def probability(weights: list, x: float, y: float) -> float:
    score = weights[0] + weights[1] * x + weights[2] * y
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


def mean_loss(weights: list, points: list) -> float:
    total = 0.0
    for x, y, label in points:
        p = min(max(probability(weights, x, y), 1e-12), 1 - 1e-12)
        total -= math.log(p if label else 1 - p)
    return total / len(points)


def main() -> None:
    arguments = parse_arguments()
    run = Run.get_context()
    points = make_points(400)
    train, test = points[:300], points[300:]
    weights = [0.0, 0.0, 0.0]
    for number in range(1, arguments.passes + 1):
        rate = arguments.rate / (1 + arguments.decay * number)
        for x, y, label in train:
            error = label - probability(weights, x, y)
            weights = [w + rate * error * v for w, v in zip(weights, (1.0, x, y))]
        loss = mean_loss(weights, test)
        run.log("loss", loss, step=number)
        print(f"pass {number}: loss {loss:.4f}", flush=True)
        time.sleep(arguments.pause)
    os.makedirs("outputs", exist_ok=True)
    with open(os.path.join("outputs", "weights.json"), "w") as file:
        json.dump(weights, file)


if __name__ == "__main__":
    main()
