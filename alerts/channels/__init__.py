"""The ways a notice can travel: one line here for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from alerts.channel import Channel
from alerts.channels.email import EmailChannel
from alerts.channels.webhook import WebhookChannel
from mentions.failures import UserError

CHANNELS: dict[str, type[Channel]] = {
    EmailChannel.kind: EmailChannel,
    WebhookChannel.kind: WebhookChannel,
}


def build_channel(kind: str, name: str, options: Mapping[str, object]) -> Channel:
    """The channel that `options` (its `[[channels]]` table without name, kind and level) describe.

    Raises UserError that names every wrong key; values stay out of it, they may be secret.
    """
    if kind not in CHANNELS:
        raise UserError(f'channel "{name}": there is no kind "{kind}", only {", ".join(sorted(CHANNELS))}')
    made = CHANNELS[kind]
    try:
        return made(name, made.Options.model_validate(dict(options)))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'options'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise UserError(f'channel "{name}": {problems}') from None
