"""The page that people see."""

from html import unescape

from fastapi.testclient import TestClient

from app.core.about import ABOUT


def test_page_lists_recipes_and_trusts_none(client: TestClient) -> None:
    recipe = {"label": "<script>", "source": "Ada & co", "url": "https://example.com/?a=1&b=2"}
    # {% if cookiecutter.auth %}
    client.post("/api/v1/recipes/", json=recipe)
    # {% else %}
    user = client.post("/api/v1/users/", json={"name": "Ada", "email": "ada@example.com"}).json()
    client.post("/api/v1/recipes/", json=recipe | {"submitter_id": user["id"]})
    # {% endif %}
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;" in page.text
    assert "Ada &amp; co" in page.text
    assert 'href="https://example.com/?a=1&amp;b=2"' in page.text
    assert "<script" not in page.text


def test_page_tells_what_the_service_is(client: TestClient) -> None:
    page = unescape(client.get("/").text)
    assert f"<title>{ABOUT.title}</title>" in page
    assert all(feature in page for feature in ABOUT.features)
    assert 'href="/docs"' in page


def test_page_gets_its_style_from_here_and_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert 'href="/static/style.css"' in page.text
    assert client.get("/static/style.css").headers["content-type"].startswith("text/css")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "//" not in page.text.replace("http://www.w3.org", "")
