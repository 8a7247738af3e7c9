# Web, worker and beat in one image; compose.yaml says which is which.
# BASE is any image with Python 3.11 and apt. Where pip needs settings or a certificate of this
# network's own, they come as build secrets and stay out of the image:
#   --secret id=pip.conf,src=… --secret id=ca.crt,src=…   (pip.conf: cert = /run/secrets/ca.crt)
ARG BASE=python:3.11-slim

# --- The Docker client: it builds with BuildKit, and only the worker uses it ----------------------
FROM ${BASE} AS docker
RUN apt-get update -q \
    # Debian 13 has the client in a package of its own; Debian 12 only together with the engine.
    && if apt-cache show docker-cli >/dev/null 2>&1; \
       then apt-get install -y -q --no-install-recommends docker-cli docker-buildx; \
       else apt-get install -y -q --no-install-recommends docker.io; fi \
    && mkdir -p /client/usr/bin /client/usr/libexec/docker/cli-plugins \
    && cp /usr/bin/docker /client/usr/bin/ \
    && for plugin in /usr/libexec/docker/cli-plugins/docker-buildx \
                     /usr/lib/docker/cli-plugins/docker-buildx; do \
           if [ -e "$plugin" ]; then cp "$plugin" /client/usr/libexec/docker/cli-plugins/; fi; \
       done

# --- The locked requirements and Slipway itself, in a virtual environment -------------------------
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements-bootstrap.lock requirements.lock ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca.crt \
    python -m venv /tools && /tools/bin/pip install --require-hashes -r requirements-bootstrap.lock \
    && python -m venv --without-pip /slipway \
    && /tools/bin/pip --python /slipway/bin/python install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY config config
COPY workers workers
COPY service service
RUN /tools/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels . \
    && /tools/bin/pip --python /slipway/bin/python install --no-deps --no-index /wheels/*.whl

# --- What runs ------------------------------------------------------------------------------------
FROM ${BASE}
RUN apt-get update -q \
    && apt-get install -y -q --no-install-recommends ca-certificates git tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 slipway \
    && useradd --uid 10001 --gid slipway --create-home --home-dir /data slipway
COPY --from=docker /client/ /
COPY --from=build /slipway /slipway
ENV PATH=/slipway/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SLIPWAY_DATA_DIR=/data
USER slipway
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "-c", "python:service.gunicorn", "service:create_app()"]
