"""Taking secrets out of text before it is kept, shown or logged.

Two ways: by their values, where this process knows them from its environment, and by what they look like. The second
takes out too much rather than too little. Every repetition has a bound, so that no text takes long.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

from django.conf import settings

REDACTED = "[redacted]"

_NAMES = (
    r"passw(?:or)?d|passphrase|passcode|pwd|secret|token|credentials?|session[_-]?(?:id|key)|signature"
    r"|(?<![a-z0-9])(?:pass|sig)"  # neither bypass nor compass
    r"|(?:api|access|auth|private|secret|signing|encryption|account|shared)[_-]?key"
)
_VARIABLES = re.compile(rf"(?:{_NAMES}|(?:^|_)key)$", re.IGNORECASE)
_ADDRESSES_WITH_KEYS = re.compile(r"(?:^|_)dsn$", re.IGNORECASE)  # the key is the user, as in SENTRY_DSN
_NO_SECRETS = frozenset({"PWD", "OLDPWD"})  # where a shell is
_PASSWORD_OF_URL = re.compile(r"""://[^\s/:@"'<>]{0,100}:([^\s@"'<>]{1,200})@""")
_USER_OF_URL = re.compile(r"""://([^\s/:@"'<>]{1,200})(?::[^\s@"'<>]{0,200})?@""")
_SHORTEST_VALUE = 8
_SHORTEST_WORD = 12

# The end of a name, such as db_password, X-Api-Key or accessToken, quoted or not, and what stands before its value.
_NAME = rf"(?:{_NAMES}|authorization|cookie)"
_BETWEEN = r"""(?:\\{0,4}["']\s{0,5}(?:=>|[:=,])|\s{0,5}(?:=>|[:=]|%3d))\s{0,5}"""
# The name and the space in --db-password hunter2. Where dashes follow dashes, only the first may begin it.
_OPTION = rf"(?<![\w-])--[\w-]{{0,50}}(?:{_NAMES})\s{{1,5}}"
# Before a quoted value: b"x", f"x", and three quotes for one.
_QUOTE = r"""[bfru]{0,2}(?P<quote>\\{0,4}(?:"{3}|'{3}|["']))"""
# What is escaped twice comes first: \\\" within \"…\".
_CONTENT = r"""(?:(?!(?P=quote))(?:\\\\\\["'\\]|\\.|[^\\\n]))"""
# What quoted values may stand in: ['x'], SecretStr("x"), {b'x'}. Those are looked into by themselves.
_NO_QUOTE = rf"(?!(?:\w{{0,20}}[\[({{]\s{{0,40}}){{0,4}}(?:(?<=\()\w{{1,40}}=)?{_QUOTE.replace('?P<quote>', '?:')})"


class _Rule(NamedTuple):
    hints: tuple[str, ...]  # one of them, in lower case, is in every text that has such a secret: most texts have none
    pattern: re.Pattern[str]
    replacement: str


_HINTS_OF_NAMES = ("pass", "pwd", "secret", "token", "credential", "session", "sig", "key")
_HEADERS = ("authorization", "cookie")
_RULES_BY_FORM = (
    _Rule(
        ("-----begin",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}(?:-----END [A-Z ]{0,30}KEY-----|\Z)?"
        ),
        REDACTED,
    ),
    # The user and the password of a URL, also where the password has characters that it must not have there.
    _Rule(("://",), re.compile(r"""(?<=://)[^\s/"'<>]{0,500}@"""), f"{REDACTED}@"),
    _Rule(
        ("://",),
        re.compile(r"""(?<=://)[^\s/:@"'<>]{0,100}:(?!\d{1,5}(?:[/?#\s]|$))[^\s@"'<>]{0,200}@"""),
        f"{REDACTED}@",
    ),
    # Tokens that are known by how they begin: this service's own, and those of well-known others.
    _Rule(("aat_",), re.compile(r"aat_\w{6,}"), REDACTED),
    _Rule(
        ("gh", "glpat", "xox", "sk", "rk", "akia", "eyj"),
        re.compile(
            r"(?<![A-Za-z0-9])(?:gh[oprsu]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}"
            r"|(?:sk|rk)[_-][\w-]{16,}|AKIA[0-9A-Z]{16}|(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?)"
        ),
        REDACTED,
    ),
    _Rule(
        ("bearer", "basic"),
        re.compile(r"\b((?i:bearer|basic)\s{1,5})(?=[^\s\"']{0,500}(?:\d|=|[a-z][A-Z]))[\w.~+/=-]{8,}"),
        rf"\g<1>{REDACTED}",
    ),
)
_RULES_BY_NAME = (
    # Whatever is called a secret: in JSON and Python, quoted; in headers, queries, settings and commands, not quoted.
    _Rule(
        (*_HINTS_OF_NAMES, *_HEADERS),
        re.compile(
            rf"(?P<lead>(?:{_NAME}{_BETWEEN}|{_OPTION}){_QUOTE}){_CONTENT}{{1,5000}}",
            re.IGNORECASE,
        ),
        rf"\g<lead>{REDACTED}",
    ),
    _Rule(
        _HEADERS,
        re.compile(
            rf"""((?:authorization|cookie)\s{{0,5}}(?:[:=]|%3d)\s{{0,5}}){_NO_QUOTE}[^\s"'][^\n"']{{0,5000}}""",
            re.IGNORECASE,
        ),
        rf"\g<1>{REDACTED}",
    ),
    _Rule(
        (*_HINTS_OF_NAMES, *_HEADERS),
        re.compile(
            rf"((?:{_NAME}{_BETWEEN}|{_OPTION})){_NO_QUOTE}"
            r"(?!(?:None|null)(?:[\s,;)}\]]|$))(?:(?:bearer|basic|token)\s{1,5})?[^\s\"'\\&<>]{1,5000}",
            re.IGNORECASE,
        ),
        rf"\g<1>{REDACTED}",
    ),
)


