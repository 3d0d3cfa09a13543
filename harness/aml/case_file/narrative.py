"""A draft of the report of suspicious activity: who, what, when, where, how, and why suspicious, from facts alone."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.aml.case_file.facts import CaseFacts, Held, Moved, typology_words
from harness.aml.case_file.money import spoken_money, spoken_sums
from harness.report.words import count, share, spoken
from streams.decision import Reason
from streams.labels import NS_PER_DAY, NS_PER_HOUR, NS_PER_S

NAMED_MAX = 8


@dataclass(frozen=True, slots=True)
class Section:
    """One question of the report and the sentences that answer it."""

    question: str
    sentences: list[str]


def narrate(case: CaseFacts) -> list[Section]:
    """The six sections, in order."""
    return [
        Section("Who", _who(case)),
        Section("What", _what(case)),
        Section("When", _when(case)),
        Section("Where", _where(case)),
        Section("How", _how(case)),
        Section("Why suspicious", _why(case)),
    ]


def spoken_time(time_ns: int) -> str:
    """An event time to the minute, UTC."""
    return dt.datetime.fromtimestamp(time_ns // NS_PER_S, dt.UTC).strftime("%Y-%m-%d %H:%M")


def spoken_day(time_ns: int) -> str:
    """An event time's day, UTC."""
    return spoken_time(time_ns)[:10]


def spoken_span(span_ns: int) -> str:
    """How long something took: minutes, hours or days."""
    if span_ns < 2 * NS_PER_HOUR:
        return f"{round(span_ns / NS_PER_HOUR * 60)} minutes"
    if span_ns < 2 * NS_PER_DAY:
        return f"{span_ns / NS_PER_HOUR:.0f} hours"
    return f"{span_ns / NS_PER_DAY:.1f} days"


def _who(case: CaseFacts) -> list[str]:
    first = case.accounts[0]
    traits = [f"risk rating {first.risk_rating} of 3"]
    if any(held.is_pep for held in case.accounts):
        traits.append("politically exposed person")
    sentences = [
        f"Customer {case.alert.customer_id}, a {first.kind} ({spoken(first.segment)}), {', '.join(traits)}.",
        *(_account(held) for held in case.accounts[:NAMED_MAX]),
    ]
    if len(case.accounts) > NAMED_MAX:
        sentences.append(f"{len(case.accounts) - NAMED_MAX} further accounts of the customer are not listed.")
    others = case.counterparties
    if others:
        named = _listed(others)
        noun = "counterparty is" if len(others) == 1 else "counterparties are"
        sentences.append(f"{len(others)} {noun} customers too: {named}.")
    return sentences


def _account(held: Held) -> str:
    opened = f"opened {spoken_day(held.opened_at_ns)}" if held.opened_at_ns > 0 else "opening date not known"
    declared = (
        f"declared monthly volume {spoken_money(held.expected_monthly_minor, held.currency)}"
        if held.expected_monthly_minor > 0
        else "no volume declared"
    )
    return f"Account {held.account_id} at bank {held.bank_id}, {opened}, {declared}."


def _what(case: CaseFacts) -> list[str]:
    sentences = [f"{len(case.transfers)} transfers speak for the alert."]
    for moved, words in ((case.received, "received"), (case.sent, "sent")):
        if moved:
            sentences.append(
                f"The customer {words} {spoken_sums(case.sums(moved))} in {_times(len(moved), 'transfer')} "
                f"({_channels(moved)})."
            )
    if case.others:
        sentences.append(
            f"{_times(len(case.others), 'transfer')} of {spoken_sums(case.sums(case.others))} went between other "
            "accounts, or between the customer's own."
        )
    if case.transfers:
        largest = max(case.transfers, key=lambda one: one.amount_minor)
        if len({one.currency for one in case.transfers}) == 1:
            amount = spoken_money(largest.amount_minor, largest.currency)
            sentences.append(f"The largest is {amount} on {spoken_day(largest.time_ns)}.")
    if case.missing:
        sentences.append(f"{_times(case.missing, 'transfer')} named by the alert could not be found and is not shown.")
    return sentences


