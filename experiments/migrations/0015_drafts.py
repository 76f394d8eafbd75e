"""Drafts of the new-sweep form."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0014_teamwork'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SweepDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=32, unique=True)),
                ('name', models.CharField(blank=True, help_text='Name of the sweep so far.', max_length=255)),
                ('texts', models.JSONField(default=dict, help_text="Texts by the names of the form's fields.")),
                ('version', models.PositiveIntegerField(default=1, help_text='Counts the changes.')),
                ('editor', models.CharField(blank=True, help_text='The open page that saved it last.', max_length=64)),
                ('discarded_at', models.DateTimeField(blank=True, help_text='Kept for a day, so that it can be taken back.', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sweep_drafts', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='experiments.workspace')),
            ],
            options={
                'ordering': ['-changed_at'],
                'indexes': [models.Index(fields=['owner', '-changed_at'], name='draft_latest')],
            },
        ),
    ]
