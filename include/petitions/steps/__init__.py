"""The steps of a run, one module a task of the DAG, and what they share."""
