# A worker. For GPUs:
#
#     npm run package && docker build -f docker/worker.Dockerfile -t cassl-worker --build-arg TORCH_INDEX=https://pypi.org/simple .
#
# torch for CPUs comes from an index of its own; PyPI has the one that brings CUDA along, so that no CUDA image is needed: the
# driver is the host's.
FROM python:3.12-slim-bookworm AS packed
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG EXTRAS=torch
COPY dist/packages/cassl_worker-*.whl /packed/
RUN python -m venv /venv \
  && /venv/bin/pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" "$(echo /packed/*.whl)[$EXTRAS]"

FROM python:3.12-slim-bookworm
COPY --from=packed /venv /venv
RUN useradd --uid 1000 --create-home worker && install -d -o worker -g worker /cache
USER 1000
WORKDIR /cache
# Asks the NVIDIA container toolkit for GPUs; means nothing without it.
ENV PATH=/venv/bin:$PATH NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# A worker that cannot go on ends, and one that its controller does not hear of is given nothing: there is nothing to ask it for.
HEALTHCHECK NONE
ENTRYPOINT ["cassl-worker"]
CMD ["--help"]
