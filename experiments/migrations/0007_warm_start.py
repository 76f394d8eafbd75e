"""Warm start: the sweeps that a sweep goes on from, the runs that it resumes."""

import django.db.models.deletion
from django.db import migrations, models

import experiments.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0006_models"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="origin",
            field=models.CharField(
                choices=[
                    ("sampler", "Sampler"),
                    ("retry", "Retry"),
                    ("hand", "Hand"),
                    ("resumed", "Resumed"),
                ],
                default="sampler",
                help_text="The sampler, a repetition, a person's own values, or an earlier run.",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Resumption",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(help_text="Place in resume_child_runs, from 0."),
                ),
                ("source_public_id", models.CharField(max_length=70)),
                (
                    "params",
                    experiments.models.fields.OrderedJSONField(
                        help_text="Of the earlier run, verbatim."
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="resumptions",
                        to="experiments.run",
                    ),
                ),
                (
                    "sweep",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="resumptions",
                        to="experiments.sweep",
                    ),
                ),
            ],
            options={
                "ordering": ["sweep_id", "position"],
            },
        ),
        migrations.AddField(
            model_name="run",
            name="resumption",
            field=models.ForeignKey(
                blank=True,
                help_text="The earlier run whose hyperparameters and outputs it goes on from.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="runs",
                to="experiments.resumption",
            ),
        ),
        migrations.CreateModel(
            name="WarmStart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(help_text="Place in resume_from, from 0."),
                ),
                ("parent_public_id", models.CharField(max_length=60)),
                ("parent_name", models.CharField(max_length=255)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="continuations",
                        to="experiments.sweep",
                    ),
                ),
                (
                    "sweep",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="warm_starts",
                        to="experiments.sweep",
                    ),
                ),
            ],
            options={
                "ordering": ["sweep_id", "position"],
            },
        ),
        migrations.AddConstraint(
            model_name="resumption",
            constraint=models.UniqueConstraint(
                fields=("sweep", "position"), name="resumption_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="resumption",
            constraint=models.UniqueConstraint(
                fields=("sweep", "source_public_id"), name="resumption_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="warmstart",
            constraint=models.UniqueConstraint(
                fields=("sweep", "position"), name="warm_start_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="warmstart",
            constraint=models.UniqueConstraint(
                fields=("sweep", "parent_public_id"), name="warm_start_once"
            ),
        ),
    ]
