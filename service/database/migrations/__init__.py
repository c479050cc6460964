"""What makes and changes the tables, run by Alembic."""
