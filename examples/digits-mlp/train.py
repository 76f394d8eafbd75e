"""Train a small neural network on scikit-learn's handwritten digits.

One report of the validation accuracy per epoch; the trained model is kept in ./outputs.
"""

import argparse
import pathlib
import pickle

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from studio.sdk import Run


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--learning_rate", type=float, default=0.001)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--activation", choices=["relu", "tanh", "logistic"], default="relu")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    run = Run.get_context()
    features, labels = load_digits(return_X_y=True)
    features = features / 16.0
    train_x, test_x, train_y, test_y = train_test_split(
        features, labels, test_size=0.3, random_state=0, stratify=labels
    )
    # Shifted copies: the network has to read digits that are not quite centred.
    train_x, train_y = shift_images(train_x, train_y)
    model = MLPClassifier(
        hidden_layer_sizes=(arguments.hidden,),
        activation=arguments.activation,
        solver="sgd",
        learning_rate_init=arguments.learning_rate,
        batch_size=arguments.batch_size,
        momentum=arguments.momentum,
        random_state=0,
    )
    order = np.random.default_rng(0)
    for epoch in range(1, arguments.epochs + 1):
        shuffled = order.permutation(len(train_x))
        model.partial_fit(train_x[shuffled], train_y[shuffled], classes=np.arange(10))
        accuracy = model.score(test_x, test_y)
        run.log("accuracy", accuracy, step=epoch)
        run.log("loss", float(model.loss_), step=epoch)
        print(f"epoch {epoch}: accuracy {accuracy:.4f}, loss {model.loss_:.4f}", flush=True)
    outputs = pathlib.Path("outputs")
    outputs.mkdir(exist_ok=True)
    with (outputs / "model.pkl").open("wb") as file:
        pickle.dump(model, file)


def shift_images(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 8 x 8 images together with copies moved by up to two pixels in each direction."""
    squares = images.reshape(-1, 8, 8)
    steps = range(-2, 3)
    moved = [np.roll(squares, (down, right), axis=(1, 2)) for down in steps for right in steps]
    return np.concatenate(moved).reshape(-1, 64), np.tile(labels, len(moved))


if __name__ == "__main__":
    main()
