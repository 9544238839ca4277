# Two stages: install with hashes, then copy. BASE may be any image with Python ≥ 3.11.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /srv
COPY requirements.lock ./
RUN python3 -m venv /opt/tev \
    && /opt/tev/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock \
    && /opt/tev/bin/pip uninstall --quiet --yes setuptools pip

FROM ${BASE}
RUN groupadd --gid 10001 tev && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent tev \
    && install --directory --owner=tev --group=tev /data
COPY --from=build /opt/tev /opt/tev
WORKDIR /srv
COPY app ./app
COPY data ./data
COPY docs/guide ./docs/guide
COPY LICENSE LICENSE-DATA ./
COPY docker/tev /usr/local/bin/tev
# Else each start compiles the program: its user may not write here.
RUN /opt/tev/bin/python -m compileall -q app
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv \
    TEV_HOST=0.0.0.0 \
    TEV_PORT=8000 \
    TEV_DATABASE_URL=sqlite:////data/tev.db \
    SQLITE_TMPDIR=/data \
    TMPDIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8000
# SIGINT, because Python as process 1 ignores SIGTERM until uvicorn runs.
STOPSIGNAL SIGINT
# http.client, because urllib would ask a proxy from the environment.
HEALTHCHECK --interval=30s --timeout=3s --start-period=30s \
    CMD ["/opt/tev/bin/python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('localhost', int(os.environ['TEV_PORT']), timeout=2); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
CMD ["tev", "serve"]
