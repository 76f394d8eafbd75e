"""Requests of the REST API with an Idempotency-Key."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("experiments", "0017_run_notes"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("caller", models.CharField(help_text="Whose key it is: user:7, run:12.", max_length=80)),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(help_text="SHA-256 of method, address and body.", max_length=64)),
                ("claim", models.CharField(help_text="The attempt that works on it.", max_length=32)),
                ("claimed_at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("answer", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotency_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("caller", "key"), name="idempotency_key_once"),
                ],
            },
        ),
    ]
