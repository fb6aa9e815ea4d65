# The admin side, without a vendor CLI or anything to compile. In a clone:
#
#   npm pack --pack-destination examples/deploy
#   docker build --file examples/deploy/admin.Dockerfile --tag cloud-cli-admin examples/deploy
FROM node:22-bookworm-slim AS build
WORKDIR /opt/cloud-cli
COPY alphaswarm-cloud-cli-*.tgz ./
# Nothing of the admin side is native, so that nothing is compiled.
RUN npm init --yes && npm install --no-audit --no-fund --ignore-scripts ./alphaswarm-cloud-cli-*.tgz

FROM node:22-bookworm-slim
COPY --from=build /opt/cloud-cli /opt/cloud-cli
COPY admin.json /etc/cloud-cli/config.json
ENV PATH=/opt/cloud-cli/node_modules/.bin:/usr/local/bin:/usr/bin:/bin
ENV CLOUD_CLI_CONFIG=/etc/cloud-cli/config.json
USER node
EXPOSE 8080
HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["cloud-cli"]
CMD ["serve", "admin", "--host", "0.0.0.0"]
