"""Trash of sweeps, removals for good, runs without outputs, last use of snapshots."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import experiments.clock


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0011_compute_settings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Removal",
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
                        choices=[
                            ("sweep", "Sweep"),
                            ("outputs", "Outputs"),
                            ("snapshot", "Snapshot"),
                            ("leftovers", "Leftovers"),
                        ],
                        max_length=12,
                    ),
                ),
                ("sweep_public_id", models.CharField(blank=True, max_length=60)),
                (
                    "name",
                    models.CharField(help_text="Of the sweep, or what it was.", max_length=255),
                ),
                (
                    "run_count",
                    models.PositiveIntegerField(default=0, help_text="Runs that lose something."),
                ),
                (
                    "kept_best",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Of outputs: how many of the best runs keep theirs.",
                        null=True,
                    ),
                ),
                (
                    "expected_bytes",
                    models.BigIntegerField(default=0, help_text="Estimate, from the rows."),
                ),
                (
                    "freed_bytes",
                    models.BigIntegerField(default=0, help_text="Of the files removed so far."),
                ),
                (
                    "requested_at",
                    models.DateTimeField(default=experiments.clock.now, editable=False),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        help_text="Why it did not get on when it was tried last.",
                        max_length=300,
                    ),
                ),
                ("problem_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="run",
            name="outputs_removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="snapshot",
            name="used_at",
            field=models.DateTimeField(
                default=experiments.clock.now,
                help_text="Uploaded or used last; nobody's are removed a day later.",
            ),
        ),
        migrations.AddField(
            model_name="sweep",
            name="keep_outputs_of_best",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Rule for its end: only so many runs keep their outputs.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="sweep",
            name="purging_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="sweep",
            name="trashed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="sweep",
            name="trashed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="sweep",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", False)),
                fields=["trashed_at"],
                name="sweep_trash",
            ),
        ),
        migrations.AddIndex(
            model_name="sweep",
            index=models.Index(
                condition=models.Q(("keep_outputs_of_best__isnull", False)),
                fields=["ended_at"],
                name="sweep_keep_rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="sweep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purging_at__isnull", True), ("trashed_at__isnull", True)),
                    models.Q(("ended_at__isnull", False), ("trashed_at__isnull", False)),
                    _connector="OR",
                ),
                name="sweep_trashed_after_its_end",
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: a rule of the studio or of the sweep.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="sweep",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="removals",
                to="experiments.sweep",
            ),
        ),
        migrations.AddField(
            model_name="removal",
            name="workspace",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: it belonged to none.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="removals",
                to="experiments.workspace",
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="outputs_removal",
            field=models.ForeignKey(
                blank=True,
                help_text="What took its outputs; without a time it is still at it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="runs",
                to="experiments.removal",
            ),
        ),
        migrations.AddIndex(
            model_name="removal",
            index=models.Index(fields=["workspace", "-id"], name="removal_newest"),
        ),
        migrations.AddIndex(
            model_name="removal",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["id"],
                name="removal_going_on",
            ),
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at__isnull", True), ("kind", "sweep")),
                fields=("sweep",),
                name="removal_of_sweep_once",
            ),
        ),
    ]
