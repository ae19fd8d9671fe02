"""Weights in two bytes and in one, which the graph of an export makes float32 when it is called."""

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

LEVELS = 127  # of an integer of eight bits, on each side of zero


class Compact(keras.StatelessScope):
    """Within it, layers take the values of smaller variables for their own.

    `halves` are variables of Keras that are kept in sixteen bits, and `quarters` in eight, with a
    scale for each unit of the layer.
    """

    def __init__(self, halves, quarters):
        super().__init__()
        self.stored, self.scales, self._pairs = [], [], {}
        for variable in halves:
            self._keep(variable, variable.numpy().astype(np.float16), np.ones([1], np.float32))
        for variable in quarters:
            value = variable.numpy()
            largest = np.abs(value).max(axis=tuple(range(value.ndim - 1)), initial=0.0)
            scale = np.where(largest > 0, largest / LEVELS, 1.0).astype(np.float32).reshape(-1)
            self._keep(variable, np.rint(value / scale).astype(np.int8), scale)

    def _keep(self, variable, value, scale):
        stored, scale = (tf.Variable(each, trainable=False) for each in (value, scale))
        self.stored.append(stored)
        self.scales.append(scale)
        self._pairs[id(variable)] = stored, scale

    def get_current_value(self, variable):
        """The float32 of a variable of Keras, made anew in each graph that asks for it."""
        if id(variable) not in self._pairs:
            return None
        stored, scale = self._pairs[id(variable)]
        return tf.cast(stored, tf.float32) * scale


def values(stored, scales) -> list[np.ndarray]:
    """The float32 arrays that such variables stand for."""
    return [
        each.numpy().astype(np.float32) * scale.numpy()
        for each, scale in zip(stored, scales, strict=True)
    ]


def shorten(path) -> None:
    """Rewrites the saved_model.pb at a path with short names of nodes, in half of the bytes.

    Names of nodes tell a person where in the code they were made, and shapes of outputs are found
    anew when the graph is loaded: a model runs without them.
    """
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in model.meta_graphs:
        for function in graph.graph_def.library.function:
            _shorten(function)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _shorten(function):
    names = {node.name: f'n{number:x}' for number, node in enumerate(function.node_def)}

    def short(place):
        """A place like node:output:0, ^node, or the name of an argument, which stays."""
        if place.startswith('^'):
            return f'^{names[place[1:]]}'
        name, colon, output = place.partition(':')
        return f'{names[name]}:{output}' if colon else place

    for node in function.node_def:
        node.name = names[node.name]
        node.input[:] = [short(place) for place in node.input]
        for attribute in ('_output_shapes', '_class'):
            node.attr.pop(attribute, None)
    for output, place in list(function.ret.items()):
        function.ret[output] = short(place)
    for output, name in list(function.control_ret.items()):
        function.control_ret[output] = names[name]
