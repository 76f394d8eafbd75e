"""Machines that attach themselves: their tokens, GPUs, and targets that are being drained."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0008_run_facts"),
    ]

    operations = [
        migrations.AddField(
            model_name="computetarget",
            name="is_draining",
            field=models.BooleanField(
                default=False,
                help_text="On: live runs go on, waiting ones wait; no worker takes a new one.",
            ),
        ),
        migrations.AddField(
            model_name="worker",
            name="gpu",
            field=models.CharField(
                blank=True,
                help_text="CUDA_VISIBLE_DEVICES of its runs; empty: unchanged.",
                max_length=60,
            ),
        ),
        migrations.AlterField(
            model_name="computetarget",
            name="is_enabled",
            field=models.BooleanField(default=True, help_text="Off: takes no new sweeps."),
        ),
        migrations.CreateModel(
            name="ComputeToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "compute",
                    models.ForeignKey(
                        on_delete=models.CASCADE,
                        related_name="compute_tokens",
                        to="experiments.computetarget",
                    ),
                ),
            ],
            options={
                "verbose_name": "compute token",
                "ordering": ["-pk"],
            },
        ),
    ]
