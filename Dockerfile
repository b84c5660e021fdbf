# One Skerry node. On its first start it makes its identity in the volume, from SKERRY_LOCATION, SKERRY_OPERATOR and
# SKERRY_PROFILE; from then on it only runs. docker-compose.yml is a network of them.

FROM node:26-bookworm-slim AS manifests
WORKDIR /app
COPY . .
RUN find packages -mindepth 2 -maxdepth 2 ! -name package.json -exec rm -r {} +

# Installs again only where a manifest has changed. What only compilers and debuggers read is half of it.
FROM node:26-bookworm-slim AS packages
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=dev --no-audit --no-fund --no-update-notifier \
  && find node_modules -type f \( -name '*.ts' -o -name '*.map' \) -delete
COPY . .

FROM node:26-bookworm-slim
ENV NODE_ENV=production SKERRY_HOME=/var/lib/skerry
COPY --from=packages /app /app
RUN ln -s /app/packages/cli/bin/skerry.js /usr/local/bin/skerry \
  && install -d -o node -g node -m 700 "$SKERRY_HOME"
VOLUME /var/lib/skerry
USER node
WORKDIR /tmp
EXPOSE 4001
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["skerry", "status", "--json"]
CMD ["sh", "-ec", "[ -e \"$SKERRY_HOME/node.key\" ] || skerry init; exec skerry run"]
