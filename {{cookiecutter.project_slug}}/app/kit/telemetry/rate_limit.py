"""Count the requests that the rate limit refuses."""

from opentelemetry.metrics import Meter

from app.kit.rate_limit.policy import Limiter, LimitStatus, Rule


class MeasuredLimiter:
    """Counts refusals, by the name of the rule."""

    def __init__(self, meter: Meter, limiter: Limiter) -> None:
        self._limiter = limiter
        self._refused = meter.create_counter(
            "rate_limit.refused", "{request}", "Requests that a rule has refused."
        )

    async def count(self, rule: Rule, client: str) -> LimitStatus:
        """Count a request, unless the rule rejects it."""
        status = await self._limiter.count(rule, client)
        if not status.is_allowed:
            self._refused.add(1, {"rate_limit.rule": rule.name})
        return status
