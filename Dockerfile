# syntax=docker/dockerfile:1
# Three stages: `build` makes an environment from the lock, with hashes, and the wheel of this checkout; `scorer` and
# `harness` are that environment on a bare Python, without pip, compilers or sources.
#   docker build --target scorer -t riskbench-scorer .
#   docker build --target harness -t riskbench .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python -m venv --without-pip /opt/riskbench
COPY requirements.lock /src/
# Wheels only: nothing is compiled, and no package's own code runs here.
RUN python -m pip --python /opt/riskbench/bin/python install --require-hashes --only-binary :all: -r /src/requirements.lock
COPY . /src
WORKDIR /src
# The build backend is one of the locked packages.
RUN /opt/riskbench/bin/python -m hatchling build -t wheel -d /dist \
    && python -m pip --python /opt/riskbench/bin/python install --no-deps --no-index /dist/*.whl \
    && python -m pip --python /opt/riskbench/bin/python check

FROM ${PYTHON_IMAGE} AS base
# The base image's pip is not needed any more; a container that runs cannot install anything.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && groupadd --gid 10001 riskbench \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /cache --shell /usr/sbin/nologin riskbench \
    && install -d -o 10001 -g 10001 -m 0750 /prepared /runs /cache
COPY --from=build /opt/riskbench /opt/riskbench
# Everything that is written at run time goes to /cache, /prepared or /runs: the rest may be read-only.
ENV PATH=/opt/riskbench/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/cache \
    XDG_CACHE_HOME=/cache \
    NUMBA_CACHE_DIR=/cache/numba
USER 10001:10001
WORKDIR /cache

FROM base AS scorer
EXPOSE 9464
# Alive, not ready: a scorer that waits for its run's topics is well.
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/health', timeout=2)"]
ENTRYPOINT ["python", "-m", "scorer", "--metrics-host", "0.0.0.0", "--metrics-port", "9464"]

FROM base AS harness
ENTRYPOINT ["bench"]
