"""What kinds of sources have spent of their budgets: one account for each kind, bucket and period."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mentions.records import Charge, Spent
from mentions.sqlstate.schema import spending


class Passed(Exception):
    """A charge would pass its most; `place` is where it stands in the list."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def spend(connection: Connection, kind: str, charges: Sequence[Charge]) -> None:
    """All of them, or `Passed`, which undoes the caller's transaction. Accounts are taken in one order by everybody, so
    that no two wait for each other."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for place, charge in sorted(enumerate(charges), key=lambda each: (each[1].bucket, each[1].period)):
        account = {"kind": kind, "bucket": charge.bucket, "period": charge.period}
        connection.execute(insert(spending).values(**account, calls=0, money=0).on_conflict_do_nothing())
        calls, money = spending.c.calls + charge.calls, spending.c.money + charge.money
        which = [spending.c[name] == value for name, value in account.items()]
        if charge.most_calls is not None and charge.calls > 0:
            which.append(calls <= charge.most_calls)
        if charge.most_money is not None and charge.money > 0:
            which.append(money <= charge.most_money)
        values = {"calls": case((calls < 0, 0), else_=calls), "money": case((money < 0, 0), else_=money)}
        if not connection.execute(update(spending).where(*which).values(**values)).rowcount:
            raise Passed(place)


def spent(connection: Connection, periods: Sequence[str]) -> list[Spent]:
    """By kind, bucket and period."""
    order = (spending.c.kind, spending.c.bucket, spending.c.period)
    found = connection.execute(select(spending).where(spending.c.period.in_(periods)).order_by(*order))
    return [Spent(**row._mapping) for row in found]
