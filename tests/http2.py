"""HTTP/2 by hand and messages of gRPC in it, for clients that no library would be."""

import socket
import struct

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM = ACK = 1
END_HEADERS = 4
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
PREDICT = '/tensorflow.serving.PredictionService/Predict'
MAX_FRAME = 16_384


def frame(kind, flags, stream, payload=b''):
    head = len(payload).to_bytes(3, 'big') + bytes([kind, flags]) + stream.to_bytes(4, 'big')
    return head + payload


def settings(**values):
    """A SETTINGS frame, of names in this module."""
    pairs = (struct.pack('>HI', globals()[name], value) for name, value in values.items())
    return frame(SETTINGS, 0, 0, b''.join(pairs))


def fields(pairs):
    """A block of headers, none of them compressed."""
    return b''.join(b'\0' + _text(name) + _text(value) for name, value in pairs)


def _text(text):
    raw = text.encode(errors='surrogateescape')
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    return b'\x7f' + varint(len(raw) - 127) + raw


def varint(number):
    found = b''
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def call_headers(stream, path=PREDICT, *more):
    """The HEADERS frame that a call begins with."""
    pairs = [
        *((':method', 'POST'), (':scheme', 'http'), (':path', path), (':authority', 'localhost')),
        *(('te', 'trailers'), ('content-type', 'application/grpc'), *more),
    ]
    return frame(HEADERS, END_HEADERS, stream, fields(pairs))


def message(payload, compressed=0):
    """A message of gRPC: whether it is compressed, its length, and itself."""
    return bytes([compressed]) + len(payload).to_bytes(4, 'big') + payload


def call_data(stream, sent):
    """DATA frames, of which the last ends the stream."""
    chunks = [sent[i : i + MAX_FRAME] for i in range(0, len(sent), MAX_FRAME)] or [b'']
    frames = [frame(DATA, 0, stream, chunk) for chunk in chunks[:-1]]
    return b''.join([*frames, frame(DATA, END_STREAM, stream, chunks[-1])])


class Connection:
    """One whose settings were sent; it grants no window beyond what they say."""

    def __init__(self, place, timeout=20, receive_buffer=None, **values):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(place)
        self.send(PREFACE + settings(HEADER_TABLE_SIZE=0, **values))
        self._received = b''

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def frames(self):
        """(kind, flags, stream, payload) of each frame until the connection ends."""
        while (head := self._take(9)) is not None:
            size, kind, flags = int.from_bytes(head[:3], 'big'), head[3], head[4]
            stream = int.from_bytes(head[5:], 'big') & 0x7FFFFFFF
            payload = self._take(size)
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            if kind == PING and not flags & ACK:
                self.send(frame(PING, ACK, 0, payload))
            yield kind, flags, stream, payload

    def _take(self, size):
        while len(self._received) < size:
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not more:
                return None
            self._received += more
        taken, self._received = self._received[:size], self._received[size:]
        return taken


def grpc_status(block):
    """The code in the trailers of an answer, or None."""
    _, found, after = block.partition(b'grpc-status')
    return int(after[1 : 1 + after[0]]) if found else None


def field(number, payload):
    """A field of a protocol buffer that has a length."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def tensor(dtype, dims, values):
    """A TensorProto of a type's number and of fields of values that are encoded already."""
    shape = b''.join(field(2, b'\x08' + varint(size)) for size in dims)
    return b'\x08' + bytes([dtype]) + field(2, shape) + values


def predict_request(inputs, model='toy', signature='', more=b''):
    """A PredictRequest of {name: encoded TensorProto}."""
    spec = field(1, model.encode()) + (field(3, signature.encode()) if signature else b'')
    entries = (field(1, name.encode()) + field(2, value) for name, value in inputs.items())
    return field(1, spec) + b''.join(field(2, entry) for entry in entries) + more


INT32, INT64 = 3, 9  # The numbers of types that inputs have here, and of the fields of int64.
INT64_VAL = 10


def seeds(*numbers):
    """The encoded TensorProto of rows of int64."""
    return tensor(INT64, [len(numbers)], field(INT64_VAL, b''.join(map(varint, numbers))))
