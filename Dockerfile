# Rollgraph as one image: `docker build --build-arg VERSION=1.2.3 --tag rollgraph:1.2.3 .`
# tests/image runs the commands of the first stage, and what the second one starts, without a container.

# Debian's own Python: no pip, no compiler, and its security updates come with the base image.
ARG BASE=debian:13.2-slim
# The version that uv.lock was written by reads it, too.
ARG UV=ghcr.io/astral-sh/uv:0.13.9

FROM ${UV} AS uv

FROM ${BASE} AS build
# Not pinned: Debian removes old versions from its mirrors, and what asks for one stops building.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=uv /uv /usr/local/bin/
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1
WORKDIR /src
# What changes rarely first: a change of our own code installs no other package again.
COPY pyproject.toml uv.lock ./
RUN uv export --quiet --frozen --no-default-groups --no-emit-project --output-file /tmp/requirements.txt \
 && uv venv --python /usr/bin/python3 /opt/rollgraph \
 && uv pip install --python /opt/rollgraph --require-hashes --only-binary :all: --compile-bytecode \
      --requirement /tmp/requirements.txt
COPY . .
# There is no git in here to tell it. Without one it is 0.0.0.
ARG VERSION=
# Node comes from PyPI for as long as GraphiQL is bundled: hatch_build.py says so.
RUN SETUPTOOLS_SCM_PRETEND_VERSION="${VERSION}" uv build --wheel --out-dir /tmp/dist \
 && uv pip install --python /opt/rollgraph --no-deps --compile-bytecode /tmp/dist/*.whl

FROM ${BASE}
ARG VERSION=
LABEL org.opencontainers.image.title="Rollgraph" \
      org.opencontainers.image.description="One GraphQL endpoint over the Argo Rollouts of every Kubernetes cluster" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# A volume that is mounted at /clusters begins as a directory that Rollgraph's user may write.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner=65532 --group=65532 --mode=0700 /clusters
COPY --from=build /opt/rollgraph /opt/rollgraph
# Nothing is written: neither bytecode, which is there, nor a history, nor a cache. The root may be read-only.
ENV PATH=/opt/rollgraph/bin:/usr/bin:/bin HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1
# "nonroot" of distroless images; a number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /
EXPOSE 8000
# For Docker and Compose; Kubernetes has probes of its own. The image has no curl, and what Python imports for
# HTTP takes longer than the answer.
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=3 \
  CMD ["python", "-I", "-S", "-c", "import os, socket, sys; s = socket.create_connection(('127.0.0.1', int(os.environ.get('ROLLGRAPH_HTTP__PORT') or 8000)), 4); s.sendall(b'GET /readyz HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n'); sys.exit(b' 200 ' not in s.recv(64))"]
# SIGTERM drains: streams end one after the other, running requests finish, leases are given back.
STOPSIGNAL SIGTERM
ENTRYPOINT ["rollgraph"]
CMD ["serve"]
