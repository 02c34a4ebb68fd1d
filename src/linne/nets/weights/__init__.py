"""Weights: read from a file and recognised, published ones fetched and verified, written in our naming."""

from linne.nets.weights.files import write_weights as write_weights
from linne.nets.weights.recognise import Weights as Weights
from linne.nets.weights.recognise import read_weights as read_weights
