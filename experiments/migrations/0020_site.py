"""Site settings, announcements and the audit log with the triggers that keep it append-only.

A later migration that makes the table of the log anew on SQLite has to make its triggers anew.
"""

from typing import Any

import django.core.validators
import django.db.models.deletion
import experiments.clock
from django.conf import settings
from django.db import migrations, models

TABLE = "experiments_auditentry"
REFUSAL = "The audit log is append-only: entries are neither changed nor removed."
SQLITE = {
    f"audit_no_{word}": f"""
        CREATE TRIGGER audit_no_{word} BEFORE {word.upper()} ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """
    for word in ("update", "delete")
} | {
    # REPLACE removes the row in its way without a word to the trigger above.
    "audit_no_replace": f"""
        CREATE TRIGGER audit_no_replace BEFORE INSERT ON {TABLE}
        WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """
}
POSTGRESQL = {
    "audit_no_change": f"""
        CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION experiments_audit_refuse()
    """,
    "audit_no_truncate": f"""
        CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION experiments_audit_refuse()
    """,
}
FUNCTION = f"""
    CREATE FUNCTION experiments_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $refuse$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'insufficient_privilege'; END
    $refuse$
"""


def make_triggers(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)
        statements = POSTGRESQL
    else:
        statements = SQLITE
    for statement in statements.values():
        schema_editor.execute(statement)


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for name in POSTGRESQL:
            schema_editor.execute(f"DROP TRIGGER {name} ON {TABLE}")
        schema_editor.execute("DROP FUNCTION experiments_audit_refuse()")
    else:
        for name in SQLITE:
            schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0019_notifications'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(help_text='Markdown: **bold**, `code`, [links](https://example.org).', max_length=1000)),
                ('level', models.CharField(choices=[('info', 'Information'), ('warning', 'Warning'), ('urgent', 'Urgent: also on the sign-in page')], default='info', max_length=8)),
                ('starts_at', models.DateTimeField(default=experiments.clock.now, help_text='UTC.', verbose_name='from')),
                ('ends_at', models.DateTimeField(blank=True, help_text='UTC; empty: until somebody ends it.', null=True, verbose_name='until')),
                ('is_dismissible', models.BooleanField(default=True, help_text='Each person may put it away for themselves.', verbose_name='can be dismissed')),
                ('created_at', models.DateTimeField(default=experiments.clock.now, editable=False)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-starts_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='AnnouncementDismissal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dismissed_at', models.DateTimeField(default=experiments.clock.now, editable=False)),
                ('announcement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dismissals', to='experiments.announcement')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=experiments.clock.now, editable=False, verbose_name='time')),
                ('act', models.CharField(max_length=60)),
                ('by_name', models.CharField(blank=True, help_text='Empty: the studio itself.', max_length=150)),
                ('workspace_name', models.CharField(blank=True, max_length=120, verbose_name='workspace')),
                ('about', models.CharField(blank=True, help_text='What it was done to.', max_length=255)),
                ('about_id', models.CharField(blank=True, max_length=120)),
                ('details', models.JSONField(default=dict)),
                ('address', models.CharField(blank=True, help_text='Where the request came from.', max_length=64, verbose_name='from')),
                ('request_id', models.CharField(blank=True, help_text='As in the log.', max_length=64)),
                ('by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='experiments.workspace')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit entries',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SiteSettings',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(default='Sweep Studio', help_text="In the top bar and in every page's title.", max_length=40)),
                ('banner', models.CharField(blank=True, help_text='One line below the top bar of every page, for everybody; empty: none.', max_length=300)),
                ('sign_up', models.CharField(choices=[('closed', 'Nobody: an administrator makes every account'), ('invited', 'Only with an invitation to a workspace'), ('domains', 'With an invitation, or an e-mail address of the domains below'), ('open', 'Everybody who can reach the studio')], default='invited', max_length=8, verbose_name='who may sign up')),
                ('sign_up_domains', models.TextField(blank=True, help_text='Domains of e-mail addresses, one a line or with commas: example.org, uni.edu.', verbose_name='domains')),
                ('maintenance', models.BooleanField(default=False, help_text='No new runs start; running ones finish, and sweeps that are submitted wait.', verbose_name='maintenance mode')),
                ('maintenance_message', models.CharField(blank=True, help_text='What people read about it on every page, such as the reason.', max_length=300, verbose_name='message')),
                ('maintenance_from', models.DateTimeField(blank=True, help_text='Announced on every page from now on, and turned on by itself then (UTC).', null=True, verbose_name='planned for')),
                ('maintenance_until', models.DateTimeField(blank=True, help_text='Only shown (UTC): maintenance ends when somebody turns it off.', null=True, verbose_name='expected end')),
                ('default_max_total_runs', models.PositiveIntegerField(blank=True, help_text='Where a specification does not say; empty: the form suggests 20, files must say.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)])),
                ('default_max_concurrent_runs', models.PositiveIntegerField(blank=True, help_text='Empty: the form suggests 4; a file that does not say gets as many as fit.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('default_max_duration_minutes', models.PositiveIntegerField(blank=True, help_text='Empty: 10080 minutes, which is a week.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(43200)])),
                ('limit_total_runs', models.PositiveIntegerField(blank=True, help_text='Empty: 1000.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)])),
                ('limit_concurrent_runs', models.PositiveIntegerField(blank=True, help_text='Empty: 100.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('limit_duration_minutes', models.PositiveIntegerField(blank=True, help_text='Empty: 43200 minutes, thirty days.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(43200)])),
                ('trash_days', models.PositiveIntegerField(blank=True, help_text='Then a sweep is deleted for good; 0: only people delete. Empty: STUDIO_TRASH_DAYS of the environment.', null=True, validators=[django.core.validators.MaxValueValidator(36500)], verbose_name='days in the trash')),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'site settings',
                'verbose_name_plural': 'site settings',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='site_settings_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='announcement_ends_after_start', violation_error_message='The announcement would end before it starts.'),
        ),
        migrations.AddConstraint(
            model_name='announcementdismissal',
            constraint=models.UniqueConstraint(fields=('announcement', 'user'), name='dismissal_once'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['act', '-id'], name='audit_of_act'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['by', '-id'], name='audit_of_person'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['workspace', '-id'], name='audit_of_workspace'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['at'], name='audit_time'),
        ),
        migrations.RunPython(make_triggers, drop_triggers),
    ]
