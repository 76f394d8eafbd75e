"""Notes on a run, beside those on its sweep."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("experiments", "0016_imports"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="noteversion",
            name="note_version_once",
        ),
        migrations.AddField(
            model_name="noteversion",
            name="run",
            field=models.ForeignKey(
                blank=True,
                help_text="Of the same sweep; none: the notes are on the sweep.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notes",
                to="experiments.run",
            ),
        ),
        migrations.AddConstraint(
            model_name="noteversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("run", None)),
                fields=("sweep", "number"),
                name="note_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="noteversion",
            constraint=models.UniqueConstraint(
                fields=("run", "number"), name="note_version_of_run_once"
            ),
        ),
    ]
