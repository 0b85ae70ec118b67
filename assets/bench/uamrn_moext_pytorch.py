#!/usr/bin/env python3
"""UAMRN and MoExt once more in stock PyTorch: what tests/it/uamrn_and_moext.rs expects.

Parameters and inputs come from the formulas of networks_pytorch.py, with gain 0.5 for UAMRN and 0.8 for MoExt; only
hyper-planes are sin(0.7 (i² mod 9973)), for with the formula of the others all of them
would lie in one fan. The hashed attention
is written as S3 defines it, pair by pair with sets of indices, and not as Onset computes
it. Pictures: p = grey(2·batch, …); the onset is its first half, the apex
0.75·onset + 0.25·second half.

    python uamrn_moext_pytorch.py        (needs torch and numpy)
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from networks_pytorch import (
    batch_norm,
    convolution,
    dense,
    grey,
    kept,
    make,
    norm,
    resnet_blocks,
    resnet_plan,
    show,
    wave,
)

CLASSES = 4
GAIN = {"uamrn": 0.5, "moext": 0.8}


def weights(plan, network="uamrn"):
    made = make(plan, GAIN[network])
    for name, shape in plan:
        if name.endswith(".planes"):
            i = np.arange(int(np.prod(shape)), dtype=np.int64) ** 2 % 9973
            made[name] = torch.tensor(np.sin(0.7 * i).astype(np.float32)).reshape(shape)
    return made


def pictures(batch, channels, side):
    both = grey(2 * batch, channels, side, side)
    onset = both[:batch]
    return onset, 0.75 * onset + 0.25 * both[batch:]


def under(part, plan):
    return [(f"{part}.{name}", shape) for name, shape in plan]


def inside(w, part):
    return {name[len(part) + 1 :]: t for name, t in w.items() if name.startswith(part + ".")}


def front_plan():
    left = ("blocks.4", "blocks.5", "blocks.6", "blocks.7")
    return [(name, shape) for name, shape in resnet_plan(3) if not name.startswith(left)]


def front(w, images, training=False):
    x = F.conv2d(images, w["stem.weight"], stride=2, padding=3)
    x = F.relu(batch_norm(w, "stem_norm", x, training))
    x = F.max_pool2d(x, 3, 2, 1)
    for number, _, _, stride in list(resnet_blocks())[:4]:
        name = f"blocks.{number}"
        y = F.conv2d(x, w[f"{name}.first.weight"], stride=stride, padding=1)
        y = F.relu(batch_norm(w, f"{name}.first_norm", y, training))
        y = F.conv2d(y, w[f"{name}.second.weight"], padding=1)
        y = batch_norm(w, f"{name}.second_norm", y, training)
        if stride == 2:
            x = F.conv2d(x, w[f"{name}.shortcut.convolution.weight"], stride=2)
            x = batch_norm(w, f"{name}.shortcut.norm", x, training)
        x = F.relu(x + y)
    return x


# ---- UAMRN

SIDE, FRAMES, WIDTH, HEADS, BLOCKS, HIDDEN = 32, 8, 32, 2, 2, 48


def uamrn_plan():
    plan = under("front", front_plan()) + dense("code", 2048, WIDTH)
    for block in range(BLOCKS):
        layers = [(f"attention.{name}.weight", (WIDTH, WIDTH)) for name in ("query", "key", "value")]
        layers += dense("attention.output", WIDTH, WIDTH)
        layers += [("attention.planes", (4, 3, WIDTH // HEADS))]
        layers += [("attention_norm.scale", (WIDTH,)), ("attention_norm.shift", (WIDTH,))]
        layers += dense("first", WIDTH, HIDDEN) + dense("second", HIDDEN, WIDTH)
        layers += [("dense_norm.scale", (WIDTH,)), ("dense_norm.shift", (WIDTH,))]
        plan += under(f"blocks.{block}", layers)
    return plan + dense("mean", WIDTH, CLASSES) + dense("variance", WIDTH, CLASSES)


nearest = math.inf
shares = []


def hashed(q, k, planes):
    """The pairs of one head: those of the same bucket in any table."""
    global nearest
    pairs = set()
    for table in planes:
        sides = []
        for x in (q, k):
            products = x @ table.T
            nearest = min(nearest, products.abs().min().item())
            sides.append([tuple((row > 0).tolist()) for row in products])
        pairs |= {
            (i, j)
            for i, a in enumerate(sides[0])
            for j, b in enumerate(sides[1])
            if a == b
        }
    shares.append(len(pairs) / len(q) ** 2)
    return pairs


def attention(w, x, mode):
    batch, length, _ = x.shape
    width = WIDTH // HEADS
    out = torch.zeros_like(x)
    matrices = torch.zeros(batch, HEADS, length, length)
    for sample in range(batch):
        for head in range(HEADS):
            part = slice(head * width, (head + 1) * width)
            q, k, v = (
                F.linear(x[sample], w[f"{name}.weight"])[:, part]
                for name in ("query", "key", "value")
            )
            scores = q @ k.T / math.sqrt(width)
            pairs = hashed(q, k, w["planes"])
            for i in range(length):
                allowed = [j for j in range(length) if (i, j) in pairs]
                if mode == "sparse":
                    if not allowed:
                        continue
                    matrices[sample, head, i, allowed] = torch.softmax(scores[i, allowed], 0)
                else:
                    row = torch.softmax(scores[i], 0)
                    for j in range(length) if mode == "full" else allowed:
                        matrices[sample, head, i, j] = row[j]
            out[sample, :, part] = matrices[sample, head] @ v
    return F.linear(out, w["output.weight"], w["output.bias"]), matrices


def uamrn(w, onset, apex, mode, masks=None, training=False, attention=attention):
    batch = len(onset)
    frames = []
    for n in range(FRAMES):
        alpha = 2 + 11 * n / (FRAMES - 1)
        frames.append(onset + (1 + alpha) * (apex - onset))
    x = torch.stack(frames, 1).flatten(0, 1) / 255.0
    x = front(inside(w, "front"), x, training)
    x = F.adaptive_avg_pool2d(x, 4).flatten(1)
    x = F.linear(x, w["code.weight"], w["code.bias"]).reshape(batch, FRAMES, WIDTH)
    code = torch.zeros(FRAMES, WIDTH)
    for place in range(FRAMES):
        for d in range(WIDTH // 2):
            turn = place / 10000 ** (2 * d / WIDTH)
            code[place, 2 * d] = math.sin(turn)
            code[place, 2 * d + 1] = math.cos(turn)
    x = x + code
    found = []
    for block in range(BLOCKS):
        own = inside(w, f"blocks.{block}")
        y, matrices = attention(inside(own, "attention"), x, mode)
        found.append(matrices)
        if masks:
            y = y * masks[block][0]
        x = F.layer_norm(
            x + y, (WIDTH,), own["attention_norm.scale"], own["attention_norm.shift"]
        )
        y = F.relu(F.linear(x, own["first.weight"], own["first.bias"]))
        y = F.linear(y, own["second.weight"], own["second.bias"])
        if masks:
            y = y * masks[block][1]
        x = F.layer_norm(x + y, (WIDTH,), own["dense_norm.scale"], own["dense_norm.shift"])
    x = x.mean(1)
    mean = F.linear(x, w["mean.weight"], w["mean.bias"])
    variance = F.softplus(F.linear(x, w["variance.weight"], w["variance.bias"])) + 1e-6
    return mean, variance, found


def show_uamrn():
    onset, apex = pictures(2, 3, SIDE)
    plan = uamrn_plan()
    for mode in ("full", "paper", "sparse"):
        w = weights(plan)
        mean, variance, matrices = uamrn(w, onset, apex, mode)
        show(f"uamrn {mode}, mean", mean)
        show(f"uamrn {mode}, variance", variance)
        show("row 5 of its second block's first head", matrices[1][0, 0, 5])
    print(f"nearest product to a hyper-plane {nearest:.2e}; share of pairs {np.mean(shares):.3f}")

    w = weights(plan)
    masks = [[kept(2, FRAMES, WIDTH)] * 2] * BLOCKS
    dropped = uamrn(w, onset, apex, "paper", masks, True)
    show("uamrn in training, mean", dropped[0])
    show("uamrn in training, variance", dropped[1])
    show("its last running variance", w["front.blocks.3.second_norm.variance"][:4])
    w = weights(plan)
    opinions = [uamrn(w, onset, apex, "paper", m)[:2] for m in (None, masks)]
    means = torch.stack([m for m, _ in opinions]).double()
    noise = torch.stack([v for _, v in opinions]).double()
    gamma = (means**2).mean(0) - means.mean(0) ** 2 + noise.mean(0)
    gamma = gamma.mean(1)
    show("gamma", gamma)
    by_sample = gamma / gamma.mean()
    mean, variance = (x.double() for x in opinions[0])
    chances = 0
    draws = torch.tensor(wave((3, 2, CLASSES)))
    for draw in draws:
        chances = chances + torch.softmax(mean + variance.sqrt() * draw, 1) / len(draws)
    entropies = -torch.log(chances[[0, 1], [0, 1]])
    show("cross-entropies", entropies)
    show("loss", (by_sample * entropies).mean())


# ---- MoExt

MO_SIDE, MO_WIDTH = 56, 64


def block_plan(inputs, filters, side):
    return (
        [("first.weight", (filters, inputs, side, side))]
        + norm("first_norm", filters)
        + [("second.weight", (filters, filters, side, side))]
        + norm("second_norm", filters)
    )


def block(w, x, training):
    pad = w["first.weight"].shape[2] // 2
    x = F.relu(batch_norm(w, "first_norm", F.conv2d(x, w["first.weight"], padding=pad), training))
    x = F.conv2d(x, w["second.weight"], padding=pad)
    return F.relu(batch_norm(w, "second_norm", x, training))


def motion_plan():
    width = MO_WIDTH
    plan = under("front", front_plan()) + under("shape", branch_plan())
    plan += under("difference", block_plan(width, width, 1))
    plan += under("joined", block_plan(2 * width, width, 1))
    return under("motion", plan)


def branch_plan():
    return under("block", block_plan(128, 128, 3)) + dense("values", 128 * 49, MO_WIDTH)


def branch(w, x, training):
    x = F.adaptive_avg_pool2d(block(inside(w, "block"), x, training), 7)
    return F.linear(x.flatten(1), w["values.weight"], w["values.bias"])


def step_plan(part, inputs, filters):
    plan = []
    for number, count in enumerate(filters):
        name = f"{part}.{number}"
        plan += [(f"{name}.convolution.weight", (count, inputs, 3, 3))] + norm(f"{name}.norm", count)
        inputs = count
    return plan


def decoder_plan():
    width = MO_WIDTH
    plan = step_plan("opening", 2 * width, [width] * 3) + step_plan(
        "growing", width, [width // 4, width // 8]
    )
    inputs = width // 8
    for number in range(5):
        plan += under(f"refining.{number}", block_plan(inputs, width // 16, 3))
        inputs = width // 16
    return under("decoder", plan + convolution("picture", 3, inputs, 3, 3))


def pretraining_plan():
    return motion_plan() + under("texture", branch_plan()) + decoder_plan()


def moved(w, onset, apex, training):
    """M from two shapes."""
    difference = (apex - onset).abs()[:, :, None, None]
    x = block(inside(w, "difference"), difference, training)
    x = torch.cat([x, apex[:, :, None, None]], 1)
    return block(inside(w, "joined"), x, training)


def decoded(w, x, training):
    def steps(part, count, x):
        for number in range(count):
            name = f"{part}.{number}"
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.conv2d(x, w[f"{name}.convolution.weight"], padding=1)
            x = F.relu(batch_norm(w, f"{name}.norm", x, training))
        return x

    x = F.avg_pool2d(steps("opening", 3, x), 2, 1)
    x = steps("growing", 2, x)
    for number in range(5):
        x = block(inside(w, f"refining.{number}"), x, training)
    x = F.interpolate(x, scale_factor=2, mode="nearest")
    return F.relu(F.conv2d(x, w["picture.weight"], w["picture.bias"], padding=1))


def pretraining(w, onset, apex, training):
    """`onset`, `apex`: [batch, view, 3, side, side]."""
    batch, views = onset.shape[:2]
    motion = inside(w, "motion")
    frames = torch.cat([onset, apex], 1).flatten(0, 1) / 255.0
    maps = front(inside(motion, "front"), frames, training)
    shapes = branch(inside(motion, "shape"), maps, training).reshape(batch, 2 * views, -1)
    textures = branch(inside(w, "texture"), maps, training).reshape(batch, 2 * views, -1)
    m = moved(motion, shapes[:, 0], shapes[:, views], training)
    both = torch.cat([m, textures[:, 0, :, None, None]], 1)
    return decoded(inside(w, "decoder"), both, training), shapes, textures


def moext(w, onset, apex):
    motion = inside(w, "motion")
    shapes = []
    for frame in (onset, apex):
        maps = front(inside(motion, "front"), frame / 255.0)
        shapes.append(branch(inside(motion, "shape"), maps, False))
    m = moved(motion, shapes[0], shapes[1], False).flatten(1)
    return F.linear(m, w["classes.weight"], w["classes.bias"])


def losses(rebuilt, shapes, textures, apex, margin):
    re = (apex / 255.0 - rebuilt).abs().mean()
    batch, views = shapes.shape[:2]
    f = lambda x: x / x.norm()
    anchor = f(shapes.mean(dim=(0, 1)))
    st = ss = 0.0
    for i in range(batch):
        for j in range(views):
            s = f(shapes[i, j])
            near, far = (anchor - s).norm(), (s - f(textures[i, j])).norm()
            st += max(0.0, (near - far + margin).item())
            for k in range(views):
                apart = (s - f(shapes[i, k])).norm().item()
                same = (j < views // 2) == (k < views // 2)
                ss += apart if same else max(0.0, margin - apart)
    return re.item(), st / batch / views, ss / batch / views**2


def show_moext():
    onset, apex = pictures(2, 3, MO_SIDE)
    w = weights(motion_plan() + dense("classes", MO_WIDTH, CLASSES), "moext")
    show("moext", moext(w, onset, apex))
    w = weights(pretraining_plan(), "moext")
    rebuilt, _, _ = pretraining(w, onset[:, None], apex[:, None], False)
    show("its apex rebuilt", rebuilt[0, 1, 31, 30:34])
    onset, apex = pictures(6, 3, MO_SIDE)
    onset, apex = (x.reshape(3, 2, 3, MO_SIDE, MO_SIDE) for x in (onset, apex))
    # Sample n is black below a quarter n + 1: with samples too much alike, normalisation
    # over three of them blows up the last digits.
    for frames in (onset, apex):
        for n in range(3):
            frames[n, ..., 14 * (n + 1) :, :] = 0
    rebuilt, shapes, textures = pretraining(w, onset, apex, True)
    show("rebuilt in training", rebuilt[0, 1, 31, 30:34])
    found = torch.tensor(losses(rebuilt, shapes, textures, apex[:, 0], 0.35))
    show("losses", found)
    show("their sum", (found * torch.tensor([1.0, 0.5, 1.0])).sum())
    show("its last running variance", w["decoder.refining.4.second_norm.variance"])
    show("its running variance of C2", w["motion.joined.second_norm.variance"][:4])


if __name__ == "__main__":
    with torch.no_grad():
        show_uamrn()
        show_moext()
