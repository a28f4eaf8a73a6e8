# The sidecar's image. `make image` builds it; `docker build .`, `podman build .` and `buildah build .` do so as well.
#
# The base is named by its tag, because the digest of an image could not be looked up where this file was written. Pin it
# where you build: `make image BASE=docker.io/library/python:3.13-slim-trixie@sha256:...`. Everything else is pinned:
# Python packages by the hashes of the lock files, and only as wheels. The wheels are built for glibc: Alpine does not work.
ARG BASE=docker.io/library/python:3.13-slim-trixie

# ---- build: the environment, complete and then made small ----

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
# `strip` for the shared libraries. This stage is thrown away.
RUN export DEBIAN_FRONTEND=noninteractive \
 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends binutils \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Packages first: a change of our code does not install them again.
COPY requirements/server.txt requirements/build.txt requirements/
RUN python3 -m venv --without-pip /opt/agen \
 && python3 -m pip --python /opt/agen/bin/python3 install --quiet --no-compile --no-deps --only-binary :all: --require-hashes \
    -r requirements/server.txt \
 && python3 -m pip install --quiet --target /opt/build --no-deps --only-binary :all: --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY agen_authz agen_authz
RUN PYTHONPATH=/opt/build python3 -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir /opt/wheel . \
 && python3 -m pip --python /opt/agen/bin/python3 install --quiet --no-compile --no-deps /opt/wheel/*.whl
COPY tools/trim-image tools/trim-image
# Bytecode goes by the content and not by times: nothing is written at run time, and the same input is the same image.
RUN tools/trim-image /opt/agen \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/agen/lib

# ---- what runs ----

FROM ${BASE}
# The store's directory, that of the sockets, and a user that has a name. The state is in a volume at /var/lib/agen.
RUN mkdir -p /etc/agen /run/agen /var/lib/agen \
 && chown 65532:65532 /run/agen /var/lib/agen \
 && chmod 0750 /run/agen /var/lib/agen \
 && echo 'nonroot:x:65532:65532:nonroot:/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'nonroot:x:65532:' >> /etc/group
COPY --from=build /opt/agen /opt/agen
ENV PATH=/opt/agen/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="agen-authz" \
      org.opencontainers.image.description="A sidecar for Envoy that decides every call to an MCP server" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
WORKDIR /
EXPOSE 9191 9192 9464
ENTRYPOINT ["/opt/agen/bin/agen-authz"]
CMD ["serve", "--config", "/etc/agen/agen.yaml"]
