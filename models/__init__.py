"""Stage two: feature kernel, training, ONNX export, the model bundle, explanation."""
