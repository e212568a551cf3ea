import pytest

from listener.domains import registrable_domain


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news/uk-1", "bbc.co.uk"),
        ("http://feeds.bbci.co.uk/news/rss.xml", "bbci.co.uk"),
        ("https://www.bbc.com/news", "bbc.co.uk"),
        ("https://www.theguardian.com/uk-news", "theguardian.com"),
        ("https://news.met.police.uk/news/x", "met.police.uk"),
        ("http://clapham-omnibus.blogspot.com/2011/06/q.html", "clapham-omnibus.blogspot.com"),
        ("http://clapham-omnibus.blogspot.co.uk/2011", "clapham-omnibus.blogspot.co.uk"),
        ("https://user:pw@WWW.Example.ORG.uk:8443/a?b=http://evil.com/", "example.org.uk"),
        ("eastdulwichforum.co.uk", "eastdulwichforum.co.uk"),
        ("//cdn.example.com/a", "example.com"),
        ("http://127.0.0.1:8080/x", "127.0.0.1"),
        ("http://[::1]:80/x", "::1"),
        ("http://localhost/x", "localhost"),
        ("https://example.com./x", "example.com"),
        ("https://co.uk/", "co.uk"),
        ("", ""),
        ("not a link", ""),
    ],
)
def test_a_link_leads_to_the_name_somebody_registered(url: str, domain: str) -> None:
    assert registrable_domain(url) == domain
