"""A training script in the shape of the Azure ML documents."""

from pathlib import Path

# argparse, a report per epoch, a file in outputs.
TRAIN = """
import argparse, os
from azureml.core.run import Run

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--learning_rate", type=float)
parser.add_argument("--keep_probability", type=float)
parser.add_argument("--batch_size", type=int)
args = parser.parse_args()

run_logger = Run.get_context()
for epoch in range(args.epochs):
    val_accuracy = args.batch_size / 256 + args.keep_probability + epoch / 100
    run_logger.log("accuracy", float(val_accuracy))
run_logger.log_row("curve", x=1, y=args.learning_rate)
run_logger.log_row("curve", x=2, y=0.5)
run_logger.log("note", "fine")
run_logger.tag("size", args.batch_size)
run_logger.add_properties({"made_by": "train.py"})
os.makedirs("outputs", exist_ok=True)
with open("outputs/model.txt", "w") as file:
    file.write(str(args.batch_size))
run_logger.upload_file("plots/loss.txt", "outputs/model.txt")
print("trained", args.batch_size)
run_logger.complete()
"""


def seed_source(folder: Path) -> Path:
    """Make a source directory with more in it than a run needs."""
    (folder / "train.py").write_text(TRAIN)
    (folder / "data").mkdir()
    (folder / "data" / "big.csv").write_text("1,2\n")
    (folder / ".amlignore").write_text("data/\n")
    return folder
