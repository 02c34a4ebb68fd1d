"""ONNX Runtime sessions: what embedding, the parity gate and serving share. No torch."""
