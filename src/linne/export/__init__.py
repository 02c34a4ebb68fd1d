"""Shipping: the network as an ONNX bundle, behind a gate."""
