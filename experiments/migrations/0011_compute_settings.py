"""Compute targets: secret variables, questions to their workers, what those answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0010_clock"),
    ]

    operations = [
        migrations.AddField(
            model_name="computetarget",
            name="asked_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Workers look at their interpreter again.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="computetarget",
            name="secrets",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="worker",
            name="is_python_own",
            field=models.BooleanField(
                default=False, help_text="The machine sets it itself (studio worker --python)."
            ),
        ),
        migrations.AddField(
            model_name="worker",
            name="python",
            field=models.CharField(
                blank=True, help_text="Interpreter that its scripts get.", max_length=500
            ),
        ),
        migrations.AddField(
            model_name="worker",
            name="python_asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="worker",
            name="python_problem",
            field=models.CharField(
                blank=True,
                help_text="Why the interpreter cannot be used; empty: it can.",
                max_length=300,
            ),
        ),
        migrations.AddField(
            model_name="worker",
            name="python_version",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="worker",
            name="version",
            field=models.CharField(
                blank=True, help_text="Of the studio on its machine.", max_length=60
            ),
        ),
        migrations.AlterField(
            model_name="computetarget",
            name="environment",
            field=models.JSONField(
                blank=True, default=dict, help_text="Variables of every run: name to value."
            ),
        ),
        migrations.AlterField(
            model_name="computetarget",
            name="labels",
            field=models.JSONField(
                blank=True, default=dict, help_text="What people look for it by: key to value."
            ),
        ),
    ]
