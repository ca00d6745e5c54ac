"""The ELMo network in Keras: character ids in, the states of every layer out (Peters et al. 2018; bilm-tf).

Letters of the shapes: N distinct tokens, C characters, B sentences, T tokens, P projection, H cells, F filters.
Every weight has the name and the shape that it has in a bilm-tf file, so reading one is assigning by name.
"""

from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf

from petitions.encoders.characters import N_CHARACTERS
from petitions.encoders.dense import multiply
from petitions.encoders.elmo_options import ElmoOptions
from petitions.encoders.elmo_shapes import DIRECTIONS

State = tuple[tf.Tensor, tf.Tensor]  # cell state [B, H] and projected output [B, P] of one LSTM


class CharacterCnn(keras.layers.Layer):
    """Spelling of a token to its vector: convolutions, maximum over time, highway layers, projection."""

    def __init__(self, options: ElmoOptions) -> None:
        super().__init__()
        self.options = options
        width = sum(n for _, n in options.filters)  # F
        glorot = "glorot_uniform"
        add = partial(_add_weight, self)
        self.embed = add(
            "char_embed", (N_CHARACTERS - 1, options.character_dim), keras.initializers.RandomUniform(-1, 1)
        )
        self.convolutions = [
            (add(f"CNN/W_cnn_{i}", (1, size, options.character_dim, n), glorot), add(f"CNN/b_cnn_{i}", (n,), 0.0))
            for i, (size, n) in enumerate(options.filters)
        ]
        self.highways = [
            (
                add(f"CNN_high_{i}/W_carry", (width, width), glorot),
                add(f"CNN_high_{i}/b_carry", (width,), -2.0),  # mostly closed at the start, as in bilm-tf
                add(f"CNN_high_{i}/W_transform", (width, width), glorot),
                add(f"CNN_high_{i}/b_transform", (width,), 0.0),
            )
            for i in range(options.n_highway)
        ]
        self.projection = add("CNN_proj/W_proj", (width, options.projection_dim), glorot)
        self.projection_bias = add("CNN_proj/b_proj", (options.projection_dim,), 0.0)

    def call(self, character_ids: tf.Tensor) -> tf.Tensor:
        """Compute the vectors of tokens.

        Args:
            character_ids: int32 [N, C], 0 for padding of AllenNLP's kind (a zero vector), see `characters.py`.

        Returns:
            float32 [N, P].
        """
        activate = keras.activations.get(self.options.activation)
        table = tf.pad(tf.convert_to_tensor(self.embed), [[1, 0], [0, 0]])  # [262, E]
        characters = tf.gather(table, character_ids)  # [N, C, E]
        pooled = []
        for kernel, bias in self.convolutions:
            seen = tf.nn.conv1d(characters, kernel[0], stride=1, padding="VALID")  # [N, C - w + 1, n]
            pooled.append(activate(tf.reduce_max(seen, axis=1) + bias))  # [N, n]
        token = tf.concat(pooled, axis=-1)  # [N, F]
        for carry_kernel, carry_bias, kernel, bias in self.highways:
            carry = tf.sigmoid(token @ carry_kernel + carry_bias)  # [N, F]
            token = carry * tf.nn.relu(token @ kernel + bias) + (1.0 - carry) * token  # [N, F]
        return token @ self.projection + self.projection_bias  # [N, P]


