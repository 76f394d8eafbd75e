"""Tags and properties of runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0002_sweep_life")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="properties",
            field=models.JSONField(
                blank=True, default=dict, help_text="Names with text, each written once."
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="tags",
            field=models.JSONField(
                blank=True, default=dict, help_text="Names with text or null; may be changed."
            ),
        ),
    ]
