"""The tensors of a BERT checkpoint in, the same computation as one ONNX graph out: vectors and the logits of the heads.

The graph is written down here, node by node, from the weights alone: no tracing, no PyTorch, no converter. It uses the
fused operators of ONNX Runtime (`com.microsoft`), which compute what `encoders.bert` computes: layer norm after each
residual, the exact (erf) GELU. All sequences of a batch have the same length, so there is no padding and no mask.

In int8, matrices have a scale a channel, and states one that is found as they come (Dettmers et al. 2022 tell why the
second is the weak point: single values a hundred times the others). The states behind the GELU have most of these, so
the matrix after it is multiplied in blocks of 128, each with scales of its own: the mean cosine of the shipped weights
rises from 0.9968 to 0.9991 for an eighth of the speed.

Shapes: B sequences, T tokens, D hidden size, V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from petitions.encoders.bert_shapes import masked_lm_shapes, next_sentence_shapes
from petitions.encoders.bert_size import BertSize
from petitions.encoders.reading import Pooling

OPSET, FUSED_OPSET, IR_VERSION = 17, 1, 8
FUSED = "com.microsoft"
INT8_MAX = 127
BLOCK = 128
BEHIND_GELU = ".output.dense"  # of a layer; that of its attention is "attention.output.dense"
INT8_STATES = 4  # the accuracy level of MatMulNBits that multiplies int8 by int8
TINY = 1e-12  # as tf.math.l2_normalize has it

Array = npt.NDArray[Any]
Tensors = Mapping[str, npt.NDArray[np.floating]]


@dataclass(slots=True, kw_only=True)
class _Graph:
    """Nodes and weights as they are written down; a node is named after its output."""

    size: BertSize
    tensors: Tensors
    is_int8: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, onnx.TensorProto] = field(default_factory=dict)
    quantized: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        """Write down one node; returns the name of what it gives."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def keep(self, name: str, array: Array) -> str:
        """Keep a constant; returns its name."""
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def weight(self, name: str) -> str:
        """Keep a tensor of the checkpoint under its own name."""
        return self.keep(name, self.tensors[name].astype(np.float32))

    def multiply(self, states: str, name: str, output: str) -> str:
        """The product of states [..., I] with a PyTorch matrix [O, I], without a bias."""
        matrix = self.tensors[f"{name}.weight"].astype(np.float32)  # [O, I]
        if not self.is_int8:
            return self.add("MatMul", [states, self.keep(f"{name}.kernel", matrix.T)], output)
        if name.endswith(BEHIND_GELU) and "attention" not in name:
            return self._multiply_blocks(states, matrix, name, output)
        scales = _find_scales(matrix)  # [O, 1]
        kernel = self.keep(f"{name}.int8", np.rint(matrix / scales).astype(np.int8).T)  # [I, O]
        whole, scale, zero = self._quantize(states)
        inputs = [whole, kernel, scale, self.keep(f"{name}.scale", scales[:, 0]), zero]
        return self.add("MatMulIntegerToFloat", inputs, output, FUSED)

    def _quantize(self, states: str) -> tuple[str, str, str]:
        """States as uint8, their scale and their zero; the same for all that are multiplied with them."""
        found = (f"{states}_uint8", f"{states}_scale", f"{states}_zero")
        if found not in self.quantized:
            self.quantized.add(found)
            self.nodes.append(helper.make_node("DynamicQuantizeLinear", [states], found, name=found[0]))
        return found

    def _multiply_blocks(self, states: str, matrix: Array, name: str, output: str) -> str:
        """The product with scales for each block of BLOCK inputs, of the matrix and of the states."""
        n_out, n_in = matrix.shape
        padded = np.pad(matrix, ((0, 0), (0, -n_in % BLOCK)))
        blocks = padded.reshape(n_out, -1, BLOCK)  # [O, I / BLOCK, BLOCK]
        scales = _find_scales(blocks)  # [O, I / BLOCK, 1]
        kernel = self.keep(f"{name}.uint8", (np.rint(blocks / scales) + INT8_MAX + 1).astype(np.uint8))
        inputs = [states, kernel, self.keep(f"{name}.scale", scales[..., 0])]
        sizes = {"K": n_in, "N": n_out, "bits": 8, "block_size": BLOCK, "accuracy_level": INT8_STATES}
        return self.add("MatMulNBits", inputs, output, FUSED, **sizes)

    def dense(self, states: str, name: str, output: str) -> str:
        """The product of `multiply` and the bias."""
        return self.add("Add", [self.multiply(states, name, f"{output}_product"), self.weight(f"{name}.bias")], output)

    def add_and_norm(self, states: str, residual: str, dense: str, norm: str, output: str) -> str:
        """A dense layer's product, its bias and the residual, added and normalized at once."""
        product = self.multiply(states, dense, f"{output}_product")
        inputs = [product, residual, *self.norm_weights(norm), self.weight(f"{dense}.bias")]
        return self.add("SkipLayerNormalization", inputs, output, FUSED, epsilon=self.size.layer_norm_eps)

    def norm_weights(self, name: str) -> list[str]:
        """The scale and shift of a layer norm."""
        return [self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]

    def norm(self, states: str, name: str, output: str) -> str:
        """Layer norm over the last axis."""
        inputs = [states, *self.norm_weights(name)]
        return self.add("LayerNormalization", inputs, output, axis=-1, epsilon=self.size.layer_norm_eps)

    def dense_gelu(self, states: str, name: str, output: str) -> str:
        """A dense layer and the exact GELU."""
        product = self.multiply(states, name, f"{output}_product")
        return self.add("BiasGelu", [product, self.weight(f"{name}.bias")], output, FUSED)