def _when(case: CaseFacts) -> list[str]:
    alert = case.alert
    sentences = [
        f"The alert was raised at {spoken_time(alert.event_time_ns)} UTC for the time from "
        f"{spoken_time(alert.window_from_ns)} to {spoken_time(alert.window_to_ns)} UTC."
    ]
    if case.transfers:
        first, last = case.transfers[0].time_ns, case.transfers[-1].time_ns
        sentences.append(
            f"The transfers took place between {spoken_time(first)} and {spoken_time(last)} UTC, within "
            f"{spoken_span(last - first)}."
        )
    return sentences


def _where(case: CaseFacts) -> list[str]:
    sentences = [f"The alert's account is held in {case.market_name} ({case.market_code})."]
    abroad = [code for code in case.countries if code != case.market_code]
    if abroad:
        sentences.append(f"Countries named by the transfers beside it: {', '.join(abroad)}.")
    elif case.countries:
        sentences.append("The transfers name no other country.")
    else:
        sentences.append("The transfers name no country.")
    outside = sum(one.from_account is None or one.to_account is None for one in case.transfers)
    if outside:
        sentences.append(f"Of {_times(outside, 'transfer')} one side is outside the accounts known.")
    return sentences


def _how(case: CaseFacts) -> list[str]:
    name = case.alert.typology
    sentences = [f"Typology: {spoken(name)}. {typology_words().get(name, '')}".strip()]
    senders = {one.from_account or spoken(one.channel) for one in case.received}
    receivers = {one.to_account or spoken(one.channel) for one in case.sent}
    if senders:
        sentences.append(f"Money came from {_times(len(senders), 'source')}: {_listed(sorted(senders))}.")
    if receivers:
        sentences.append(f"Money went to {_times(len(receivers), 'destination')}: {_listed(sorted(receivers))}.")
    sentences += _passed_on(case)
    cash = [one for one in case.transfers if one.channel in ("cash_in", "cash_out")]
    if cash:
        sentences.append(f"{_times(len(cash), 'transfer')} of {spoken_sums(case.sums(cash))} in cash.")
    return sentences


def _passed_on(case: CaseFacts) -> list[str]:
    """How much of what came in went out again, where both were in one currency, and how soon after."""
    came, went = case.sums(case.received), case.sums(case.sent)
    if len(came) != 1 or set(came) != set(went):
        return []
    (currency,) = came
    if came[currency] == 0:
        return []
    sentences = [f"What left is {share(went[currency] / came[currency], 0)} of what came in."]
    first_in = case.received[0].time_ns
    after = [one.time_ns for one in case.sent if one.time_ns >= first_in]
    if after:
        sentences.append(f"The first transfer out followed the first one in after {spoken_span(after[0] - first_in)}.")
    return sentences


def _why(case: CaseFacts) -> list[str]:
    rank = f", place {case.alerted.rank} on that day's worklist" if case.alerted.rank else ""
    sentences = [f"Score {case.alerted.score:.3f} of 1{rank}; the typology's own score is {case.alert.score:.3f}."]
    sentences += [_reason(reason) for reason in case.alert.reasons]
    sentences += [_reason(reason) for reason in case.alerted.contributions]
    sentences += _against_declared(case)
    return sentences


def _reason(reason: Reason) -> str:
    text = reason.text[:1].upper() + reason.text[1:]
    if reason.kind == "rule":
        return f"Rule {reason.code}: {text}."
    if reason.contribution is None:
        return f"{text}."
    direction = "raises" if reason.contribution >= 0 else "lowers"
    return f"{text} ({direction} the model's log-odds by {abs(reason.contribution):.2f})."


def _against_declared(case: CaseFacts) -> list[str]:
    """The evidence of each of the customer's accounts beside what was declared for a month."""
    found = []
    for held in case.accounts:
        mine = [
            one
            for one in case.transfers
            if held.account_id in (one.from_account, one.to_account) and one.currency == held.currency
        ]
        moved = sum(one.amount_minor for one in mine)
        if held.expected_monthly_minor > 0 and moved > held.expected_monthly_minor:
            span = spoken_span(mine[-1].time_ns - mine[0].time_ns)
            found.append(
                f"These transfers moved {spoken_money(moved, held.currency)} over account {held.account_id} within "
                f"{span}: {moved / held.expected_monthly_minor:,.1f} times the volume declared for a month."
            )
    return found


def _channels(moved: Sequence[Moved]) -> str:
    counted = Counter(one.channel for one in moved)
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{times} {spoken(channel)}" for channel, times in ordered)


def _times(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
