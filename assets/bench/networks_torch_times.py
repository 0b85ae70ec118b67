#!/usr/bin/env python3
"""The networks of `onset bench --networks` in stock PyTorch, side by side with Onset's times.

    onset bench --networks --threads 2 --device cpu --json > onset.json
    python networks_torch_times.py --threads 2 --onset onset.json

The same sizes, the same threads, in eval mode under `torch.inference_mode()`: the median
milliseconds of a call at batch 1 and 32, after one that does not count, input and weights at
hand. On a machine with other work the fastest call of each says more, and with one thread the
CPU time, so their ratios stand there too. Definitions come from the scripts beside this one,
which Onset's tests hold its networks against; those that have none there (SOFTNet, MotionTCN,
Off-ApexNet, AU-Flow) stand below. Two are written faster here than there: LED as one product
with a matrix made beforehand, hashed attention as a masked softmax of all pairs. Without
--onset it prints PyTorch's alone.
"""

import argparse
import functools
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

import networks_pytorch as small
import uamrn_moext_pytorch as large
from ststnet_pytorch import StstNet

LONGEST_SECS = 60.0
SLOW_SECS = 5.0


def stream(filters, side, pool):
    return nn.Sequential(
        nn.Conv2d(1, filters, side, padding=side // 2), nn.ReLU(), nn.MaxPool2d(pool)
    )


class SoftNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.streams = nn.ModuleList(stream(filters, 5, 3) for filters in (3, 5, 8))
        self.hidden = nn.Linear(784, 400)
        self.score = nn.Linear(400, 1)

    def forward(self, x):
        maps = torch.cat([s(x[:, i : i + 1]) for i, s in enumerate(self.streams)], 1)
        return self.score(F.relu(self.hidden(F.max_pool2d(maps, 2).flatten(1))))


class OffApexNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.streams = nn.ModuleList(
            nn.Sequential(
                stream(6, 5, 2), nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)
            )
            for _ in range(2)
        )
        self.layers = nn.Sequential(
            nn.Linear(1568, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 3)
        )

    def forward(self, x):
        v, u = x[:, 1:2], x[:, 2:]
        maps = torch.cat([self.streams[0](u), self.streams[1](v)], 1)
        return self.layers(maps.flatten(1))


class AuFlow(nn.Sequential):
    def __init__(self):
        layers = []
        for inputs, filters in ((3, 24), (24, 48)):
            layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Flatten(), nn.Linear(2352, 64), nn.ReLU(), nn.Linear(64, 57)]
        super().__init__(*layers)


