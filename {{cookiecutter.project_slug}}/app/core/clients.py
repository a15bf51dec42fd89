"""Settings of the clients: the addresses of other services."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from app.kit.settings import split_commas
from app.kit.upstream.settings import BaseUrl, UpstreamSettings


def check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names; raise ``ValueError`` if one is repeated."""
    if len(set(names)) < len(names):
        raise ValueError("must not repeat a source")
    return names


SourceName = Annotated[str, StringConstraints(pattern=r"^\w+$")]
SourceNames = Annotated[
    tuple[SourceName, ...],
    BeforeValidator(split_commas),
    Field(min_length=1),
    AfterValidator(check_distinct),
]


class ClientSettings(UpstreamSettings):
    """Where ideas, weather and news come from."""

    ideas_base_url: BaseUrl = "https://www.reddit.com"
    ideas_sources: SourceNames = ("recipes", "easyrecipes", "TopSecretRecipes")
    # Reddit refuses the default names of HTTP libraries.
    ideas_user_agent: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = "recipe-ideas/0.1"
    weather_base_url: BaseUrl = "https://wttr.in"
    news_base_url: BaseUrl = "https://hn.algolia.com"
