"""Hunts for a search that breaks anything, led by which code it reaches: make fuzz, or python -m tests.fuzz_query.

Whatever is typed is refused with its place, or both SQLite and the matcher agree with the predicate about it, and
Elasticsearch's side is plain JSON. Takes libFuzzer's options, such as -max_total_time=600.
"""

from __future__ import annotations

import json
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["mentions", "luqum"]):
    from mentions.facets import fact_facets
    from mentions.mention import Rag
    from mentions.normalise import index_text
    from mentions.query import Query, QueryError, parse, predicate
    from mentions.stores import open_store
    from mentions.stores.elastic_match import to_dsl
    from mentions.watchlists import Matcher, Watchlist, is_matchable
    from tests.contracts.store_cases import judged, said

PIECES = """police|"|(|)| AND | OR | NOT |*|~3|#s60|@met|rag:|red|date:[|]| TO |now-1d|sentiment:|-0.3|👮|'|NEAR/5|{|}|
:|platform:forum|é|-|\\| """.replace("\n", "").split("|")
TEXTS = ("police at @met #s60", "a 👮 police-man's café", "", "red AND (now", "polices 'n so on", "NEAR 5 date")
HELD = [judged(said(n, text), rag=Rag.RED if n % 2 else Rag.NONE) for n, text in enumerate(TEXTS)]


def main() -> None:
    """Until told to stop; whatever breaks is printed and ends it."""
    store = open_store(f"sqlite:{tempfile.mkdtemp()}/mentions.db")
    store.save(HELD)

    def one(data: bytes) -> None:
        given = atheris.FuzzedDataProvider(data)
        if given.ConsumeBool():
            text = given.ConsumeUnicode(200)
        else:
            text = "".join(given.PickValueInList(PIECES) for _ in range(given.ConsumeIntInRange(0, 30)))
        query: Query | None = None
        place = 0
        try:
            query = parse(text)
        except QueryError as refused:
            place = refused.position
        assert 0 <= place <= len(text), text
        if query is None:
            return
        holds = predicate(query)
        wanted = {each.mention.id for each in HELD if holds(each)}
        assert {each.mention.id for each in store.search(query)} == wanted, (text, query)
        assert store.count(query) == len(wanted), (text, query)
        json.dumps(to_dsl(query))
        if is_matchable(query):
            matcher = Matcher([Watchlist("w", query)])
            found = {
                each.mention.id
                for each in HELD
                if matcher.match(index_text(each.mention.words), fact_facets(each.mention))
            }
            assert found == wanted, (text, query)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
