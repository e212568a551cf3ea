"""Whether enough is heard to say that there is nothing, as the pages tell it."""

from __future__ import annotations

from config.strategy import borough_names
from dashboard.reading import Books, Moment, read_blindness, read_sources
from dashboard.wording import count_of, tell_age, tell_span
from mentions.allowances import ALLOWANCES_NOTE, Account, accounts_of, from_note, periods_of
from mentions.coverage import PAST, WEEK, Coverage, SourceCoverage, weigh_coverage
from mentions.reach import REACH_NOTE, Reach, name_of
from mentions.records import SourceGap


def read_coverage(books: Books, moment: Moment) -> Coverage:
    """How each source does against its past; at most a minute old."""
    return books.coverage.get("coverage", lambda: _read(books, moment))


def _read(books: Books, moment: Moment) -> Coverage:
    now = moment.now
    return weigh_coverage(
        read_sources(books.state, now),
        books.store.tallies_by_source(now - PAST, now),
        books.state.gaps(now - WEEK),
        books.state.arrivals((now - WEEK).date()),
        books.state.counted(now - WEEK),
        read_reach(books),
        tuple(borough_names()),
        now,
    )


def read_reach(books: Books) -> Reach:
    """What the daemon says can be reached."""
    return Reach.from_text(books.state.get(REACH_NOTE))


def read_accounts(books: Books, moment: Moment) -> list[Account]:
    """What kinds have spent, by the daemon's allowances; days are the wall clock's, as money is."""
    allowances = from_note(books.state.get(ALLOWANCES_NOTE))
    return accounts_of(allowances, books.state.spent(periods_of(allowances, moment.wall)), moment.wall)


def tell_nothing(books: Books, moment: Moment, claim: str) -> str:
    """That there is nothing, where enough is heard to say so; otherwise that nobody can tell, and why."""
    if blind := read_blindness(books.state, moment):
        return f"Cannot tell: {blind}."
    coverage = read_coverage(books, moment)
    return claim if coverage.adequate else f"Cannot tell: {coverage.reason}. See Sources."


def coverage_row(each: SourceCoverage, moment: Moment) -> dict[str, object]:
    """One line of the coverage table."""
    last = each.gaps[0] if each.gaps else None
    return {
        "Source": each.source,
        "Coverage": each.verdict,
        "Seen": each.seen,
        "Usual": "not known yet" if each.expected is None else f"about {each.expected:,.0f}",
        "In the last": tell_span(each.window),
        "Platform counted, 24 h": "" if each.counted is None else f"{each.counted:,}",
        "New this week": each.arrived,
        "Of them late": each.late,
        "Gaps this week": len(each.gaps),
        "Last gap": tell_gap(last, moment) if last else "",
    }


def tell_gap(gap: SourceGap, moment: Moment) -> str:
    """When and why posts may have been missed."""
    return f"{tell_age(gap.at, moment.now)}: {gap.why}"


def account_row(account: Account) -> dict[str, object]:
    """One line of the table of budgets."""
    kind = name_of(account.kind)
    return {
        "Platform": f"{kind}, {account.bucket}" if account.bucket else kind,
        "Today": tell_spent(account.calls_today, account.dollars_today, account.calls_per_day, account.dollars_per_day),
        "This month": ""
        if account.bucket
        else tell_spent(
            account.calls_this_month,
            account.dollars_this_month,
            account.calls_per_month,
            account.dollars_per_month,
        ),
        "Left": tell_left(account),
        "Kept for re-checks": f"{account.reserve:.0%}" if account.reserve else "",
    }


def tell_spent(calls: int, dollars: float, most_calls: int | None, most_dollars: float | None) -> str:
    """Calls and money, each with its most where there is one."""
    told = [f"{calls:,} of {most_calls:,} calls" if most_calls is not None else count_of(calls, "call")]
    if most_dollars is not None:
        told.append(f"${dollars:,.2f} of ${most_dollars:,.2f}")
    elif dollars:
        told.append(f"${dollars:,.2f}")
    return ", ".join(told)


def tell_left(account: Account) -> str:
    """What may still be spent today."""
    calls, dollars = account.calls_left, account.dollars_left
    told = [f"{calls:,} calls"] if calls is not None else []
    told += [f"${dollars:,.2f}"] if dollars is not None else []
    return ", ".join(told) or "no limit set"
