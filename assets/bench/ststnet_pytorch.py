#!/usr/bin/env python3
"""STSTNet by leave-one-subject-out in stock PyTorch: what `onset evaluate ststnet` is held against.

The same settings as Onset's defaults: images read as (strain, v, u), less the mean image
of the training fold, convolutions that keep the size, dropout 0.5, Adam at 5e-4, 100
epochs of shuffled batches of 256, the last incomplete one used, the last epoch tested.

    python ststnet_pytorch.py DATA --seed 1 --out report.json

DATA holds labels.csv (clip,subject,dataset,label) and flows/<clip>.png. Needs torch,
numpy and Pillow or OpenCV. Prints accuracy, UF1, UAR, confusion and processor seconds.
"""

import argparse
import csv
import json
import pathlib
import time

import numpy as np
import torch
from torch import nn


def read_image(path):
    try:
        from PIL import Image

        return np.asarray(Image.open(path).convert("RGB"))
    except ImportError:
        import cv2

        return cv2.imread(str(path))[:, :, ::-1]


class StstNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.streams = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(3, filters, 3, padding=1),
                nn.ReLU(),
                nn.BatchNorm2d(filters),
                nn.MaxPool2d(3, stride=3, padding=1),
                nn.Dropout(0.5),
            )
            for filters in (3, 5, 8)
        )
        self.pool = nn.AvgPool2d(2)
        self.classes = nn.Linear(400, 3)

    def forward(self, images):
        joint = torch.cat([stream(images) for stream in self.streams], dim=1)
        return self.classes(self.pool(joint).flatten(1))


def fold(images, labels, test, seed, args):
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    train = ~test
    mean = images[train].mean(0, keepdims=True)
    x = torch.from_numpy(images[train] - mean)
    y = torch.from_numpy(labels[train])
    network = StstNet()
    adam = torch.optim.Adam(network.parameters(), lr=args.lr)
    loss = nn.CrossEntropyLoss()
    updates = 0
    for _ in range(args.epochs):
        places = torch.from_numpy(order.permutation(len(y)))
        for batch in places.split(args.batch):
            adam.zero_grad()
            loss(network(x[batch]), y[batch]).backward()
            adam.step()
            updates += 1
    network.eval()
    with torch.no_grad():
        said = network(torch.from_numpy(images[test] - mean)).argmax(1).numpy()
    return said, updates


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with open(args.data / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    # Height, width, RGB = (u, v, strain) to (strain, v, u), height, width.
    images = np.stack(
        [
            read_image(args.data / "flows" / f"{row['clip']}.png")[:, :, ::-1].transpose(2, 0, 1)
            for row in rows
        ]
    ).astype(np.float32)
    labels = np.array([int(row["label"]) for row in rows])
    subjects = np.array([row["subject"] for row in rows])
    said = np.empty_like(labels)
    updates = 0
    start = time.process_time()
    for number, subject in enumerate(sorted(set(subjects))):
        test = subjects == subject
        said[test], count = fold(images, labels, test, 1000 * args.seed + number, args)
        updates += count
    seconds = time.process_time() - start
    confusion = np.zeros((3, 3), int)
    np.add.at(confusion, (labels, said), 1)
    hits = np.diag(confusion)
    report = {
        "accuracy": float(hits.sum() / confusion.sum()),
        "uf1": float(np.mean(2 * hits / (confusion.sum(0) + confusion.sum(1)))),
        "uar": float(np.mean(hits / confusion.sum(1))),
        "confusion": confusion.tolist(),
        "seed": args.seed,
    }
    if args.out:
        args.out.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))
    print(f"{seconds:.1f} CPU seconds, {1000 * seconds / updates:.1f} ms an update")


if __name__ == "__main__":
    main()
