"""Runs a SavedModel's signature through TensorFlow's C API, as its server does: no Python of it.

    python c_api.py LIBRARIES EXPORT_DIR < request.json > answer.json

LIBRARIES is TensorFlow's folder; the request has `inputs` and `outputs` as lists of [tensor name,
type number, ...]: an input's shape and flat values follow.
"""

import base64
import ctypes as c
import json
import pathlib
import sys

TYPES = {1: c.c_float, 3: c.c_int32, 4: c.c_uint8, 9: c.c_int64}
STRING, STRING_BYTES = 7, 24


class Output(c.Structure):
    _fields_ = (('operation', c.c_void_p), ('index', c.c_int))


def library(folder):
    c.CDLL(str(folder / 'libtensorflow_framework.so.2'), mode=c.RTLD_GLOBAL)
    found = c.CDLL(str(folder / 'libtensorflow_cc.so.2'), mode=c.RTLD_GLOBAL)
    for name in (
        *('NewStatus', 'NewGraph', 'NewSessionOptions', 'LoadSessionFromSavedModel'),
        *('GraphOperationByName', 'AllocateTensor', 'TensorData', 'StringGetDataPointer'),
    ):
        getattr(found, f'TF_{name}').restype = c.c_void_p
    for name in 'TensorByteSize', 'StringGetSize':
        getattr(found, f'TF_{name}').restype = c.c_size_t
    found.TF_Dim.restype = c.c_int64
    found.TF_Message.restype = c.c_char_p
    return found


class Session:
    def __init__(self, tf, directory):
        self.tf, self.status = tf, c.c_void_p(tf.TF_NewStatus())
        self.graph = c.c_void_p(tf.TF_NewGraph())
        tags = (c.c_char_p * 1)(b'serve')
        options = c.c_void_p(tf.TF_NewSessionOptions())
        self.session = c.c_void_p(
            tf.TF_LoadSessionFromSavedModel(
                options, None, str(directory).encode(), tags, 1, self.graph, None, self.status
            )
        )
        self.check()

    def check(self):
        if self.tf.TF_GetCode(self.status):
            raise SystemExit(self.tf.TF_Message(self.status).decode())

    def place(self, name):
        operation, index = name.split(':')
        found = self.tf.TF_GraphOperationByName(self.graph, operation.encode())
        assert found, name
        return Output(found, int(index))

    def tensor(self, kind, shape, values):
        data = (TYPES[kind] * len(values))(*values)
        dims = (c.c_int64 * len(shape))(*shape)
        made = self.tf.TF_AllocateTensor(kind, dims, len(shape), c.c_size_t(c.sizeof(data)))
        c.memmove(self.tf.TF_TensorData(c.c_void_p(made)), data, c.sizeof(data))
        return made

    def run(self, inputs, outputs):
        places = (Output * len(inputs))(*(self.place(name) for name, *_ in inputs))
        tensors = (c.c_void_p * len(inputs))(*(self.tensor(*rest) for _, *rest in inputs))
        wanted = (Output * len(outputs))(*(self.place(name) for name, _ in outputs))
        found = (c.c_void_p * len(outputs))()
        self.tf.TF_SessionRun(
            self.session, None, places, tensors, len(inputs), wanted, found, len(outputs),
            None, 0, None, self.status,
        )  # fmt: skip
        self.check()
        return [self.values(c.c_void_p(each), kind) for each, (_, kind) in zip(found, outputs)]

    def values(self, tensor, kind):
        shape = [self.tf.TF_Dim(tensor, i) for i in range(self.tf.TF_NumDims(tensor))]
        data = self.tf.TF_TensorData(tensor)
        if kind == STRING:
            texts = [c.c_void_p(data + STRING_BYTES * i) for i in range(shape[0])]
            content = [
                c.string_at(self.tf.TF_StringGetDataPointer(t), self.tf.TF_StringGetSize(t))
                for t in texts
            ]
        else:
            content = [c.string_at(data, self.tf.TF_TensorByteSize(tensor))]
        return shape, [base64.b64encode(each).decode() for each in content]


if __name__ == '__main__':
    request = json.load(sys.stdin)
    session = Session(library(pathlib.Path(sys.argv[1])), sys.argv[2])
    assert 'tensorflow' not in sys.modules
    json.dump(session.run(request['inputs'], request['outputs']), sys.stdout)
