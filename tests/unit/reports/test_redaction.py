"""Whatever a secret stands in, it is taken out; what is none stays as it is."""

import json
import string
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reports.redaction import redact, secret_values

# What passwords and tokens are made of, without what ends a value where it is not quoted.
_PLAIN = string.ascii_letters + string.digits + "-_.~!$*+,;:=/|^%#?()[]{}@"
secrets = st.text(_PLAIN, min_size=8, max_size=60).filter(lambda text: not text.startswith(("[", "None", "null")))
# In a URL, where some of them end the user and the password.
passwords = st.text("".join(set(_PLAIN) - set("/@")), min_size=8, max_size=60)
tokens = st.text(string.ascii_letters + string.digits + "-._~+/", min_size=19, max_size=80).map(
    lambda text: f"{text}1="
)
names = st.sampled_from(
    [
        *("password", "db_password", "PGPASSWORD", "passwd", "token", "access_token", "X-Auth-Token", "accessToken"),
        *("client_secret", "AWS_SECRET_ACCESS_KEY", "api_key", "apikey", "X-Api-Key", "private_key", "credential"),
    ]
)


def gone(secret: str, text: str) -> None:
    """Assert that nothing of a secret is left in a text that had it, and that what stood around it is."""
    assert secret in text
    redacted = redact(text)
    assert secret not in redacted
    assert "[redacted]" in redacted
    for half in (secret[: len(secret) // 2], secret[len(secret) // 2 :]):
        assert len(half) < 4 or half not in redacted.replace("[redacted]", ""), redacted


_CALLED = [
    "{name}={secret}",
    "{name}: {secret}",
    "the {name}={secret} was refused",
    "GET /path?{name}={secret}&page=2",
    "run --{name}={secret} now",
    "run --{name} {secret} now",
    "{name} => {secret}",
    "Client({name}='{secret}', host='x')",
    'Client({name}="{secret}", host="x")',
    "{{'{name}': '{secret}', 'x': 1}}",
    "{{b'{name}': b'{secret}'}}",
    "[(b'{name}', b'{secret}')]",
    "[('{name}', '{secret}')]",
    '"{{\\"{name}\\": \\"{secret}\\"}}"',
    "{{\n  '{name}' : '{secret}'\n}}",
]


@settings(max_examples=500)
@given(text=st.sampled_from(_CALLED), name=names, secret=secrets)
def test_what_is_called_a_secret(text, name, secret):
    gone(secret, text.format(name=name, secret=secret))


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("{'password': ['hunter2']}", "{'password': ['[redacted]']}"),
        ("{'Authorization': ['Token abcdef']}", "{'Authorization': ['[redacted]']}"),
        ("Authorization: ['Token abcdef']", "Authorization: ['[redacted]']"),
        ('{"api_key": ["abc123"]}', '{"api_key": ["[redacted]"]}'),
        ('{"api_key": [\n    "abc123"\n]}', '{"api_key": [\n    "[redacted]"\n]}'),
        ("password=SecretStr('x')", "password=SecretStr('[redacted]')"),
        ("password=[SecretStr('x')]", "password=[SecretStr('[redacted]')]"),
        ("{'password': ['x', 'y'], 'n': 1}", "{'password': ['[redacted]', '[redacted]'], 'n': 1}"),
        (
            '{"credentials": {"user": "x", "more": ["y", {"z": null}]}, "n": 1}',
            '{"credentials": {"user": "[redacted]", "more": ["[redacted]", {"z": null}]}, "n": 1}',
        ),
        ('{"api_key": [\n  "x",\n  "y"\n], "n": 1}', '{"api_key": [\n  "[redacted]",\n  "[redacted]"\n], "n": 1}'),
        ("Client(password=Pair(a='x', b='y'), n=1)", "Client(password=Pair(a='[redacted]', b='[redacted]'), n=1)"),
        ("{'Cookie': ('x', 'y')}", "{'Cookie': ('[redacted]', '[redacted]')}"),
        ("[('token', ['x', 'y'])]", "[('token', ['[redacted]', '[redacted]'])]"),
        ("tokens are read by: token = read(path,\n  other\n", "tokens are read by: token = [redacted]\n  other\n"),
        ("password=f'x' token=rb\"y\"", "password=f'[redacted]' token=rb\"[redacted]\""),
        ("password=('x',)", "password=('[redacted]',)"),
        ("run --password 'x' now", "run --password '[redacted]' now"),
        ('password="""x"""', 'password="""[redacted]"""'),
        ("/path?next=a%3Ftoken%3Dx", "/path?next=a%3Ftoken%3D[redacted]"),
        ("\"[(b'X-Api-Key', b'k')]\"", "\"[(b'X-Api-Key', b'[redacted]')]\""),
        ("curl -H 'X-Api-Key: abc123' host", "curl -H 'X-Api-Key: [redacted]' host"),
        ("DB_PASS=x SMTP_PASS: y", "DB_PASS=[redacted] SMTP_PASS: [redacted]"),
        ("PASS=x", "PASS=[redacted]"),
        ("Client(pass='x', passcode=1234)", "Client(pass='[redacted]', passcode=[redacted]"),
        ("/blob?sig=abc&x=1", "/blob?sig=[redacted]&x=1"),
        ("session_key=abc, sessionkey: 'x'", "session_key=[redacted] sessionkey: '[redacted]'"),
        ("SENTRY_DSN=https://abc123@sentry.example/1", "SENTRY_DSN=https://[redacted]@sentry.example/1"),
    ],
)
def test_nothing_of_it_slips_through(text, redacted):
    assert redact(text) == redacted