class ProjectedLstm(keras.layers.Layer):
    """One LSTM in one direction whose output is projected and clipped before it is fed back."""

    product_dtype = tf.float32  # see `set_product_dtype`; weights, gates, cells and outputs are float32 always

    def __init__(self, options: ElmoOptions, prefix: str) -> None:
        super().__init__()
        self.options = options
        cells, projection = options.lstm_dim, options.projection_dim
        add = partial(_add_weight, self)
        self.kernel = add(f"{prefix}/W_0", (2 * projection, 4 * cells), "glorot_uniform")  # rows of input, then output
        self.bias = add(f"{prefix}/B", (4 * cells,), 0.0)
        self.projection = add(f"{prefix}/W_P_0", (cells, projection), "glorot_uniform")

    def call(self, inputs: tf.Tensor, mask: tf.Tensor, state: State, unroll: bool = False) -> tuple[tf.Tensor, State]:
        """Run over time; a step that the mask hides leaves the state as it was and repeats the last output.

        Args:
            inputs: float32 [B, T, P].
            mask: bool [B, T].
            state: cell state [B, H] and projected output [B, P] before the first step.
            unroll: write the T steps out in the graph: quicker to train, slower to compile.

        Returns:
            float32 [B, T, P], and the state after each row's last token.
        """
        steps = inputs.shape[1]
        rows = self.options.projection_dim
        # One product for all steps: only what hangs on the step before stays in the loop.
        read = tf.reshape(tf.transpose(inputs, [1, 0, 2]), [-1, rows])  # [T B, P]
        gates = multiply(read, self.kernel[:rows], self.product_dtype) + self.bias  # [T B, 4H]
        gates = tf.reshape(gates, [steps, -1, gates.shape[-1]])  # [T, B, 4H]
        is_token = tf.transpose(mask)[:, :, tf.newaxis]  # [T, B, 1]
        kernel, projection = tf.convert_to_tensor(self.kernel[rows:]), tf.convert_to_tensor(self.projection)
        if unroll:
            outputs = []
            for at_step, is_token_at_step in zip(tf.unstack(gates), tf.unstack(is_token), strict=True):
                state = self._step(at_step, is_token_at_step, state, kernel, projection)
                outputs.append(state[1])
            return tf.stack(outputs, axis=1), state
        outputs = tf.TensorArray(tf.float32, size=steps, element_shape=state[1].shape)
        _, cell, output, outputs = tf.while_loop(
            lambda t, *_: t < steps,
            lambda t, cell, output, outputs: _write(
                t, self._step(gates[t], is_token[t], (cell, output), kernel, projection), outputs
            ),
            (0, *state, outputs),
            maximum_iterations=steps,
        )
        return tf.transpose(outputs.stack(), [1, 0, 2]), (cell, output)  # [B, T, P]

    def _step(
        self, gates: tf.Tensor, is_token: tf.Tensor, state: State, kernel: tf.Tensor, projection: tf.Tensor
    ) -> State:
        cell, output = state
        gates += multiply(output, kernel, self.product_dtype)  # [B, 4H]
        # TensorFlow's order: input gate, candidate, forget gate, output gate; 1 is the forget bias.
        input_gate, candidate, forget_gate, output_gate = tf.split(gates, 4, axis=-1)  # [B, H] each
        kept = tf.sigmoid(forget_gate + 1.0) * cell  # [B, H]
        new_cell = _clip(kept + tf.sigmoid(input_gate) * tf.tanh(candidate), self.options.cell_clip)  # [B, H]
        hidden = tf.sigmoid(output_gate) * tf.tanh(new_cell)  # [B, H]
        projected = _clip(multiply(hidden, projection, self.product_dtype), self.options.proj_clip)  # [B, P]
        return tf.where(is_token, new_cell, cell), tf.where(is_token, projected, output)


