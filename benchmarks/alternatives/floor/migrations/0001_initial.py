from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE report (
                id uuid PRIMARY KEY, root_id uuid NOT NULL, parent_id uuid, position integer NOT NULL,
                action varchar(100) NOT NULL, task varchar(200) NOT NULL, status varchar(9) NOT NULL,
                parameters jsonb, arguments jsonb, result jsonb,
                tasks_total integer NOT NULL, tasks_ok integer NOT NULL,
                created_at timestamptz NOT NULL DEFAULT statement_timestamp(),
                started_at timestamptz, finished_at timestamptz
            )
            """
        )
    ]
