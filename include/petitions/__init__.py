"""Topics, scores and embeddings of Korean petitions, in Postgres."""
