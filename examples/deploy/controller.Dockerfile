# The controller with the AWS CLI; add gcloud or az where you mint for those. In a clone:
#
#   npm pack --pack-destination examples/deploy
#   docker build --file examples/deploy/controller.Dockerfile --tag cloud-cli-controller examples/deploy
#
# The ledger and the store are in the volume /var/lib/cloud-cli: a container of its own for each, or PostgreSQL.
FROM node:22-bookworm AS build
WORKDIR /opt/cloud-cli
COPY alphaswarm-cloud-cli-*.tgz ./
RUN npm init --yes && npm install --no-audit --no-fund ./alphaswarm-cloud-cli-*.tgz
RUN npm rebuild better-sqlite3 --ignore-scripts=false

FROM node:22-bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends awscli && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/cloud-cli --shell /usr/sbin/nologin cloud-cli
COPY --from=build /opt/cloud-cli /opt/cloud-cli
COPY config.json /etc/cloud-cli/config.json
ENV PATH=/opt/cloud-cli/node_modules/.bin:/usr/local/bin:/usr/bin:/bin
ENV CLOUD_CLI_HOME=/var/lib/cloud-cli CLOUD_CLI_CONFIG=/etc/cloud-cli/config.json
USER cloud-cli
VOLUME /var/lib/cloud-cli
EXPOSE 8081
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:8081/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM drains for 70 seconds: docker stop --time 90.
STOPSIGNAL SIGTERM
ENTRYPOINT ["cloud-cli"]
CMD ["serve", "controller", "--host", "0.0.0.0"]
