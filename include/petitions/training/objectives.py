"""What the stages minimize: vectors or logits in, a loss out.

Shapes: B texts of a batch, D dimensions, P masked positions, V pieces. Vectors are of unit length.
"""

import tensorflow as tf

TEMPERATURE = 0.05  # of cosines in a contrast, as in SimCSE (Gao et al. 2021)
SCALE = 20.0  # of cosines in a ranking, as in CoSENT
SIMILARITY_WEIGHT = 5.0  # squared differences of cosines are small numbers
IMPOSSIBLE = -1e9


def distill(vectors: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """How far the similarities within a batch are from the teacher's, and the vectors where both are as wide.

    Args:
        vectors: float32 [B, D].
        targets: float32 [B, D], or of another width.

    Returns:
        float32 scalar, 0 where both are the same.
    """
    similar = tf.matmul(vectors, vectors, transpose_b=True)  # [B, B]
    wanted = tf.matmul(targets, targets, transpose_b=True)  # [B, B]
    loss = SIMILARITY_WEIGHT * tf.reduce_mean(tf.square(similar - wanted))
    if vectors.shape[1] == targets.shape[1]:
        loss += tf.reduce_mean(1.0 - tf.reduce_sum(vectors * targets, axis=1))
    return loss


def contrast(firsts: tf.Tensor, seconds: tf.Tensor) -> tf.Tensor:
    """Each first text finds its second among all of them, and each of the first B seconds its first.

    Args:
        firsts: float32 [B, D].
        seconds: float32 [B or more, D]; those past B belong to no first text.

    Returns:
        float32 scalar, cross-entropy.
    """
    logits = tf.matmul(firsts, seconds, transpose_b=True) / TEMPERATURE  # [B, C]
    n_rows = tf.shape(firsts)[0]
    own = tf.range(n_rows)  # [B]
    there = tf.nn.sparse_softmax_cross_entropy_with_logits(own, logits)  # [B]
    back = tf.nn.sparse_softmax_cross_entropy_with_logits(own, tf.transpose(logits[:, :n_rows]))  # [B]
    return tf.reduce_mean(there + back) / 2.0


def rank(firsts: tf.Tensor, seconds: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Pairs that people found more alike shall have the higher cosine (CoSENT).

    Args:
        firsts: float32 [B, D].
        seconds: float32 [B, D].
        scores: float32 [B].

    Returns:
        float32 scalar.
    """
    cosines = SCALE * tf.reduce_sum(firsts * seconds, axis=1)  # [B]
    excess = cosines[tf.newaxis, :] - cosines[:, tf.newaxis]  # [B, B], row i and column j: j above i
    is_wrong = scores[:, tf.newaxis] > scores[tf.newaxis, :]  # [B, B], i should be above j
    excess = tf.where(is_wrong, excess, IMPOSSIBLE)
    return tf.reduce_logsumexp(tf.concat([[0.0], tf.reshape(excess, [-1])], axis=0))


def weigh(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy over what has a weight; 0 where nothing has.

    Args:
        logits: float32 [..., C].
        labels: int32 [...].
        weights: float32 [...].
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits) * weights
    return tf.reduce_sum(losses) / tf.maximum(tf.reduce_sum(weights), 1.0)
