import pytest

from infra.redact import LABEL_CHARACTERS, label, redact


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://a.example/x.mp4", "https://a.example/x.mp4"),
        ("https://me:pw@a.example/x.mp4", "https://a.example/x.mp4"),
        ("https://me@a.example/x.mp4", "https://a.example/x.mp4"),
        ("https://a@b:c@d.example/x", "https://d.example/x"),
        ("//me:pw@a.example/x", "//a.example/x"),
        ("https://a.example/@me/x.mp4", "https://a.example/@me/x.mp4"),
        ("https://a.example/x?v=1&w=2", "https://a.example/x?v=1&w=2"),
        ("https://a.example/x?sig=S&v=1", "https://a.example/x?sig=***&v=1"),
        ("https://a.example/x?v=1;token=S", "https://a.example/x?v=1;token=***"),
        ("https://a.example/x?X-Amz-Signature=S", "https://a.example/x?X-Amz-Signature=***"),
        ("https://a.example/x?X-Amz-Credential=S", "https://a.example/x?X-Amz-Credential=***"),
        ("https://a.example/x?x-goog-signature=S", "https://a.example/x?x-goog-signature=***"),
        ("https://a.example/x?AWSAccessKeyId=S", "https://a.example/x?AWSAccessKeyId=***"),
        ("https://a.example/x?Key-Pair-Id=S", "https://a.example/x?Key-Pair-Id=***"),
        ("https://a.example/x?access_token=S", "https://a.example/x?access_token=***"),
        ("https://a.example/x?api_key=S", "https://a.example/x?api_key=***"),
        ("https://a.example/x?PassWord=S", "https://a.example/x?PassWord=***"),
        ("https://a.example/x?%74oken=S", "https://a.example/x?%74oken=***"),
        ("https://a.example/x?token=", "https://a.example/x?token="),
        ("https://a.example/x?token=a=b", "https://a.example/x?token=***"),
        ("https://a.example/x#access_token=S", "https://a.example/x#access_token=***"),
        ("https://[bad/x?token=S", "https://[bad/x"),
        ("/media/a?sig=1.mp4", "/media/a?sig=***"),
        ("/media/plain file.mp4", "/media/plain file.mp4"),
    ],
)
def test_what_is_shown_of_an_address(uri: str, shown: str) -> None:
    assert redact(uri) == shown


def test_redacting_twice_changes_nothing() -> None:
    once = redact("https://me:pw@a.example/x?sig=S&v=1")
    assert redact(once) == once


def test_a_label_keeps_the_host_and_the_name_of_the_file() -> None:
    short = label(f"https://u:p@cdn.example/{'deep/' * 40}video.mp4?sig=S")
    assert len(short) == LABEL_CHARACTERS
    assert short.startswith("https://cdn.example/")
    assert short.endswith("video.mp4?sig=***")
    assert label("https://a.example/x") == "https://a.example/x"
