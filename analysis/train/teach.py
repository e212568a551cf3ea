"""`python -m analysis.train.teach`: a larger model learns all there is, and what it says of every text is kept.

Ten minutes on a GPU; on two cores most of a day. The model itself is thrown away: only its opinions are needed.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from analysis.reading import SHIPPED, Window, open_tokeniser
from analysis.train.encoder import Course, Encoder, answers, descend, machine, steps_of
from analysis.train.lessons import Aim, Aims, Lesson, Lessons, police_lessons, public_lessons, read
from analysis.train.police import police_rows, unlabelled_rows
from analysis.train.taught import KEPT, Opinion, keep
from analysis.train.texts import examples

LOG = logging.getLogger("analysis.train")
SEED = 7
WORDS = SHIPPED / "tokenizer.json"  # the small model's: texts are cut for it
BATCH = 64
# Rates and how often each lesson is gone through: of the matter, of moods first, of attitudes then.
MATTER_RATE, MATTER_EPOCHS = 5e-5, 3.0
MOOD_RATE, MOOD_EPOCHS = 4e-5, 0.75
ATTITUDE_RATE, ATTITUDE_EPOCHS = 3e-5, 2.5
PUBLIC: Aims = {"mood": Aim(1.0), "attitude": Aim(1.0)}
POLICE: Aims = {"relevant": Aim(1.0), "topics": Aim(1.0)}


def main(argv: list[str] | None = None) -> int:
    """Teach by the arguments; 2 with one line where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m analysis.train.teach", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public data")
    parser.add_argument("--base", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--out", type=Path, default=KEPT, help="where the opinions go (default: %(default)s)")
    args = parser.parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    LOG.setLevel(logging.INFO)
    try:
        _teach(args)
    except (OSError, ValueError) as error:
        print(f"python -m analysis.train.teach: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _teach(args: argparse.Namespace) -> None:
    tokens = open_tokeniser(WORDS)
    rows = police_rows(args.data)
    public = examples(args.data)[0]
    ours = police_lessons(tokens, rows)
    theirs = public_lessons(tokens, public, random.Random(SEED))
    LOG.info("learning from %d texts about the police and %d public ones", len(ours), len(theirs))
    matter, tone = _learn_matter(args, ours), _learn_tone(args, ours, theirs)
    near = [read(tokens, row) for row in (*rows, *unlabelled_rows(args.data, rows))]
    far = [read(tokens, row) for row in public]
    keep(args.out, [*near, *far], [*_about(tone, matter, near), *_tone_of(tone, far)])
    LOG.info("%s: opinions of %d texts", args.out, len(near) + len(far))


def _learn_matter(args: argparse.Namespace, ours: Sequence[Lesson]) -> Encoder:
    """What is ours, and of which topic, from the base itself."""
    torch.manual_seed(SEED)
    model = Encoder(args.base, WORDS).to(machine())
    losses = Lessons(ours).losses(model, POLICE, random.Random(SEED), BATCH)
    return descend(model, losses, Course("matter", steps_of(len(ours), MATTER_EPOCHS, BATCH), MATTER_RATE))


def _learn_tone(args: argparse.Namespace, ours: Sequence[Lesson], theirs: Sequence[Lesson]) -> Encoder:
    """Moods and attitudes of the public texts; then the talk of the police, as many public texts beside it."""
    torch.manual_seed(SEED)
    model = Encoder(args.base, WORDS).to(machine())
    company = Lessons(theirs).losses(model, PUBLIC, random.Random(SEED), BATCH)
    descend(model, company, Course("moods", steps_of(len(theirs), MOOD_EPOCHS, BATCH), MOOD_RATE))
    police = Lessons(ours).losses(model, {"attitude": Aim(1.0), **POLICE}, random.Random(SEED), BATCH)

    def both() -> Iterator[Tensor]:
        while True:
            yield next(police) + next(company)

    return descend(model, both(), Course("attitudes", steps_of(len(ours), ATTITUDE_EPOCHS, BATCH), ATTITUDE_RATE))


def _tone_of(tone: Encoder, windows: Sequence[Window]) -> list[Opinion]:
    """Of the public texts, which nobody asks whether they are ours."""
    mood, attitude, _, _ = answers(tone, windows)
    return [Opinion(*pair) for pair in zip(mood.softmax(1).numpy(), attitude.softmax(1).numpy(), strict=True)]


def _about(tone: Encoder, matter: Encoder, windows: Sequence[Window]) -> list[Opinion]:
    """Both models' opinion: the topic is the mean of their shares."""
    mood, attitude, _, topics = answers(tone, windows)
    _, _, relevant, more = answers(matter, windows)
    shares = (topics.softmax(1) + more.softmax(1)) / 2
    said = (mood.softmax(1), attitude.softmax(1), relevant.sigmoid(), shares)
    return [Opinion(*each) for each in zip(*(part.numpy() for part in said), strict=True)]


if __name__ == "__main__":
    sys.exit(main())
