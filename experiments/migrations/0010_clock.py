"""Stamp rows of sweeps with the studio's own clock; only the default in Python changes."""

from django.db import migrations, models

import experiments.clock


def _created(model_name: str) -> migrations.AlterField:
    field = models.DateTimeField(default=experiments.clock.now, editable=False)
    return migrations.AlterField(model_name, "created_at", field)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0009_attached_machines")]

    operations = [
        # The columns stay as they are: nothing to do in the database.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                _created("decision"),
                _created("event"),
                _created("run"),
                _created("sweep"),
                _created("sweepversion"),
            ]
        )
    ]
