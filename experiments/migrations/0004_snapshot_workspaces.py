"""Snapshots belong to the workspaces that uploaded or used them."""

from typing import Any

from django.db import migrations, models


def give_to_users(apps: Any, schema_editor: Any) -> None:
    """Give every snapshot to the workspaces whose sweeps use it."""
    alias = schema_editor.connection.alias
    sweeps = apps.get_model("experiments", "Sweep").objects.using(alias).order_by()
    pairs = sweeps.values_list("snapshot_id", "experiment__workspace_id").distinct()
    link = apps.get_model("experiments", "Snapshot").workspaces.through
    link.objects.using(alias).bulk_create(
        [link(snapshot_id=snapshot_id, workspace_id=workspace) for snapshot_id, workspace in pairs],
        batch_size=1000,
    )


class Migration(migrations.Migration):
    dependencies = [("experiments", "0003_run_marks")]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="workspaces",
            field=models.ManyToManyField(
                help_text="Whose members may read it: those that uploaded or used it.",
                related_name="snapshots",
                to="experiments.workspace",
            ),
        ),
        migrations.RunPython(give_to_users, migrations.RunPython.noop),
    ]
