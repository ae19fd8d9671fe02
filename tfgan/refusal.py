"""How a server says no: gRPC's code and, as TensorFlow Serving answers REST, HTTP's."""

# http_server.cc of tensorflow/serving
HTTP = {
    'INVALID_ARGUMENT': 400,
    'NOT_FOUND': 404,
    'UNAVAILABLE': 503,
    'DEADLINE_EXCEEDED': 504,
}


class RefusedError(Exception):
    """A request's end: a name of gRPC's status codes, and what to tell the client."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    @property
    def http(self) -> int:
        return HTTP.get(self.code, 500)


def reason(error: Exception) -> str:
    """The line of an error that says why, which TensorFlow has between a stack and a node."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    nodes = [number for number, line in enumerate(lines) if line.startswith('\t [[')]
    return lines[max(0, nodes[0] - 1) if nodes else 0]
