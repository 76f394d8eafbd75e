"""Notes on sweeps, stars of people, links to share."""

import django.db.models.deletion
import experiments.clock
import experiments.models.teamwork
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0013_saved_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        default=experiments.models.teamwork.new_share_key,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(blank=True, help_text="Whom it is for.", max_length=120)),
                (
                    "with_reasons",
                    models.BooleanField(
                        default=False,
                        help_text="Also why runs ended, which may quote their output, and their log.",
                    ),
                ),
                (
                    "with_files",
                    models.BooleanField(
                        default=False, help_text="Also the outputs of the best run."
                    ),
                ),
                ("created_at", models.DateTimeField(default=experiments.clock.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "used_at",
                    models.DateTimeField(
                        blank=True, help_text="Last opened, to the minute.", null=True
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="share_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "sweep",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="share_links",
                        to="experiments.sweep",
                    ),
                ),
            ],
            options={
                "verbose_name": "share link",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="NoteVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(help_text="From 1; the next edit must name it."),
                ),
                ("text", models.TextField(blank=True, help_text="Markdown.")),
                (
                    "author_name",
                    models.CharField(help_text="Stays when the person is gone.", max_length=150),
                ),
                ("created_at", models.DateTimeField(default=experiments.clock.now, editable=False)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "sweep",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="experiments.sweep",
                    ),
                ),
            ],
            options={
                "ordering": ["sweep_id", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("sweep", "number"), name="note_version_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Star",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(default=experiments.clock.now, editable=False)),
                (
                    "model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stars",
                        to="experiments.registeredmodel",
                    ),
                ),
                (
                    "sweep",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stars",
                        to="experiments.sweep",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stars",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "sweep"), name="star_of_sweep_once"),
                    models.UniqueConstraint(fields=("user", "model"), name="star_of_model_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("model__isnull", True), ("sweep__isnull", False)),
                            models.Q(("model__isnull", False), ("sweep__isnull", True)),
                            _connector="OR",
                        ),
                        name="star_of_one_thing",
                    ),
                ],
            },
        ),
    ]