class ElmoNetwork(keras.layers.Layer):
    """Two stacks of projected LSTMs, one a direction, over the vectors of the character CNN."""

    def __init__(self, options: ElmoOptions, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.options = options
        self.characters = CharacterCnn(options)
        self.stacks = [
            [ProjectedLstm(options, f"{direction}/RNN/MultiRNNCell/Cell{i}/LSTMCell") for i in range(options.n_layers)]
            for direction in DIRECTIONS
        ]
        self.dropout = keras.layers.Dropout(dropout, seed=0)
        self.built = True

    def call(
        self,
        tokens: tf.Tensor,
        lengths: tf.Tensor,
        states: Sequence[State] | None = None,
        *,
        unroll: bool = False,
        training: bool = False,
    ) -> tuple[tf.Tensor, list[State]]:
        """Compute the states of all layers.

        Args:
            tokens: float32 [B, T, P], vectors from `characters`, the marks of the sentence among them, padded right.
            lengths: int32 [B], tokens that are no padding.
            states: where the LSTMs begin, forward layers first, as this call returns them; zeros where absent.
            unroll: see `ProjectedLstm`.
            training: drop out between the layers.

        Returns:
            float32 [B, L + 1, T, 2P], the tokens themselves first, forward and backward side by side, whatever
            stands behind a row's length being without meaning; and the states after each row's last step.
        """
        mask = tf.sequence_mask(lengths, tokens.shape[1])  # [B, T]
        states = states or self.zero_states(tokens.shape[0] or tf.shape(tokens)[0])
        columns: list[list[tf.Tensor]] = []
        ends: list[State] = []
        for direction in range(len(self.stacks)):
            # Each row backward within its own length: the padding stays where it is, on the right.
            read = tf.reverse_sequence(tokens, lengths, seq_axis=1) if direction else tokens  # [B, T, P]
            begins = states[len(ends) : len(ends) + self.options.n_layers]
            layers, found = self.read_direction(direction, read, mask, begins, unroll=unroll, training=training)
            if direction:
                layers = [tf.reverse_sequence(layer, lengths, seq_axis=1) for layer in layers]
            columns.append(layers)
            ends += found
        both = [tf.concat(pair, axis=-1) for pair in zip(*columns, strict=True)]  # L + 1 of [B, T, 2P]
        return tf.stack(both, axis=1), ends  # [B, L + 1, T, 2P]

    def read_direction(
        self,
        direction: int,
        tokens: tf.Tensor,
        mask: tf.Tensor,
        states: Sequence[State],
        *,
        unroll: bool = False,
        training: bool = False,
    ) -> tuple[list[tf.Tensor], list[State]]:
        """Run the LSTMs of one direction over tokens in the order in which it reads them.

        Args:
            direction: 0 forward, 1 backward.
            tokens: float32 [B, T, P].
            mask: bool [B, T].
            states: where its L layers begin.
            unroll: see `ProjectedLstm`.
            training: drop out between the layers.

        Returns:
            The tokens and each layer's outputs, L + 1 of float32 [B, T, P], and the states after the last step.
        """
        layers, ends = [tokens], list[State]()
        for i, (lstm, begin) in enumerate(zip(self.stacks[direction], states, strict=True)):
            dropped = self.dropout(layers[-1], training=training)  # [B, T, P]
            output, end = lstm(dropped, mask, begin, unroll=unroll)  # [B, T, P]
            layers.append(output + layers[-1] if i and self.options.use_skip_connections else output)  # [B, T, P]
            ends.append(end)
        return layers, ends

    def zero_states(self, n_rows: int | tf.Tensor) -> list[State]:
        """States of `n_rows` sentences that nothing came before."""
        cell = tf.zeros((n_rows, self.options.lstm_dim))  # [B, H]
        output = tf.zeros((n_rows, self.options.projection_dim))  # [B, P]
        return [(cell, output) for stack in self.stacks for _ in stack]

    def weights_by_name(self) -> dict[str, keras.Variable]:
        """Every weight under its name in a bilm-tf file."""
        return {variable.name.replace("|", "/"): variable for variable in self.trainable_variables}


def _write(t: tf.Tensor, state: State, outputs: tf.TensorArray) -> tuple[object, ...]:
    return t + 1, *state, outputs.write(t, state[1])


def _clip(values: tf.Tensor, limit: float | None) -> tf.Tensor:
    return values if limit is None else tf.clip_by_value(values, -limit, limit)


def _add_weight(layer: keras.layers.Layer, name: str, shape: tuple[int, ...], initial: object) -> keras.Variable:
    """Add a weight that begins at a constant, or as the named initializer of Keras has it."""
    initializer = keras.initializers.Constant(initial) if isinstance(initial, float) else initial
    # Keras allows no slash in a name.
    return layer.add_weight(name=name.replace("/", "|"), shape=shape, initializer=initializer)
