"""BERT and ELMo in Keras 3 on TensorFlow: text to vectors."""
