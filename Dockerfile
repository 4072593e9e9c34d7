# One image for web, worker and migrations; what differs is the command.
FROM docker.io/library/python:3.13-slim AS build
WORKDIR /app
RUN python -m venv /venv
# `--build-arg REQUIREMENTS=tracing` makes an image that sends traces, too.
ARG REQUIREMENTS=base
COPY requirements/base.txt requirements/tracing.txt requirements/
RUN /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements/${REQUIREMENTS}.txt \
    && /venv/bin/python -m pip uninstall --yes --quiet pip
COPY manage.py openapi.yaml ./
COPY config config
COPY api api
COPY console console
COPY tasks tasks
COPY services services
COPY reports reports
# The key only lets the settings load; nothing of it stays in the image.
RUN SECRET_KEY=for-this-step-only STATIC_ROOT=/static /venv/bin/python manage.py collectstatic --no-input

FROM docker.io/library/python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin service
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY --from=build /static /static
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/static VAR_DIR=/tmp
# Granian reads these as well as the service, which lets no more clients wait than leaves threads to the others.
ENV GRANIAN_BLOCKING_THREADS=288 GRANIAN_BACKPRESSURE=768
# glibc's heaps, which are one for each of so many threads otherwise: 120 instead of 141 MB for a web process that has
# accepted plans of 10,000 tasks.
ENV MALLOC_ARENA_MAX=2
WORKDIR /app
USER service
EXPOSE 8000
STOPSIGNAL SIGTERM
# Exec form: signals reach the process, which drains.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--workers-kill-timeout", "20", "config.wsgi:application"]
