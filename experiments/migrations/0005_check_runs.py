"""Checks before the launch: one run of a specification, in a sweep that no list shows."""

import django.db.models.deletion
import experiments.models.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0004_snapshot_workspaces"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CheckRun",
            fields=[
                (
                    "sweep",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="check_run",
                        serialize=False,
                        to="experiments.sweep",
                    ),
                ),
                ("seconds", models.FloatField(help_text="The run is stopped after this time.")),
                (
                    "spec",
                    experiments.models.fields.OrderedJSONField(
                        help_text="As given, with the limits of the whole sweep."
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="sweep",
            name="kind",
            field=models.CharField(
                choices=[("sweep", "Sweep"), ("check", "Check")],
                default="sweep",
                help_text="A check tries one configuration before the launch; no list or number counts it.",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="sweep",
            index=models.Index(
                condition=models.Q(("kind", "check")),
                fields=["owner", "ended_at"],
                name="sweep_checks",
            ),
        ),
    ]
