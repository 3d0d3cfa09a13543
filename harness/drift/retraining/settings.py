"""What an answer to drift goes by: how long each phase lasts, and what each gate tolerates."""

from dataclasses import dataclass

from streams.labels import NS_PER_DAY


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Days are of event time.

    A phase is judged once it has lasted `shadow_days` or `canary_days`; `canary_share` of the cards are the canary's.
    The backtest is of the last `backtest_days` that are labelled, the stability of the last `recent_days` that were
    decided. An attempt that was stopped is made again after `again_days`, when more labels have arrived, at most
    `attempts_max` times for one drift. What was learnt from the first labels of something new is learnt again
    `again_days` after the candidate was given everything, `renewals_max` times.

    `rank_loss_max`: how much precision@K and PR-AUC may be lower, relative to the champion's. `psi_max`: the
    convention's alarm. `latency_ratio_max`: times the champion's median. `segment_chance_max`: a segment is worse off
    when its frauds were lost by less than this chance. `alert_ratio_max`: times the champion's alerts on the same
    events, or that part of them. `agreement_min`: rank correlation of both models' scores; `answered_min`: share of
    events that a candidate must score. With fewer than `frauds_min` frauds or `events_min` events nothing is shown.
    """

    shadow_days: float = 2.0
    canary_days: float = 2.0
    canary_share: float = 0.05
    backtest_days: float = 7.0
    recent_days: float = 7.0
    again_days: float = 7.0
    attempts_max: int = 4
    renewals_max: int = 1
    rank_loss_max: float = 0.1
    psi_max: float = 0.25
    latency_ratio_max: float = 1.5
    segment_chance_max: float = 0.01
    alert_ratio_max: float = 3.0
    agreement_min: float = 0.3
    answered_min: float = 0.99
    frauds_min: int = 10
    events_min: int = 200

    @property
    def backtest_ns(self) -> int:
        """Length of the backtest."""
        return round(self.backtest_days * NS_PER_DAY)

    @property
    def recent_ns(self) -> int:
        """Length of what stability is judged by."""
        return round(self.recent_days * NS_PER_DAY)
