"""Steps and times may be packed from here on; rows that are there stay as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0023_quotas")]

    operations = [
        migrations.AlterField(
            model_name="metricchunk",
            name="steps",
            field=models.BinaryField(
                help_text="Steps from the script as packed_columns.py has them; null: none.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="metricchunk",
            name="times",
            field=models.BinaryField(help_text="Unix seconds as packed_columns.py has them."),
        ),
    ]