# What is called a secret and holds others: a list, an object, a call. Then each thing in it.
_NESTING = re.compile(
    rf"""(?:{_NAME}{_BETWEEN}|{_OPTION})(?!\[redacted\])(?=[\[({{]|\w{{1,20}}\(\s{{0,40}}(?:\w{{1,40}}=)?{_QUOTE})""",
    re.IGNORECASE,
)
_CLOSING, _GOES_ON = ("]", ")", "}"), ("[", "(", "{", ",")
_NESTED = re.compile(
    rf"""
    (?P<redacted>\[redacted\]) | (?P<opening>[\[({{]) | (?P<closing>[\])}}]) | (?P<space>\s+)
    | (?P<start>{_QUOTE}) (?P<content>{_CONTENT}{{1,5000}}) (?P<end>(?P=quote)?) (?P<is_key>\s{{0,5}}(?::|=>))?
    | (?P<kept>(?:None|null|[Tt]rue|[Ff]alse)(?![^\s,)}}\]])  # nobody's secret
        | [\w.]{{1,40}}(?=\(\s{{0,40}}(?:\w{{1,40}}=)?[bfru]{{0,2}}\\{{0,4}}["'])  # SecretStr('x')
        | \w{{1,40}}(?:=(?=[bfru]{{0,2}}\\{{0,4}}["'\[({{])|:(?=\s)))  # a name: user='x'
    | (?P<bare>[^\s,\[\](){{}}"'\\]+) | .
    """,
    re.VERBOSE | re.DOTALL,
)


def redact(text: str) -> str:
    """Return ``text`` without the secrets in it: tokens, passwords, credentials in URLs and in headers."""
    for value in settings.REDACTED_VALUES:
        text = text.replace(value, REDACTED)
    lower = text.lower()
    text = _apply(_RULES_BY_FORM, text, lower)
    if any(hint in lower for hint in (*_HINTS_OF_NAMES, *_HEADERS)):
        text = _redact_nested(text)
    return _apply(_RULES_BY_NAME, text, lower)


def _apply(rules: Iterable[_Rule], text: str, lower: str) -> str:
    for hints, pattern, replacement in rules:
        if any(hint in lower for hint in hints):
            text = pattern.sub(replacement, text)
    return text


def _redact_nested(text: str) -> str:
    """Take out all that stands in what is called a secret; names in it stay."""
    parts: list[str] = []
    at = 0
    while lead := _NESTING.search(text, at):
        parts.append(text[at : lead.end()])
        within, at = _redact_within(text, lead.end())
        parts += within
    return "".join([*parts, text[at:]])


def _redact_within(text: str, at: int) -> tuple[list[str], int]:
    """Return what is within the brackets at a position, in pieces without secrets, and where it ends."""
    pieces: list[str] = []
    depth, goes_on = 0, False
    while piece := _NESTED.match(text, at):
        if "\n" in (piece["space"] or "") and not goes_on and text[piece.end() : piece.end() + 1] not in _CLOSING:
            break  # a bracket that nobody closes does not take what follows with it
        pieces.append(_without_secret(piece))
        at = piece.end()
        depth += bool(piece["opening"]) - bool(piece["closing"])
        if depth == 0 and piece["closing"]:
            break
        goes_on = goes_on if piece["space"] else piece[0] in _GOES_ON
    return pieces, at


def _without_secret(piece: re.Match[str]) -> str:
    if piece["bare"]:
        return REDACTED
    if piece["content"] and not piece["is_key"]:
        return f"{piece['start']}{REDACTED}{piece['end']}"
    return piece[0]


def is_of_a_secret(name: str) -> bool:
    """Tell whether a value is a secret by its name, as that of a variable or of a field."""
    return bool(_VARIABLES.search(name))


def secret_values(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values in an environment that are secrets by the names of their variables, the longest first.

    What is so short, or so much of a word, that it stands in harmless text as well is left out.
    """
    found = {value for name, value in environment.items() if is_of_a_secret(name) and name not in _NO_SECRETS}
    for value in environment.values():
        found.update(*((password, unquote(password)) for password in _PASSWORD_OF_URL.findall(value)))
    for name, value in environment.items():
        if _ADDRESSES_WITH_KEYS.search(name):
            found.update(_USER_OF_URL.findall(value))
    telling = {value for value in found if len(value) >= (_SHORTEST_WORD if value.isalpha() else _SHORTEST_VALUE)}
    return tuple(sorted(telling | {quote(value, safe="") for value in telling}, key=lambda value: (-len(value), value)))
