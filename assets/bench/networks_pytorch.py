#!/usr/bin/env python3
"""The recognition networks once more in stock PyTorch: what tests/it/recognition_networks.rs
expects of those that have no published fixture.

Nobody ships weights for them, so parameters and inputs come from formulas that both sides
can compute. Parameter number p (in the order of Onset's plan, LED's three left out and at
their start), flat index i in PyTorch's layout:

    value = offset + scale * sin(0.7 * (i mod 9973) + p)

    weight            offset 0, scale gain / sqrt(inputs of a filter or node); gain 1.5,
                      in the deep ResNet 0.5, so that nothing grows out of hand
    bias, shift, mean offset 0, scale 0.1
    scale, variance   offset 1, scale 0.3

Grey input: floor(127.5 + 127.5 sin(0.37 (i mod 7919) + 0.5)); flow input:
2 sin(0.37 (i mod 7919) + 0.5); dropout: 2 where sin(1.3 i) > 0, else 0.

    python networks_pytorch.py        (needs torch and numpy)
"""

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
KINDS = {
    "bias": (0.0, 0.1),
    "shift": (0.0, 0.1),
    "mean": (0.0, 0.1),
    "scale": (1.0, 0.3),
    "variance": (1.0, 0.3),
}


def make(plan, gain=1.5):
    """Tensors by name for a list of (name, PyTorch shape)."""
    tensors = {}
    for p, (name, shape) in enumerate(plan):
        count = int(np.prod(shape))
        kind = name.rsplit(".", 1)[-1]
        offset, scale = KINDS.get(kind, (0.0, gain / np.sqrt(count / shape[0])))
        i = np.arange(count) % 9973
        values = offset + scale * np.sin(0.7 * i + p)
        tensors[name] = torch.tensor(values.astype(np.float32)).reshape(shape)
    return tensors


def wave(shape):
    i = np.arange(int(np.prod(shape))) % 7919
    return np.sin(0.37 * i + 0.5).reshape(shape)


def grey(*shape):
    return torch.tensor(np.floor(127.5 + 127.5 * wave(shape)).astype(np.float32))


def flow(*shape):
    return torch.tensor((2.0 * wave(shape)).astype(np.float32))


def kept(*shape):
    i = np.arange(int(np.prod(shape)))
    return torch.tensor(np.where(np.sin(1.3 * i) > 0, 2.0, 0.0).astype(np.float32)).reshape(shape)


def convolution(name, *shape):
    return [(f"{name}.weight", shape), (f"{name}.bias", shape[:1])]


def norm(name, channels):
    return [(f"{name}.{part}", (channels,)) for part in ("scale", "shift", "mean", "variance")]


def dense(name, inputs, outputs):
    return [(f"{name}.weight", (outputs, inputs)), (f"{name}.bias", (outputs,))]


def batch_norm(w, name, maps, training=False):
    """Changes the running statistics in `w` where it is a training's pass."""
    return F.batch_norm(
        maps,
        w[f"{name}.mean"],
        w[f"{name}.variance"],
        w[f"{name}.scale"],
        w[f"{name}.shift"],
        training=training,
    )


def led(clips):
    """Normalised LED at its start, as two running low-passes and not as a matrix."""
    alpha, r1, r2 = 10.0, 0.4, 0.05
    x = clips.double()
    fast, slow = x[:, :, 0], x[:, :, 0]
    frames = x.shape[2]
    out = []
    for j in range(1, frames):
        fast = r1 * x[:, :, j] + (1 - r1) * fast
        slow = r2 * x[:, :, j] + (1 - r2) * slow
        light = torch.zeros_like(fast)
        for i in range(j + 1):
            if i == j:
                weight = r1 - r2
            elif i == 0:
                weight = (1 - r1) ** j - (1 - r2) ** j
            else:
                weight = r1 * (1 - r1) ** (j - i) - r2 * (1 - r2) ** (j - i)
            light = light + abs(alpha * weight) * x[:, :, i]
        out.append(alpha * (fast - slow) / (light + 1))
    return torch.stack(out, dim=2).float()


