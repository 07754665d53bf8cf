# The controller. It needs no Python: workers attach to it.
#
#     npm run package && docker build -f docker/controller.Dockerfile -t cassl-controller .
FROM node:22-bookworm-slim AS packed
WORKDIR /cassl
# What it depends on is what the lock file says, without install scripts.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund
# One folder, `package`.
ADD dist/packages/cassl-*.tgz /packed/
RUN cp -r /packed/package/. .

FROM node:22-bookworm-slim
COPY --from=packed /cassl /cassl
RUN ln -s /cassl/dist/ts/cli/main.js /usr/local/bin/cassl \
  && chmod 755 /cassl/dist/ts/cli/main.js \
  && install -d -o node -g node /workspace
USER 1000
WORKDIR /workspace
ENV NODE_ENV=production
# gRPC, dashboard, prediction frames.
EXPOSE 7070 7071 7072
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["cassl", "health"]
ENTRYPOINT ["cassl"]
CMD ["serve", "--help"]