class MotionTcn(nn.Module):
    PLANES, SCALARS, SIDE, MAPS, WIDTH = 12, 14, 16, 12, 64
    LAYERS = [(r, False) for r in (1, 2, 4, 8)] + [(r, True) for r in (16, 32, 64)]

    def __init__(self):
        super().__init__()
        self.grid = nn.Conv2d(self.PLANES, self.MAPS, 3, stride=2, padding=1)
        self.step = nn.Linear(self.MAPS * self.SIDE**2 // 4 + self.SCALARS, self.WIDTH)
        self.mix = nn.ModuleList(nn.Linear(3 * self.WIDTH, self.WIDTH) for _ in self.LAYERS)
        self.outputs = nn.Linear(self.WIDTH, 4)

    def forward(self, steps):
        batch, length, _ = steps.shape
        planes = self.PLANES * self.SIDE**2
        maps = steps[..., :planes].reshape(-1, self.PLANES, self.SIDE, self.SIDE)
        maps = F.relu(self.grid(maps)).reshape(batch, length, -1)
        x = F.relu(self.step(torch.cat([maps, steps[..., planes:]], 2)))
        for (reach, back), mix in zip(self.LAYERS, self.mix):
            ends = (2 * reach, 0) if back else (reach, reach)
            padded = F.pad(x, (0, 0, *ends))
            if back:
                far, near = padded[:, :length], padded[:, reach : reach + length]
            else:
                far, near = padded[:, :length], padded[:, 2 * reach :]
            x = x + F.relu(mix(torch.cat([far, near, x], 2)))
        return self.outputs(x)


def led_matrix(frames=6):
    """Columns 1.. of W / α for the LED layer at its start."""
    r1, r2 = 0.4, 0.05
    w = torch.zeros(frames, frames)
    for i in range(frames):
        for j in range(i, frames):
            fast, slow = (1 - r1) ** (j - i), (1 - r2) ** (j - i)
            w[i, j] = fast - slow if i == 0 else r1 * fast - r2 * slow
    return w[:, 1:].T.contiguous()


def led(w, clips):
    batch, channels, frames, height, width = clips.shape
    pixels = clips.reshape(batch * channels, frames, -1)
    motion = (w @ pixels) / (w.abs() @ pixels + 0.1)
    return motion.reshape(batch, channels, frames - 1, height, width)


def masked_attention(w, x, mode):
    """Like large.attention, for a whole batch at once."""
    batch, length, all_width = x.shape
    width = all_width // large.HEADS

    def heads(name):
        y = F.linear(x, w[f"{name}.weight"])
        return y.reshape(batch, length, large.HEADS, width).transpose(1, 2)

    q, k, v = heads("query"), heads("key"), heads("value")
    scores = q @ k.transpose(2, 3) / math.sqrt(width)
    if mode == "full":
        weights = torch.softmax(scores, 3)
    else:
        places = 2 ** torch.arange(w["planes"].shape[1], dtype=x.dtype)

        def buckets(y):
            sides = torch.einsum("bhlw,tpw->bhltp", y, w["planes"]) > 0
            return sides.to(x.dtype) @ places

        pairs = (buckets(q)[:, :, :, None] == buckets(k)[:, :, None]).any(4)
        if mode == "sparse":
            scores = scores.masked_fill(~pairs, -math.inf)
        weights = torch.softmax(scores, 3)
        weights = torch.where(pairs, weights, 0.0)
    taken = (weights @ v).transpose(1, 2).reshape(batch, length, all_width)
    return F.linear(taken, w["output.weight"], w["output.bias"]), weights


def check_attention():
    onset, apex = large.pictures(2, 3, large.SIDE)
    w = large.weights(large.uamrn_plan())
    for mode in ("paper", "sparse"):
        slow = large.uamrn(w, onset, apex, mode)[0]
        fast = large.uamrn(w, onset, apex, mode, attention=masked_attention)[0]
        assert torch.allclose(slow, fast, atol=1e-4), mode


def grey(batch, channels, side, frames=None):
    shape = (batch, channels, side, side) if frames is None else (batch, channels, frames, side, side)
    return torch.rand(shape) * 255


def pair(channels, side):
    return lambda batch: (grey(batch, channels, side), grey(batch, channels, side))


def flow(*shape):
    return lambda batch: (torch.rand(batch, *shape) * 2 - 1,)


def of_plan(plan, gain=1.5):
    w = small.make(plan, gain)
    parts = ("mean", "variance", "planes")
    learnt = sum(t.numel() for name, t in w.items() if name.rsplit(".", 1)[-1] not in parts)
    return w, learnt


def module(network, inputs):
    return network.eval(), sum(p.numel() for p in network.parameters()), inputs


def sssnet():
    w, learnt = of_plan(small.sssnet_plan(3, 1, 3))
    return functools.partial(small.sssnet, w), learnt, flow(3, 1, 64, 64)


def shallow(reading):
    w, learnt = of_plan(small.shallow_plan(reading, 227, 5))
    return lambda x: small.shallow(w, reading, x), learnt, flow(3, 227, 227)


def tsdn():
    w, learnt = of_plan(small.tsdn_plan())

    def forward(onset, apex):
        return small.tsdn_classes(w, small.tsdn_code(w, onset), small.tsdn_code(w, apex))

    return forward, learnt, pair(1, 64)


def led_sssnet():
    w, learnt = of_plan(small.sssnet_plan(1, 5, 8))
    m = led_matrix()
    return lambda x: small.sssnet(w, led(m, x)), learnt + 3, lambda b: (grey(b, 1, 64, 6),)


def led_resnet18():
    w, learnt = of_plan(small.resnet_plan(5) + small.dense("outputs", 512, 8), 0.5)
    m = led_matrix()

    def forward(x):
        features = small.resnet(w, led(m, x)[:, 0])
        return F.linear(features, w["outputs.weight"], w["outputs.bias"])

    return forward, learnt + 3, lambda b: (grey(b, 1, 64, 6),)


def moext():
    large.MO_WIDTH, large.CLASSES = 512, 5
    w, learnt = of_plan(large.motion_plan() + small.dense("classes", 512, 5), 0.8)
    return lambda onset, apex: large.moext(w, onset, apex), learnt, pair(3, 224)


def uamrn(mode):
    large.SIDE, large.FRAMES, large.WIDTH, large.HIDDEN, large.BLOCKS = 224, 32, 1024, 1024, 3
    large.CLASSES = 5
    w, learnt = of_plan(large.uamrn_plan(), 0.5)

    def forward(onset, apex):
        return large.uamrn(w, onset, apex, mode, attention=masked_attention)[0]

    return forward, learnt, pair(3, 224)


NETWORKS = {
    "softnet": lambda: module(SoftNet(), flow(3, 42, 42)),
    "motion-tcn": lambda: module(MotionTcn(), flow(255, 12 * 256 + 14)),
    "ststnet": lambda: module(StstNet(), flow(3, 28, 28)),
    "au-flow": lambda: module(AuFlow(), flow(3, 28, 28)),
    "off-apexnet": lambda: module(OffApexNet(), flow(3, 28, 28)),
    "sssnet": sssnet,
    "sssn": lambda: shallow("direction"),
    "dssn": lambda: shallow("both"),
    "tsdn": tsdn,
    "led-sssnet": led_sssnet,
    "led-resnet18": led_resnet18,
    "moext": moext,
    "uamrn-paper": lambda: uamrn("paper"),
    "uamrn-sparse": lambda: uamrn("sparse"),
}


def measured(call, seconds, most):
    """Median, least and processor milliseconds of a call, and how often it was timed."""

    def one():
        clock, start = time.process_time(), time.perf_counter()
        call()
        return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - clock)

    times = [one()]
    if times[0][0] < 1e3 * SLOW_SECS:
        times, begun = [], time.perf_counter()
        while len(times) < 3 or (len(times) < most and time.perf_counter() - begun < seconds):
            times.append(one())
    wall, cpu = zip(*times)
    return {
        "wall_ms": statistics.median(wall),
        "least_wall_ms": min(wall),
        "cpu_ms": statistics.median(cpu),
        "repeats": len(times),
    }