def sssnet_plan(channels, steps, outputs):
    reach = 1 if steps < 3 else 2
    left = (steps - reach + 1) // reach
    return (
        convolution("first", 32, channels, 1, 5, 5)
        + norm("first_norm", 32)
        + convolution("second", 64, 32, reach, 3, 3)
        + norm("second_norm", 64)
        + dense("hidden", 64 * left * 81, 256)
        + dense("outputs", 256, outputs)
    )


def sssnet(w, clips, masks=None):
    training = masks is not None
    reach = w["second.weight"].shape[2]
    x = F.conv3d(clips, w["first.weight"], w["first.bias"])
    x = F.max_pool3d(F.relu(x), (1, 3, 3))
    x = batch_norm(w, "first_norm", x, training)
    if training:
        x = x * masks[0][:, :, None, None, None]
    x = F.conv3d(x, w["second.weight"], w["second.bias"])
    x = F.max_pool3d(F.relu(x), (reach, 2, 2))
    x = batch_norm(w, "second_norm", x, training)
    if training:
        x = x * masks[1][:, :, None, None, None]
    x = F.relu(F.linear(x.flatten(1), w["hidden.weight"], w["hidden.bias"]))
    if training:
        x = x * masks[2]
    return F.linear(x, w["outputs.weight"], w["outputs.bias"])


def resnet_blocks():
    inputs = 64
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            yield 2 * stage + block, inputs, filters, 2 if stage > 0 and block == 0 else 1
            inputs = filters


def resnet_plan(channels):
    plan = [("stem.weight", (64, channels, 7, 7))] + norm("stem_norm", 64)
    for number, inputs, filters, stride in resnet_blocks():
        name = f"blocks.{number}"
        plan += [(f"{name}.first.weight", (filters, inputs, 3, 3))]
        plan += norm(f"{name}.first_norm", filters)
        plan += [(f"{name}.second.weight", (filters, filters, 3, 3))]
        plan += norm(f"{name}.second_norm", filters)
        if stride == 2:
            plan += [(f"{name}.shortcut.convolution.weight", (filters, inputs, 1, 1))]
            plan += norm(f"{name}.shortcut.norm", filters)
    return plan


def resnet(w, images, training=False):
    x = F.conv2d(images, w["stem.weight"], stride=2, padding=3)
    x = F.relu(batch_norm(w, "stem_norm", x, training))
    x = F.max_pool2d(x, 3, 2, 1)
    for number, _, _, stride in resnet_blocks():
        name = f"blocks.{number}"
        y = F.conv2d(x, w[f"{name}.first.weight"], stride=stride, padding=1)
        y = F.relu(batch_norm(w, f"{name}.first_norm", y, training))
        y = F.conv2d(y, w[f"{name}.second.weight"], padding=1)
        y = batch_norm(w, f"{name}.second_norm", y, training)
        if stride == 2:
            x = F.conv2d(x, w[f"{name}.shortcut.convolution.weight"], stride=2)
            x = batch_norm(w, f"{name}.shortcut.norm", x, training)
        x = F.relu(x + y)
    return x.mean(dim=(2, 3))


def stream_plan(name):
    return convolution(f"{name}.first", 96, 3, 11, 11) + convolution(
        f"{name}.second", 256, 48, 5, 5
    )


def stream(w, name, image):
    x = F.conv2d(image, w[f"{name}.first.weight"], w[f"{name}.first.bias"], stride=4)
    x = F.max_pool2d(F.relu(x), 3, 2)
    x = F.conv2d(x, w[f"{name}.second.weight"], w[f"{name}.second.bias"], padding=2, groups=2)
    return F.max_pool2d(F.relu(x), 3, 2)


def shallow_plan(reading, side, classes):
    names = ["direction", "amount"] if reading == "both" else [reading]
    inner = side
    inner = (inner - 11) // 4 + 1
    for _ in range(2):
        inner = (inner - 3) // 2 + 1
    flat = 256 * (inner + 2) ** 2
    return sum((stream_plan(name) for name in names), []) + dense("classes", flat, classes)