def build_graph(
    size: BertSize, tensors: Tensors, *, pooling: Pooling = "mean", is_int8: bool = False
) -> onnx.ModelProto:
    """Write down a BERT as ONNX.

    Its inputs are `token_ids` and `segment_ids`, int32 [B, T], and `positions`, int32 [B]: which of the B * T tokens
    the masked-word head looks at. Its outputs are `vectors`, float32 [B, D], pooled from the last hidden states, and,
    where the checkpoint has the heads, `masked_logits`, float32 [B, V], and `next_logits`, float32 [B, 2].

    Args:
        size: how large the network is.
        tensors: by their names in a PyTorch `BertForPreTraining`; all of the backbone must be there.
        pooling: what becomes of the hidden states of a sequence.
        is_int8: multiply int8 by int8, as the module says.
    """
    graph = _Graph(size=size, tensors=tensors, is_int8=is_int8)
    hidden = _add_embeddings(graph)
    for index in range(size.num_hidden_layers):
        hidden = _add_block(graph, hidden, index)
    outputs = [_shaped(_add_pooling(graph, hidden, pooling), size.hidden_size)]
    if masked_lm_shapes(size).keys() <= tensors.keys():
        outputs.append(_shaped(_add_masked_lm(graph, hidden), size.vocab_size))
    if next_sentence_shapes(size, is_segment_match=True).keys() <= tensors.keys():
        outputs.append(_shaped(_add_segment_match(graph, hidden), 2))
    elif next_sentence_shapes(size, is_segment_match=False).keys() <= tensors.keys():
        outputs.append(_shaped(_add_next_sentence(graph, hidden), 2))
    ids = [helper.make_tensor_value_info(name, TensorProto.INT32, ["B", "T"]) for name in ("token_ids", "segment_ids")]
    positions = helper.make_tensor_value_info("positions", TensorProto.INT32, ["B"])
    written = helper.make_graph(graph.nodes, "bert", [*ids, positions], outputs, list(graph.weights.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, FUSED_OPSET)]
    return helper.make_model(written, opset_imports=opsets, ir_version=IR_VERSION, producer_name="petitions")


