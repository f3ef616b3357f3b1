# syntax=docker/dockerfile:1
# Tillwise's web and worker processes. What they stand on (PostgreSQL, Redis) runs elsewhere: see compose.yaml.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN python -m venv /venv
# The lock holds what tests and the demo need as well: it only pins here, and pip takes what the app asks for.
RUN sed -e 's/ *\\$//' -e '/^ *--hash/d' requirements.lock > /constraints.txt
COPY app app
COPY webhooks webhooks
RUN /venv/bin/pip install --constraint /constraints.txt '.[tracing,amqp,kafka]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/tillwise --create-home tillwise
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 TILLWISE_DATA_DIR=/var/lib/tillwise PORT=4701
USER tillwise
WORKDIR /var/lib/tillwise
# Trained models, shared by every web and worker process.
VOLUME /var/lib/tillwise
EXPOSE 4701
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD python -c "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"
# SIGTERM lets a process finish what it holds; give it half a minute.
STOPSIGNAL SIGTERM
ENTRYPOINT ["tillwise"]
CMD ["serve", "--no-worker", "--host", "0.0.0.0"]
