"""The Keras network of an encoder that is being trained: what is measured between the rounds is what is trained."""

from pathlib import Path

from petitions.encoders.bert import Bert
from petitions.encoders.bert_checkpoint import read_checkpoint
from petitions.encoders.bert_encoder import BertEncoder
from petitions.encoders.classifier import HeadWeights, TextClassifier
from petitions.encoders.model_files import ModelFiles
from petitions.encoders.sequence_head import SequenceHead, name_sequence_head
from petitions.encoders.tensorflow_engine import TensorFlowEngine


def open_encoder(folder: Path, accelerator: str) -> BertEncoder:
    """Load an encoder whose network can be trained."""
    return BertEncoder(ModelFiles(folder=folder), accelerator, cpu_engine="tensorflow")


def find_network(encoder: BertEncoder) -> Bert:
    """The network that the engine of such an encoder computes."""
    engine = encoder._engine
    if not isinstance(engine, TensorFlowEngine):
        raise TypeError(f"{engine.told} cannot be trained")
    return engine._bert


class TrainedClassifier(TextClassifier):
    """A classifier whose network and head can be trained."""

    def __init__(self, folder: Path, accelerator: str) -> None:
        super().__init__(ModelFiles(folder=folder), accelerator, "tensorflow")
        checkpoint = read_checkpoint(folder)
        self.bert = find_network(self)
        self.head = SequenceHead(checkpoint.size, len(self.labels.names))
        checkpoint.fill(name_sequence_head(self.head))

    def read_head(self) -> HeadWeights:
        """The weights of the head as they are now."""
        pooler, classifier = self.head.pooler, self.head.classifier
        return HeadWeights(
            pooler=pooler.kernel.numpy(),
            pooler_bias=pooler.bias.numpy(),
            classifier=classifier.kernel.numpy(),
            classifier_bias=classifier.bias.numpy(),
        )