def number(value):
    return "–" if value is None else f"{value:.3f}"


def line(name, batch, parameters, ours, theirs):
    def of(row, key):
        return row and row[key]

    def ratio(key):
        a, b = of(ours, key), of(theirs, key)
        return f"{a / b:.2f}" if a and b else "–"

    return (
        f"{name:<13} {batch:>5} {parameters:>10} {number(of(ours, 'wall_ms')):>10} "
        f"{number(of(theirs, 'wall_ms')):>10} {ratio('wall_ms'):>6} {ratio('least_wall_ms'):>7} "
        f"{number(of(ours, 'cpu_ms')):>10} {number(of(theirs, 'cpu_ms')):>10} {ratio('cpu_ms'):>6}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--onset", help="what onset bench --networks --json printed")
    parser.add_argument("--only", action="append", choices=NETWORKS)
    parser.add_argument("--batch", action="append", type=int)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--json", help="write PyTorch's times to this file")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    onset = {}
    if args.onset:
        with open(args.onset) as file:
            report = json.load(file)
        if report["threads"] != args.threads:
            parser.error(f"Onset ran on {report['threads']} threads")
        rows = [row for row in report["networks"] if row["device"].startswith("processor")]
        onset = {(row["network"], row["batch"]): row for row in rows}
    print(f"PyTorch {torch.__version__}, {args.threads} threads; milliseconds for the whole batch")
    print("ratios are Onset / PyTorch: of the medians, of the fastest calls, of the CPU times")
    print(
        f"{'network':<13} {'batch':>5} {'parameters':>10} {'Onset':>10} {'PyTorch':>10} "
        f"{'ratio':>6} {'fastest':>7} {'Onset CPU':>10} {'their CPU':>10} {'ratio':>6}"
    )
    written = []
    with torch.inference_mode():
        check_attention()
        for name in args.only or NETWORKS:
            forward, parameters, inputs = NETWORKS[name]()
            each = 0.0
            for batch in args.batch or (1, 32):
                ours = onset.get((name, batch))
                if ours and ours["parameters"] != parameters:
                    print(f"  {name}: Onset has {ours['parameters']} parameters")
                theirs = note = None
                if each * batch > 1e3 * LONGEST_SECS:
                    note = f"  over 60 s: {each * batch / 1e3:.0f} s by smaller batches"
                else:
                    x = inputs(batch)
                    theirs = {"network": name, "batch": batch}
                    theirs |= measured(lambda: forward(*x), args.seconds, args.repeats)
                    each = max(each, theirs["wall_ms"] / batch)
                    written.append(theirs)
                print(line(name, batch, parameters, ours, theirs) + (note or ""), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(written, file, indent=2)


if __name__ == "__main__":
    main()
