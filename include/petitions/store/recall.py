"""How much of exact search the index of an encoder finds: recall@10 over a sample of its own vectors."""

from sqlalchemy import Connection, Integer, Text, bindparam, text

K = 10
SAMPLE = 50  # questions, each compared with every vector: 0.1 s each at 100,000 vectors of 768 numbers
MIN_RECALL = 0.98
# Of equal distances any may come: the same text posted again has the same vector.
_TIE = 1e-6

_FIND_INDEX = text("SELECT to_regclass('petitions.petition_embedding_hnsw_' || left(md5(:encoder), 12)) IS NOT NULL")
_SAMPLE = text("""
    SELECT e.embedding::text AS embedding, vector_dims(e.embedding) AS width FROM petitions.petition_embedding AS e
    WHERE e.encoder = :encoder ORDER BY md5(e.petition_id) LIMIT :n
""")
_SETTINGS = text("""
    SELECT set_config(split_part(item, '=', 1), split_part(item, '=', 2), true)
    FROM pg_proc CROSS JOIN unnest(proconfig) AS item
    WHERE oid = 'petitions.nearest_petitions'::regproc AND item NOT LIKE 'search_path=%'
""")
_EXACT = text("""
    SELECT max(distance) FROM (
        SELECT embedding <=> CAST(:wanted AS vector) AS distance FROM petitions.petition_embedding
        WHERE encoder = :encoder ORDER BY distance LIMIT :k
    ) AS nearest
""")
# The words of nearest_petitions; names and widths are written out, or the planner would not know the index.
_BY_INDEX = text("""
    WITH near AS MATERIALIZED (
        SELECT e.embedding FROM petitions.petition_embedding AS e
        WHERE e.encoder = :encoder
        ORDER BY e.embedding::halfvec(:width) <=> CAST(:wanted AS vector)::halfvec(:width) LIMIT :n
    ), best AS (
        SELECT embedding <=> CAST(:wanted AS vector) AS distance FROM near ORDER BY distance LIMIT :k
    )
    SELECT count(*) FROM best WHERE distance <= :within
""").bindparams(
    bindparam("encoder", type_=Text, literal_execute=True),
    bindparam("width", type_=Integer, literal_execute=True),
    bindparam("n", type_=Integer, literal_execute=True),
)


def measure_recall(conn: Connection, encoder: str, n: int = SAMPLE) -> float | None:
    """Measure the share of the 10 nearest vectors that the index of an encoder finds, with the settings of search.

    Args:
        conn: an open connection; only read from. The settings stay until its transaction ends.
        encoder: name of the weights and their hash.
        n: stored vectors to ask by.

    Returns:
        0 to 1; None where there is no index, so that search is exact.
    """
    if not conn.scalar(_FIND_INDEX, {"encoder": encoder}):
        return None
    asked = conn.execute(_SAMPLE, {"encoder": encoder, "n": n}).all()
    conn.execute(_SETTINGS)
    found = 0
    for wanted, width in asked:
        bound = {"encoder": encoder, "wanted": wanted, "k": K}
        farthest = conn.execute(_EXACT, bound).scalar_one()
        by_index = {**bound, "width": width, "n": K + 10, "within": farthest + _TIE}
        found += conn.execute(_BY_INDEX, by_index).scalar_one()
    return found / (K * len(asked)) if asked else None


def read_searched_encoders(conn: Connection) -> list[str]:
    """Read the encoders that published fits are searched by; empty before the first was published."""
    query = "SELECT DISTINCT encoders[1] AS encoder FROM petitions.published_model ORDER BY encoder"
    return list(conn.execute(text(query)).scalars())