def _shaped(name: str, width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", width])


def _add_embeddings(graph: _Graph) -> str:
    prefix = "bert.embeddings"
    words = graph.add("Gather", [graph.weight(f"{prefix}.word_embeddings.weight"), "token_ids"], "words")
    segments = graph.add("Gather", [graph.weight(f"{prefix}.token_type_embeddings.weight"), "segment_ids"], "segments")
    table = graph.tensors[f"{prefix}.position_embeddings.weight"][graph.size.position_offset :]
    zero, one, two = (graph.keep(f"index_{number}", np.array([number], np.int64)) for number in range(3))
    shape = graph.add("Shape", ["token_ids"], "shape")  # [2]
    length = graph.add("Slice", [shape, one, two], "length")  # [1]
    positions = [graph.keep("positions_table", table.astype(np.float32)), zero, length]
    places = graph.add("Slice", positions, "places")  # [T, D]
    both = graph.add("Add", [words, segments], "words_and_segments")  # [B, T, D]
    return graph.norm(graph.add("Add", [both, places], "embedded"), f"{prefix}.LayerNorm", "hidden")  # [B, T, D]


def _add_block(graph: _Graph, hidden: str, index: int) -> str:
    prefix, block = f"bert.encoder.layer.{index}", f"block_{index}"
    parts = ("query", "key", "value")
    states = [graph.multiply(hidden, f"{prefix}.attention.self.{part}", f"{block}_{part}") for part in parts]
    biases = np.concatenate([graph.tensors[f"{prefix}.attention.self.{part}.bias"] for part in parts])  # [3D]
    bias = graph.keep(f"{prefix}.attention.self.biases", biases.astype(np.float32))
    inputs, n_heads = [*states, bias], graph.size.num_attention_heads
    context = graph.add("MultiHeadAttention", inputs, f"{block}_context", FUSED, num_heads=n_heads)  # [B, T, D]
    output = f"{prefix}.attention.output"
    attended = graph.add_and_norm(context, hidden, f"{output}.dense", f"{output}.LayerNorm", f"{block}_attended")
    wide = graph.dense_gelu(attended, f"{prefix}.intermediate.dense", f"{block}_wide")  # [B, T, 4D]
    output = f"{prefix}.output"
    return graph.add_and_norm(wide, attended, f"{output}.dense", f"{output}.LayerNorm", f"{block}_hidden")


def _add_pooling(graph: _Graph, hidden: str, pooling: Pooling) -> str:
    if pooling == "cls":
        return _add_first(graph, hidden, "vectors")
    return graph.add("ReduceMax" if pooling == "max" else "ReduceMean", [hidden], "vectors", axes=[1], keepdims=0)


def _add_first(graph: _Graph, hidden: str, output: str) -> str:
    """The state of the first token, [B, D]."""
    return graph.add("Gather", [hidden, graph.keep("place_0", np.array(0, np.int64))], output, axis=1)


def _add_masked_lm(graph: _Graph, hidden: str) -> str:
    head = "cls.predictions.transform"
    rows = graph.keep("rows", np.array([-1, graph.size.hidden_size], np.int64))
    tokens = graph.add("Reshape", [hidden, rows], "tokens")  # [B * T, D]
    states = graph.add("Gather", [tokens, "positions"], "masked")  # [B, D]
    states = graph.norm(graph.dense_gelu(states, f"{head}.dense", "transformed"), f"{head}.LayerNorm", "to_decode")
    inputs = [states, graph.weight("bert.embeddings.word_embeddings.weight"), graph.weight("cls.predictions.bias")]
    return graph.add("Gemm", inputs, "masked_logits", transB=1)  # [B, V]


def _add_next_sentence(graph: _Graph, hidden: str) -> str:
    first = graph.dense(_add_first(graph, hidden, "first"), "bert.pooler.dense", "to_tanh")  # [B, D]
    pooled = graph.add("Tanh", [first], "pooled")  # [B, D]
    return graph.dense(pooled, "cls.seq_relationship", "next_logits")  # [B, 2]


def _add_segment_match(graph: _Graph, hidden: str) -> str:
    """As `encoders.bert.SegmentMatchHead`."""
    one = graph.keep("one", np.array(1, np.float32))
    in_second = graph.add("Cast", ["segment_ids"], "in_second", to=TensorProto.FLOAT)  # [B, T]
    in_first = graph.add("Sub", [one, in_second], "in_first")  # [B, T]
    first, second = (_add_segment_mean(graph, hidden, chosen) for chosen in (in_first, in_second))
    products = graph.add("Mul", [first, second], "products")  # [B, D]
    distances = graph.add("Abs", [graph.add("Sub", [first, second], "differences")], "distances")  # [B, D]
    both = graph.add("Concat", [products, distances], "products_and_distances", axis=1)  # [B, 2D]
    scale, shift = (float(value) for value in graph.tensors["cls.segment_match.scale"])
    # The cosine is the sum of the products: its scale is one more addend of their weights.
    kernel = graph.tensors["cls.segment_match.weight"].astype(np.float32)[:, np.newaxis]  # [2D, 1]
    kernel = kernel + np.repeat([[scale], [0]], graph.size.hidden_size, axis=0).astype(np.float32)
    weighed = graph.add("MatMul", [both, graph.keep("segment_match", kernel)], "weighed")  # [B, 1]
    follows = graph.add("Add", [weighed, graph.keep("shift", np.array(shift, np.float32))], "follows")  # [B, 1]
    nothing = graph.add("Sub", [follows, follows], "nothing")  # [B, 1]
    return graph.add("Concat", [follows, nothing], "next_logits", axis=1)  # [B, 2]


def _add_segment_mean(graph: _Graph, hidden: str, chosen: str) -> str:
    """The mean of the chosen states, [B, D], of unit length; zeros where none is chosen."""
    middle, last = (graph.keep(f"axis_{axis}", np.array([axis], np.int64)) for axis in (1, -1))
    row = graph.add("Unsqueeze", [chosen, middle], f"{chosen}_row")  # [B, 1, T]
    total = graph.add("Squeeze", [graph.add("MatMul", [row, hidden], f"{chosen}_sum"), middle], f"{chosen}_total")
    n_chosen = graph.add("ReduceSum", [chosen, last], f"{chosen}_count", keepdims=1)  # [B, 1]
    count = graph.add("Max", [n_chosen, graph.keep("one", np.array(1, np.float32))], f"{chosen}_divisor")
    mean = graph.add("Div", [total, count], f"{chosen}_mean")  # [B, D]
    square = graph.add("ReduceSum", [graph.add("Mul", [mean, mean], f"{chosen}_squares"), last], f"{chosen}_square")
    length = graph.add("Max", [square, graph.keep("tiny", np.array(TINY, np.float32))], f"{chosen}_least")
    return graph.add("Div", [mean, graph.add("Sqrt", [length], f"{chosen}_length")], f"{chosen}_unit")


def _find_scales(array: Array) -> npt.NDArray[np.float32]:
    """What int8 is to be multiplied by, a number for each row of the last axis, [..., 1]."""
    largest = np.abs(array).max(axis=-1, keepdims=True)
    return (np.where(largest > 0, largest, 1) / INT8_MAX).astype(np.float32)
