"""Sweeps that were imported: where their runs come from."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import experiments.clock


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("experiments", "0015_drafts"),
    ]

    operations = [
        migrations.CreateModel(
            name="SweepImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        help_text="csv, json, optuna, wandb, mlflow, capsule.", max_length=20
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        help_text="What was read, as a person calls it.", max_length=500
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of what was imported, hex.", max_length=64
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=experiments.clock.now, editable=False),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "sweep",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="imported",
                        to="experiments.sweep",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["digest"], name="import_digest")],
            },
        ),
    ]
