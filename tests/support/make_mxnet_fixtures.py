"""Makes `tests/models/data/mxnet`: small networks of random weights, saved and run by MXNet itself.

Not run by the tests; what it made is committed. To make it again, in an environment of its own with the
packages `mxnet==1.9.1` and `numpy<1.24`: `python tests/support/make_mxnet_fixtures.py FOLDER`. Each network
is three files: `NAME-symbol.json`, `NAME-0000.params`, and `NAME.npz` with the picture it was given (`data`)
and what MXNet answered (`output0`, …).
"""

import sys
from pathlib import Path
from typing import Any

import mxnet as mx  # type: ignore[import-not-found]
import numpy as np

SIDE = 32
sym = mx.sym


def conv(x: Any, name: str, filters: int, size: int = 3, stride: int = 1, **more: Any) -> Any:
    """A convolution that pads so that only its stride makes the map smaller."""
    return sym.Convolution(
        x,
        name=name,
        num_filter=filters,
        kernel=(size, size),
        stride=(stride, stride),
        pad=(size // 2, size // 2),
        **more,
    )


def unit(x: Any, name: str, filters: int, stride: int, *, match: bool) -> Any:
    """A unit of ResNet v2, as SageMaker's image classification writes it."""
    bn1 = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, momentum=0.9, name=name + "_bn1")
    act1 = sym.Activation(bn1, act_type="relu", name=name + "_relu1")
    first = conv(act1, name + "_conv1", filters // 2, 1, no_bias=True, workspace=256)
    bn2 = sym.BatchNorm(first, fix_gamma=False, eps=2e-5, momentum=0.9, name=name + "_bn2")
    act2 = sym.Activation(bn2, act_type="relu", name=name + "_relu2")
    second = conv(act2, name + "_conv2", filters, 3, stride, no_bias=True, workspace=256)
    shortcut = x if match else conv(act1, name + "_sc", filters, 1, stride, no_bias=True)
    return second + shortcut


def resnet() -> Any:
    """As SageMaker makes them, with few channels."""
    x = sym.Variable("data")
    x = sym.BatchNorm(x, fix_gamma=True, eps=2e-5, momentum=0.9, name="bn_data")
    x = conv(x, "conv0", 8, 7, 2, no_bias=True)
    x = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, name="bn0")
    x = sym.Activation(x, act_type="relu", name="relu0")
    x = sym.Pooling(x, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max", name="pooling0")
    x = unit(x, "stage1_unit1", 8, 1, match=True)
    x = unit(x, "stage2_unit1", 16, 2, match=False)
    x = sym.BatchNorm(x, fix_gamma=False, eps=2e-5, name="bn1")
    x = sym.Activation(x, act_type="relu", name="relu1")
    x = sym.Pooling(x, global_pool=True, kernel=(7, 7), pool_type="avg", name="pool1")
    x = sym.Flatten(x, name="flatten0")
    x = sym.FullyConnected(x, num_hidden=5, name="fc1")
    return sym.SoftmaxOutput(x, name="softmax")


def features() -> Any:
    """The same, cut off as a featurizer is."""
    return resnet().get_internals()["flatten0_output"]


def windows() -> Any:
    """Windows of every shape: convolutions, turned ones, poolings that stick out."""
    x = sym.Variable("data")
    a = sym.Convolution(
        x, kernel=(3, 5), stride=(2, 1), pad=(1, 2), dilate=(2, 1), num_filter=6, num_group=3, name="c1"
    )
    full = {"kernel": (3, 3), "stride": (2, 2), "pooling_convention": "full"}
    p1 = sym.Pooling(a, pool_type="max", name="p1", pad=(1, 1), **full)
    p2 = sym.Pooling(a, pool_type="avg", name="p2", pad=(1, 1), **full)
    p3 = sym.Pooling(a, pool_type="avg", name="p3", pad=(1, 1), count_include_pad=False, **full)
    p4 = sym.Pooling(a, pool_type="sum", name="p4", pad=(1, 1), **full)
    joined = sym.Concat(p1, p2, p3, p4, dim=1, name="joined")
    d = sym.Deconvolution(
        joined, kernel=(4, 4), stride=(2, 2), pad=(1, 1), adj=(1, 1), num_filter=4, no_bias=False, name="d"
    )
    u = sym.UpSampling(d, scale=2, sample_type="nearest", name="u")
    valid = sym.Pooling(u, kernel=(3, 2), stride=(2, 3), pool_type="avg", pad=(1, 0), name="valid")
    s = sym.Pooling(u, global_pool=True, kernel=(1, 1), pool_type="max", name="whole")
    total = sym.Pooling(d, global_pool=True, kernel=(1, 1), pool_type="sum", name="total")
    adaptive = sym.contrib.AdaptiveAvgPooling2D(u, output_size=1, name="adaptive")
    return sym.Group([valid, s, total, adaptive, a, p1, p2, p3, p4, d])


def activations() -> Any:
    """Every activation and norm."""
    x = sym.Variable("data")
    small = conv(x, "c0", 4, 3, 4) * 0.02
    each = [sym.Activation(small, act_type=t) for t in ("relu", "sigmoid", "tanh", "softrelu", "softsign")]
    each += [sym.LeakyReLU(small, act_type=t, slope=0.3) for t in ("leaky", "elu", "selu", "gelu")]
    each += [sym.LeakyReLU(small, act_type="rrelu")[0]]
    each += [sym.LeakyReLU(small, act_type="prelu", name="prelu")]
    each += [sym.L2Normalization(small, mode=m) for m in ("instance", "channel", "spatial")]
    each += [sym.LRN(small, nsize=3, alpha=0.01, beta=0.6, knorm=1.5), sym.InstanceNorm(small, name="inorm")]
    each += [sym.SoftmaxActivation(small, mode="channel"), sym.softmax(small, axis=2, temperature=0.5)]
    each += [sym.log_softmax(small, axis=1), sym.hard_sigmoid(small, alpha=0.3, beta=0.4)]
    each += [sym.BatchNorm(small, name="free", fix_gamma=False, use_global_stats=True)]
    each += [sym.BatchNorm(small, name="fixed", eps=1e-4)]
    return sym.SoftmaxOutput(sym.Concat(*each, dim=1), multi_output=True, name="softmax")


def arithmetic() -> Any:
    """Everything between two values, and between one and a number."""
    x = sym.Variable("data")
    a = sym.Activation(conv(x, "ca", 3, 3, 4), act_type="sigmoid") + 0.5
    b = sym.Activation(conv(x, "cb", 3, 3, 4), act_type="sigmoid") + 0.25
    row = sym.Variable("row", shape=(1, 3, 1, 1))
    each = [a + b, a - b, a * b, a / b, sym.maximum(a, b), sym.minimum(a, b), a**b]
    each += [sym.broadcast_add(a, row), sym.broadcast_sub(a, row), sym.broadcast_mul(a, row)]
    each += [sym.broadcast_div(a, row), sym.broadcast_maximum(a, row), sym.broadcast_minimum(a, row)]
    each += [sym.broadcast_power(a, row), a + 2, a - 3, 4 - a, a * 1.5, a / 3, 2 / a, a**2, 2**a]
    each += [sym.maximum(a, 0.7), sym.minimum(a, 0.7), sym.add_n(a, b, a), sym.clip(a, 0.6, 0.9)]
    each += [sym.abs(-a), sym.exp(a), sym.log(a), sym.sqrt(a), sym.square(a), sym.rsqrt(a), sym.relu(a - 1)]
    each += [sym.sigmoid(a), sym.tanh(a), sym.softsign(a), sym.reciprocal(a), sym.erf(a), sym.BlockGrad(a)]
    each += [sym.Dropout(a), sym.identity(a), sym.Cast(a, dtype="float32"), sym.ceil(a * 3), sym.floor(a * 3)]
    return sym.Concat(*each, dim=1, name="all")


def shapes() -> Any:
    """Everything that moves numbers about."""
    x = conv(sym.Variable("data"), "c", 6, 3, 4)
    low, high = sym.SliceChannel(x, num_outputs=2, axis=1, name="halves")
    each = [
        sym.Reshape(x, shape=(0, -1, 4)),
        sym.Reshape(x, shape=(0, -3, -2)),
        sym.Reshape(x, shape=(0, -4, 2, -1, 0, 0)),
        sym.Reshape(x, shape=(-1, 0), reverse=True),
        sym.transpose(x, axes=(0, 2, 3, 1)),
        sym.transpose(x),
        sym.SwapAxis(x, dim1=1, dim2=3),
        sym.expand_dims(x, axis=2),
        sym.squeeze(sym.mean(x, axis=(2, 3), keepdims=True)),
        sym.mean(x, axis=1),
        sym.mean(x, axis=1, exclude=True),
        sym.sum(x, axis=(2, 3), keepdims=True),
        sym.max(x, axis=1),
        sym.min(x, axis=1),
        sym.slice_axis(x, axis=1, begin=1, end=-1),
        sym.slice_axis(x, axis=-1, begin=2, end=None),
        sym.slice(x, begin=(None, 1, 0), end=(None, 5, 7), step=(None, 2, 3)),
        sym.pad(x, mode="constant", constant_value=1.5, pad_width=(0, 0, 0, 0, 1, 2, 3, 0)),
        sym.pad(x, mode="edge", pad_width=(0, 0, 0, 0, 1, 2, 3, 0)),
        sym.pad(x, mode="reflect", pad_width=(0, 0, 0, 0, 1, 2, 3, 0)),
        low - high,
        sym.FullyConnected(x, num_hidden=3, flatten=False, no_bias=True, name="last"),
        sym.LogisticRegressionOutput(x * 0.01, name="logistic"),
        sym.softmax(sym.FullyConnected(x, num_hidden=4, name="fc")),
    ]
    return sym.Group(each)


def detector() -> Any:
    """What is not supported: the head of an SSD."""
    x = conv(sym.Variable("data"), "c", 4)
    anchors = sym.contrib.MultiBoxPrior(x, sizes=(0.2,), ratios=(1,), name="anchors")
    scores = sym.softmax(sym.Reshape(conv(x, "scores", 2), shape=(0, 2, -1)), axis=1)
    offsets = sym.Flatten(conv(x, "offsets", 4))
    return sym.contrib.MultiBoxDetection(scores, offsets, anchors, name="detection")


def gluon() -> Any:
    """A network of the model zoo's parts, exported as Gluon does."""
    nn = mx.gluon.nn
    net = nn.HybridSequential(prefix="zoo_")
    with net.name_scope():
        net.add(
            nn.Conv2D(8, 3, 2, 1, use_bias=False),
            nn.BatchNorm(scale=False),
            nn.Activation("relu"),
            nn.Conv2D(8, 3, 1, 1, groups=8, use_bias=False),
            nn.BatchNorm(),
            nn.LeakyReLU(0.1),
            nn.MaxPool2D(3, 2, ceil_mode=True),
            nn.AvgPool2D(2, 2, count_include_pad=False),
            nn.Dropout(0.5),
            nn.GlobalAvgPool2D(),
            nn.Flatten(),
            nn.Dense(4),
        )
    return net


NETWORKS = {
    "resnet": resnet,
    "features": features,
    "windows": windows,
    "activations": activations,
    "arithmetic": arithmetic,
    "shapes": shapes,
    "detector": detector,
}


def main(folder: Path) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.RandomState(7)
    data = np.floor(rng.rand(1, 3, SIDE, SIDE) * 16).astype(np.float32) * 16
    for name, make in NETWORKS.items():
        symbol = make()
        shapes_in, _, shapes_aux = symbol.infer_shape_partial(data=data.shape)
        arguments = {
            key: mx.nd.array(rng.uniform(-0.4, 0.6, shape).round(2))
            for key, shape in zip(symbol.list_arguments(), shapes_in, strict=True)
            if key != "data" and "label" not in key
        }
        auxiliary = {
            key: mx.nd.array((rng.uniform(0.5, 1.5, shape) + 40 * ("bn_data_moving_var" in key)).round(2))
            for key, shape in zip(symbol.list_auxiliary_states(), shapes_aux, strict=True)
        }
        for key in [key for key in arguments if key.startswith("fc")]:  # small, so that no class has all of 1
            arguments[key] = arguments[key] * (0.001 if name == "shapes" else 0.1)
        if "row" in arguments:
            arguments["row"] = mx.nd.abs(arguments["row"]) + 0.1
        symbol.save(str(folder / f"{name}-symbol.json"))
        saved = {f"arg:{key}": value for key, value in arguments.items()}
        saved |= {f"aux:{key}": value for key, value in auxiliary.items()}
        mx.nd.save(str(folder / f"{name}-0000.params"), saved)
        if name == "detector":
            continue
        labels = {
            k: mx.nd.zeros(s) for k, s in zip(symbol.list_arguments(), shapes_in, strict=True) if "label" in k
        }
        inputs = {**arguments, **labels, "data": mx.nd.array(data)}
        answers = symbol.bind(mx.cpu(), inputs, aux_states=auxiliary).forward(is_train=False)
        write_answers(folder, name, data, answers)
    zoo = gluon()
    zoo.initialize(mx.init.Normal(0.1))
    zoo.hybridize()
    answers = [zoo(mx.nd.array(data))]
    zoo.export(str(folder / "zoo"))
    write_answers(folder, "zoo", data, answers)


def write_answers(folder: Path, name: str, data: Any, answers: Any) -> None:
    """What MXNet answered."""
    arrays = {f"output{at}": answer.asnumpy() for at, answer in enumerate(answers)}
    np.savez_compressed(folder / f"{name}.npz", data=data.astype(np.uint8), **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
