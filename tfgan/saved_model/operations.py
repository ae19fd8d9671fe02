"""A SavedModel's operations, looked at before it is loaded: those that compute, and all others.

A SavedModel is a program: to load it is to run a part of it, and each request runs another part.
"""

import functools

from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

TEXTS = 'string', 'list(string)'  # types of an attribute
# An operation without a state that takes no text has nothing to name a file, an address or a
# program by, so it computes. These do no more either, though they take a text or have a state.
HARMLESS = """
Assert Case CheckNumerics CheckNumericsV2 DeepCopy Empty Enter GuaranteeConst If PartitionedCall
PreventGradient StatefulPartitionedCall Timestamp While

AssignAddVariableOp AssignSubVariableOp AssignVariableOp DestroyResourceOp DisableCopyOnRead
ReadVariableOp ResourceGather ResourceGatherNd ResourceScatterAdd ResourceScatterDiv
ResourceScatterMax ResourceScatterMin ResourceScatterMul ResourceScatterNdAdd
ResourceScatterNdMax ResourceScatterNdMin ResourceScatterNdSub ResourceScatterNdUpdate
ResourceScatterSub ResourceScatterUpdate ResourceStridedSliceAssign VarHandleOp
VarIsInitializedOp VariableShape

TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayGradV3 TensorArrayReadV3
TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3

AnonymousHashTable AnonymousMutableDenseHashTable AnonymousMutableHashTable
AnonymousMutableHashTableOfTensors HashTableV2 InitializeTableV2 LookupTableExportV2
LookupTableFindV2 LookupTableImportV2 LookupTableInsertV2 LookupTableRemoveV2 LookupTableSizeV2
MutableDenseHashTableV2 MutableHashTableOfTensorsV2 MutableHashTableV2

Multinomial ParameterizedTruncatedNormal RandomGamma RandomPoissonV2 RandomShuffle
RandomStandardNormal RandomUniform RandomUniformInt RngReadAndSkip RngSkip
SampleDistortedBoundingBoxV2 StatefulRandomBinomial StatefulStandardNormalV2
StatefulTruncatedNormal StatefulUniform StatefulUniformFullInt StatefulUniformInt
StatelessRandomGetAlg TruncatedNormal

CudnnRNN CudnnRNNV2 CudnnRNNV3 DataFormatDimMap DataFormatVecPermute Einsum ExtractGlimpse
ExtractGlimpseV2 GatherNd ImageProjectiveTransformV2 ImageProjectiveTransformV3
RaggedTensorToTensor ScaleAndTranslate ScatterNd TensorScatterAdd TensorScatterMax
TensorScatterMin TensorScatterSub TensorScatterUpdate

AsString DecodeAndCropJpeg DecodeBase64 DecodeBmp DecodeCSV DecodeCompressed DecodeGif
DecodeImage DecodeJpeg DecodePaddedRaw DecodePng DecodeRaw DecodeWav DenseToDenseSetOperation
DenseToSparseSetOperation DeserializeManySparse EncodeBase64 EncodeJpeg ExtractJpegShape
Fingerprint ParseExample ParseExampleV2 ParseSequenceExample ParseSequenceExampleV2
ParseSingleExample ParseSingleSequenceExample ParseTensor RaggedCross ReduceJoin RegexFullMatch
RegexReplace ShardedFilename SparseCrossV2 SparseToSparseSetOperation StaticRegexFullMatch
StaticRegexReplace StringFormat StringJoin StringLength StringLower StringNGrams StringSplit
StringSplitV2 StringStrip StringToHashBucket StringToHashBucketFast StringToHashBucketStrong
StringToNumber StringUpper Substr UnicodeDecode UnicodeDecodeWithOffsets UnicodeTranscode
UnsortedSegmentJoin
"""
SAVERS = 'SaveV2', 'RestoreV2', 'MergeV2Checkpoints'  # in two functions of every SavedModel
GRAPH = 'the graph'  # whatever is in no function


def more_than_compute(model) -> dict[str, str]:
    """The operations of a parsed SavedModel that may do more, and a function that each is in."""
    found = {}
    for graph in model.meta_graphs:
        functions = graph.graph_def.library.function
        names = {each.signature.name for each in functions}
        savers = _savers(graph) if len(model.meta_graphs) == 1 else ()
        parts = [(each.signature.name, each.node_def) for each in functions]
        for name, nodes in ((GRAPH, graph.graph_def.node), *parts):
            for operation in {node.op for node in nodes}:
                is_call = operation in names and not op_def_registry.get(operation)
                is_saver = operation in SAVERS and name in savers
                if not is_call and not is_saver and not _computes(operation):
                    found.setdefault(operation, name)
    return found


@functools.cache
def _computes(operation):
    """Whether an operation does no more than compute; one that TensorFlow lacks may do anything."""
    known = op_def_registry.get(operation)
    if known is None or operation in HARMLESS.split():
        return known is not None
    texts = [each for each in known.attr if each.type in TEXTS]
    takes_text = any(each.type == types_pb2.DT_STRING for each in known.input_arg) or any(
        not each.HasField('allowed_values') for each in texts
    )
    return not known.is_stateful and not takes_text


def _savers(graph):
    """The functions that save and restore the variables, and that nothing else can call.

    TensorFlow calls none of them when it loads a SavedModel with objects: it restores those itself.
    """
    if not graph.HasField('object_graph_def'):
        return ()
    asked = graph.saver_def.save_tensor_name.partition(':')[0], graph.saver_def.restore_op_name
    names = {node.attr['f'].func.name for node in graph.graph_def.node if node.name in asked}
    whole = graph.SerializeToString()
    return [
        each.signature.name
        for each in graph.graph_def.library.function
        # TensorFlow takes a function for another one that says it implements the same.
        if each.signature.name in names
        and 'api_implements' not in each.attr
        # Its definition and that node have the name; whatever else calls it has it too.
        and whole.count(each.signature.name.encode()) == 2
    ]