def shallow(w, reading, x):
    names = ["direction", "amount"] if reading == "both" else [reading]
    u, v, strain = x[:, :1], x[:, 1:2], x[:, 2:]
    magnitude = torch.sqrt(u * u + v * v)
    images = {
        "direction": torch.cat([u, v, magnitude], 1),
        "amount": torch.cat([magnitude, strain, strain], 1),
    }
    maps = 1.0
    for name in names:
        maps = maps * stream(w, name, images[name])
    x = F.pad(maps, (1, 1, 1, 1)).flatten(1)
    return F.linear(x, w["classes.weight"], w["classes.bias"])


def tsdn_plan():
    plan = []
    for part, sizes in (
        ("encoder", [(1, 16), (16, 32), (32, 64)]),
        ("decoder", [(64, 32), (32, 16), (16, 1)]),
    ):
        for name, (inputs, filters) in zip(("first", "second", "third"), sizes):
            plan += convolution(f"{part}.{name}", filters, inputs, 3, 3)
    return plan + convolution("difference", 64, 64, 3, 3) + dense("classes", 1024, 3)


def tsdn_layer(w, name, x, stride=1):
    return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride=stride, padding=1)


def tsdn_code(w, frames):
    x = frames / 255.0
    for name in ("first", "second", "third"):
        x = F.relu(tsdn_layer(w, f"encoder.{name}", x, 2))
    return x


def tsdn_rebuilt(w, x):
    for name in ("first", "second", "third"):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = tsdn_layer(w, f"decoder.{name}", x)
        x = x if name == "third" else F.relu(x)
    return x


def tsdn_classes(w, onset, apex):
    """From the codes of both frames."""
    x = F.max_pool2d(F.relu(tsdn_layer(w, "difference", apex - onset)), 2)
    return F.linear(x.flatten(1), w["classes.weight"], w["classes.bias"])


def show(name, tensor):
    values = ", ".join(f"{value:.6f}" for value in tensor.flatten().tolist())
    print(f"{name}: [{values}]")


def main():
    for outputs in (1, 3, 8):
        w = make(sssnet_plan(1, outputs, 4))
        show(f"led-sssnet, {outputs} outputs", sssnet(w, led(grey(2, 1, outputs + 1, 64, 64))))
    w = make(sssnet_plan(1, 5, 8))
    masks = [kept(2, 32), kept(2, 64), kept(2, 256)]
    show("led-sssnet in training", sssnet(w, led(grey(2, 1, 6, 64, 64)), masks))
    show("its second running mean", w["second_norm.mean"][:4])
    show("its second running variance", w["second_norm.variance"][:4])

    w = make(sssnet_plan(3, 1, 3))
    show("sssnet", sssnet(w, flow(2, 3, 1, 64, 64)))

    w = make(resnet_plan(5) + dense("outputs", 512, 4), 0.5)
    images = led(grey(2, 1, 6, 64, 64))[:, 0]
    features = resnet(w, images)
    show("led-resnet18", F.linear(features, w["outputs.weight"], w["outputs.bias"]))
    features = resnet(w, images, True) * kept(2, 512)
    show("led-resnet18 in training", F.linear(features, w["outputs.weight"], w["outputs.bias"]))
    show("its last running variance", w["blocks.7.second_norm.variance"][:4])

    for reading in ("direction", "amount", "both"):
        w = make(shallow_plan(reading, 64, 5))
        show(f"sssn/dssn on {reading}", shallow(w, reading, flow(2, 3, 64, 64)))
    w = make(shallow_plan("direction", 227, 5))
    show("sssn on direction, side 227", shallow(w, "direction", flow(2, 3, 227, 227)))

    w = make(tsdn_plan())
    frames = grey(4, 1, 64, 64)
    onset, apex = tsdn_code(w, frames[:2]), tsdn_code(w, frames[2:])
    show("tsdn", tsdn_classes(w, onset, apex))
    show("its apex rebuilt", tsdn_rebuilt(w, apex)[0, 0, 31, 30:34])


if __name__ == "__main__":
    with torch.no_grad():
        main()
