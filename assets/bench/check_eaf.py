"""Reads .eaf files with programs that are not Onset's and says what does not hold.

    pip install pympi-ling lxml
    python check_eaf.py FILE.eaf… [--xsd EAFv3.0.xsd] [--resave FOLDER]

Checked: the XML schema (ELAN's EAFv3.0.xsd, which is not part of this project); that
pympi reads every tier and annotation; that no tier overlaps itself; that what stands
below lies within its parent; that values offered by a vocabulary are its own.
--resave lets pympi write the files again, as a stand-in for another program's save.
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import pympi
from lxml import etree


def problems(path, schema):
    tree = etree.parse(str(path))
    if schema is not None and not schema.validate(tree):
        for error in schema.error_log:
            yield f"schema, line {error.line}: {error.message}"
    eaf = pympi.Eaf(str(path))
    root = tree.getroot()
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in root.iter("TIME_SLOT")}
    times = list(slots.values())
    if times != sorted(times):
        yield "time slots are not in order"
    vocabularies = {
        cv.get("CV_ID"): {e.get("CVE_ID"): e[0].text for e in cv.iter("CV_ENTRY_ML")}
        for cv in root.iter("CONTROLLED_VOCABULARY")
    }
    types = {t.get("LINGUISTIC_TYPE_ID"): t for t in root.iter("LINGUISTIC_TYPE")}
    last = int(next(p.text for p in root.iter("PROPERTY") if p.get("NAME") == "lastUsedAnnotationId"))
    ids = [a.get("ANNOTATION_ID") for a in root.iter("ALIGNABLE_ANNOTATION", "REF_ANNOTATION")]
    if sorted(int(i[1:]) for i in ids) != list(range(1, last + 1)):
        yield "annotation ids do not run from 1 to lastUsedAnnotationId"
    spans = {}
    for tier in root.iter("TIER"):
        name = tier.get("TIER_ID")
        if name not in eaf.get_tier_names():
            yield f"pympi does not know the tier {name!r}"
            continue
        own = sorted(
            (slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")])
            for a in tier.iter("ALIGNABLE_ANNOTATION")
        )
        spans[name] = own
        if len(eaf.get_annotation_data_for_tier(name)) != len(tier):
            yield f"pympi reads another number of annotations on {name!r}"
        if any(start >= end for start, end in own):
            yield f"{name!r} has an annotation without duration"
        if any(a[1] > b[0] for a, b in zip(own, own[1:])):
            yield f"{name!r} overlaps itself"
        parent = tier.get("PARENT_REF")
        kind = types[tier.get("LINGUISTIC_TYPE_REF")]
        if (parent is None) != (kind.get("CONSTRAINTS") is None):
            yield f"{name!r}: its type's constraint does not fit its place"
        if parent is not None:
            for start, end in own:
                if not any(s <= start and end <= e for s, e in spans[parent]):
                    yield f"{name!r} reaches out of its parent at {start} ms"
        vocabulary = vocabularies.get(kind.get("CONTROLLED_VOCABULARY_REF"))
        for a in tier.iter("ALIGNABLE_ANNOTATION", "REF_ANNOTATION"):
            choice = a.get("CVE_REF")
            if choice is not None and (vocabulary or {}).get(choice) != a[0].text:
                yield f"{name!r}: {a[0].text!r} is not what {choice!r} offers"
    for media in eaf.media_descriptors:
        print(f"  plays {unquote(urlparse(media['MEDIA_URL']).path)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--xsd", type=Path)
    parser.add_argument("--resave", type=Path)
    args = parser.parse_args()
    schema = etree.XMLSchema(etree.parse(str(args.xsd))) if args.xsd else None
    bad = False
    for path in args.files:
        print(path)
        for problem in problems(path, schema):
            bad = True
            print(f"  {problem}")
        if args.resave:
            args.resave.mkdir(parents=True, exist_ok=True)
            pympi.Eaf(str(path)).to_file(str(args.resave / path.name))
    if schema is None:
        print("The schema was not checked (--xsd).")
    sys.exit(bad)


main()
