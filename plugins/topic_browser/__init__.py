"""A page in the Airflow UI over the published results: reads the views of petition_reader, computes nothing."""
