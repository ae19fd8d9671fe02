"""Warm-up requests beside an export, which servers replay before it goes live."""

import tensorflow as tf

FILE = 'assets.extra/tf_serving_warmup_requests'
ROWS = 1, 32  # of a request; a server's first batches are of any size between


def write(version, signatures: dict) -> None:
    """Writes requests for each of {name: concrete function} below a version's directory."""
    path = version / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for name, function in signatures.items():
            for rows in ROWS:
                file.write(_record(name, specs(function), rows))


def specs(function) -> dict:
    """{name: TensorSpec} of a signature's inputs."""
    return {spec.name: spec for spec in tf.nest.flatten(function.structured_input_signature)}


def _record(signature, inputs, rows):
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, spec in inputs.items():
        # One number for all takes a few bytes, whatever the shape.
        zeros = tf.make_tensor_proto(0, spec.dtype, [rows, *spec.shape[1:]])
        request.inputs[name].CopyFrom(zeros)
    return log.SerializeToString()


def requests(version):
    """(signature, {input: array}) of each request beside an export; none if it has no file."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = version / FILE
    if not path.exists():
        return
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        yield (
            request.model_spec.signature_name,
            {name: tf.make_ndarray(value) for name, value in request.inputs.items()},
        )
