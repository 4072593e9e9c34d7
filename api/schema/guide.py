"""What a client has to know before it reads about single operations. For the OpenAPI document alone."""

GUIDE = """\
Ask for an action, get its report at once, and read the report until it is final.

1. **Token.** Send `Authorization: Bearer <token>` with every request; the operator makes tokens.
2. **Ask.** `POST /actions/<name>` with the parameters as JSON. The answer is 202 with the report, `pending`; `Location`
   is where to read it. From then on the action runs, whatever dies meanwhile, and its report always becomes final:
   `ok` with a `result`, `failed` with an `error`, or `cancelled`.
3. **Poll.** `GET` the `Location` again after the seconds in `Retry-After`, until that header is missing. With
   `If-None-Match` and the `ETag` that you have, the answer is 304 while nothing has changed.
4. **Or wait.** `Prefer: wait=20`, with the `POST` as well as the `GET`, holds the answer until the report is final: for
   up to 30 seconds, unless the operator has set another limit. `GET /reports/<id>/events` tells of each change.
5. **Repeat.** Where the answer to a `POST` for an action is lost, repeat it with the same `Idempotency-Key`: it is
   accepted once. Give every request a key of its own. Without a key it may be accepted twice. To retry a report takes
   no key: read the report before you repeat that. To cancel it a second time does no harm.
6. **Errors.** What keeps a request from being served is a problem (RFC 9457): compare `code`; `errors` lists fields and
   parameters. What went wrong while an action ran is in its report, which is answered by 200. What to do about each is
   at [/problems](/problems) and [/errors](/errors). After 429 and 503, wait for `Retry-After` and repeat the request: a
   `POST` for an action with its key.
7. **Limits.** A body has 1 MiB at most, unless the operator has set another limit: 413. Requests count towards a quota
   that `RateLimit` and `RateLimit-Policy` tell; a batch of n requests counts n times. Beyond it the answer is 429.
8. **Retention.** Final reports are deleted after some time, 30 days unless the operator has set another; then they
   answer 404, and their keys are free.
"""