@given(name=names, secret=st.text(min_size=8, max_size=40).filter(lambda text: text.strip() and "[" not in text))
@example(name="password", secret='a "quoted" one')
@example(name="password", secret="a back\\slash")
@example(name="token", secret="two\nlines\\")
def test_json_keeps_its_form(name, secret):
    document = {"before": 1, name: secret, "after": [2]}

    redacted = json.loads(redact(json.dumps(document)))

    assert redacted == {"before": 1, name: "[redacted]", "after": [2]}


_LEAVES = st.text("".join(set(string.printable) - set("[]")), min_size=8, max_size=30).filter(str.strip)
_NESTS = st.recursive(
    _LEAVES | st.integers(10**7),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, min_size=1),
    max_leaves=12,
).filter(lambda nest: isinstance(nest, list | dict))


def leaves_of(nest):
    if isinstance(nest, list | dict):
        return [leaf for inner in (nest.values() if isinstance(nest, dict) else nest) for leaf in leaves_of(inner)]
    return [nest]


# repr in a JSON string is left out: a quotation mark that both have escaped may as well be a backslash before the end.
_FORMS = [(form, escaped) for form in (json.dumps, partial(json.dumps, indent=2)) for escaped in (False, True)]


@settings(max_examples=500)
@given(name=names, nest=_NESTS, written=st.sampled_from([*_FORMS, (repr, False)]))
def test_whatever_is_within_what_is_called_a_secret(name, nest, written):
    """A list of secrets, and objects with names of their own: each of them goes, and what stands beside them stays."""
    form, escaped = written
    text = form({"before": 1, name: nest, "after": "it"})
    redacted = redact(json.dumps(text) if escaped else text)
    for leaf in map(str, leaves_of(nest)):
        assert form(leaf)[1:-1] not in redacted
    assert "before" in redacted
    assert "after" in redacted
    if not escaped and form is not repr and all(isinstance(leaf, str) for leaf in leaves_of(nest)):
        assert set(leaves_of(json.loads(redacted)[name])) == {"[redacted]"}
        assert json.loads(redacted)["after"] == "it"


_HEADERS = [
    "Authorization: {scheme} {token}",
    "authorization={scheme} {token}",
    "Proxy-Authorization: {scheme} {token}",
    "{{'Authorization': '{scheme} {token}'}}",
    '{{"authorization": "{scheme} {token}"}}',
    "[(b'authorization', b'{scheme} {token}')]",
    "curl -H 'Authorization: {scheme} {token}' https://host",
]


@settings(max_examples=500)
@given(
    text=st.sampled_from(_HEADERS),
    scheme=st.sampled_from(["Bearer", "bearer", "Basic", "Token", "ApiKey", "AWS4-HMAC-SHA256"]),
    token=tokens,
)
def test_headers_that_authorize(text, scheme, token):
    gone(token, text.format(scheme=scheme, token=token))


@given(scheme=st.sampled_from(["Bearer", "bearer", "Basic"]), token=tokens)
def test_a_bearer_s_token_without_its_header(scheme, token):
    gone(token, f"sent {scheme} {token} to the host")


@given(token=tokens)
def test_cookies(token):
    gone(token, f"Set-Cookie: theme=dark; sessionid={token}; Path=/")
    gone(token, f"{{'Cookie': 'theme=dark; sessionid={token}'}}")


@given(
    scheme=st.sampled_from(["https", "postgres", "redis", "amqps", "postgresql+psycopg"]),
    user=st.sampled_from(["", "ada", "ada.lovelace"]),
    password=passwords,
)
def test_the_password_of_a_url(scheme, user, password):
    gone(password, f"cannot reach {scheme}://{user}:{password}@host:5432/name at all")
    assert redact(f"<{scheme}://{user}:{password}@host/name>") == f"<{scheme}://[redacted]@host/name>"


@given(password=st.text(string.ascii_letters + "/#?:", min_size=8, max_size=40))
def test_the_password_of_a_url_that_should_have_been_quoted(password):
    assert redact(f"redis://:{password}@host") == "redis://[redacted]@host"


@given(
    st.text("0123456789abcdef", min_size=64, max_size=64), st.text("ab_.-", max_size=5), st.text("xy_.-", max_size=5)
)
def test_a_token_of_this_service(digits, before, after):
    gone(f"aat_{digits}", f"{before}aat_{digits}{after}")


