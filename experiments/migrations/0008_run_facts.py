"""The numbers behind the sentence that says why a run was chosen."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0007_warm_start"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="facts",
            field=models.JSONField(
                blank=True,
                help_text="The numbers behind the note, as the sampler gave them.",
                null=True,
            ),
        ),
    ]
