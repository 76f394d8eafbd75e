"""Named views of the table of runs, and the columns that each person chose."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0012_retention'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ColumnChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('columns', models.JSONField(default=list, help_text='Keys in order.')),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='experiments.experiment')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='column_choices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('experiment', 'user'), name='column_choice_once')],
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('filter', models.TextField(blank=True, help_text='In the filter language of runs.')),
                ('state', models.CharField(blank=True, help_text='Key of a group of states.', max_length=20)),
                ('columns', models.JSONField(default=list, help_text='Keys in order; empty: the usual ones.')),
                ('sort', models.CharField(blank=True, help_text='Key of a column.', max_length=300)),
                ('descending', models.BooleanField(default=False)),
                ('is_default', models.BooleanField(default=False, help_text='What the table of runs opens with, as long as nothing is chosen.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='views', to='experiments.experiment')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='views', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('experiment', 'name'), name='view_name_once_per_experiment'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('experiment',), name='view_default_once_per_experiment')],
            },
        ),
    ]