@pytest.mark.parametrize(
    "token",
    [
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11AAAAAAA0123456789abc_ABCDEFGHIJ",
        "glpat-0123456789abcdefghij",
        "xoxb-123456789012-abcdefghijkl",
        "sk_live_0123456789abcdef",
        "sk-proj-0123456789abcdef",
        "AKIA0123456789ABCDEF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
def test_tokens_that_are_known_by_how_they_begin(token):
    gone(token, f"refused ({token}).")


def test_private_keys():
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabcd\n-----END RSA PRIVATE KEY-----"
    assert redact(f"a {key} b {key}") == "a [redacted] b [redacted]"
    assert redact("a -----BEGIN PRIVATE KEY-----\nMIIEow\nab") == "a [redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "No customer cus_ada.",
        "01a20b65-7b60-75c0-9f81-2ed74f00c786 is pending",
        'File "/app/services/tokens.py", line 12, in read_token\n    token = read(path)'.replace(
            "token = read(path)", "x"
        ),
        "Basic authentication is required.",
        "The token has expired. The password is wrong.",
        "A bearer token, or basic credentials",
        "https://example.com:8000/path?page=2#top",
        "https://example.com/@ada",
        "ada@example.com wrote to bob@example.com",
        "tokens: 12, max_tokens=100, secretary: Bob",
        "token=None, password: null, secret=None)",
        "Task tasks.sync[01a2] raised unexpected: KeyError('EUR')",
        "risk-free desk-lamp-with-a-very-long-name",
        "SELECT id FROM reports WHERE key = 'a'",
        "bypass=1, compass: 12, 'signal': 'SIGTERM', design='flat', pass, 3 passed; assigned=4",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


@given(st.text())
@example("password=x")
@example("password='x' token=\"y")
@example("Authorization: Bearer abc def")
@example("://a:b@c://d@e")
@example("password=[a, b] c")
@example("{password: {user: ada, pass: x}} said")
@example("token: [1, {'a': (b, 'c'")
def test_to_redact_again_changes_nothing(text):
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "://",
            "a:b@",
            "password",
            "password=",
            "token='",
            "\\",
            "-----BEGIN PRIVATE KEY-----",
            "eyJaaaaa.",
            "bearer ",
        ),
        *(
            "-",
            "-eyJ-----",
            "--token",
            "--token ",
            "--",
            " --a",
            "token=[",
            "token=(a",
            "token=[ ",
            "pass=b",
            "sk-",
            "xoxb-",
        ),
        *(
            "token%3d",
            "authorization: ",
            "cookie=[",
            "token" + " " * 5,
            "_pass",
            "aat_",
            "ghp_",
            "://a:",
            '"""',
            "token=a",
        ),
    ],
)
def test_no_text_takes_long(unit):
    # A hint of every rule, so that each of them looks at it.
    redact(
        "password bearer eyj :// cookie " + unit * (200_000 // len(unit))
    )  # this would take minutes, and so the test's time-out, were it quadratic


class TestValues:
    def test_a_value_of_the_environment_is_taken_out_wherever_it_stands(self, settings):
        settings.REDACTED_VALUES = secret_values({"SHOP_API_KEY": "sand/box-key"})

        assert redact("the key sand/box-key, quoted sand%2Fbox-key") == "the key [redacted], quoted [redacted]"

    def test_they_are_known_by_the_names_of_their_variables(self):
        environment = {
            "SECRET_KEY": "first-secret",
            "SHOP_PASSWORD": "second-secret",
            "shop_token": "third-secret",
            "DATABASE_URL": "postgres://ada:fourth-secret@host/name",
            "PROXIES": "http://a:fifth%2Dsecret@one,http://b:sixth-secret@two",
            "PWD": "/home/ada/project",
            "OLDPWD": "/home/ada/project",
            "TOKEN_CACHE_SECONDS": "10.00000000",
            "HOSTS": "first-host.example",
            "DB_PASS": "seventh-secret",
            "PASS": "eighth-secret",
            "SENTRY_DSN": "https://0123abcd@sentry.example/1",
            "BYPASS": "bypass-12345",
            "COMPASS": "compass-12345",
            "DESIGN": "design-12345",
        }

        assert set(secret_values(environment)) >= {
            *("first-secret", "second-secret", "third-secret", "fourth-secret", "fifth-secret", "fifth%2Dsecret"),
            *("seventh-secret", "eighth-secret", "0123abcd"),
        }
        for harmless in (
            "/home/ada/project",
            "10.00000000",
            "first-host.example",
            "bypass-12345",
            "compass-12345",
            "design-12345",
        ):
            assert harmless not in secret_values(environment)

    @pytest.mark.parametrize("value", ["", "1234567", "postgres", "development"])
    def test_what_stands_in_harmless_text_as_well_is_left_out(self, value):
        assert secret_values({"PASSWORD": value, "URL": f"redis://:{value}@host"}) == ()

    def test_the_longest_first_so_that_nothing_of_it_is_left(self, settings):
        settings.REDACTED_VALUES = secret_values({"A_KEY": "12345678", "B_KEY": "12345678-and-more"})

        assert redact("12345678-and-more") == "[redacted]"
