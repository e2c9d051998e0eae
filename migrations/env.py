"""Run by Alembic: hands the steps the connection that `appliance.store.schema` opened."""

from alembic import context

from appliance.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("the migrations are run by the appliance itself, whenever it opens its database")

context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    # SQLite cannot alter a column in place; a step then copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
