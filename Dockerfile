# Switchyard in a container: `docker build -t switchyard .`, then
# `docker run -p 127.0.0.1:50051:50051 -v switchyard:/var/lib/switchyard switchyard`.
# No build step: Node runs the TypeScript sources. Both stages pin the Node of package.json (test/project.test.ts compares).

FROM node:26.10.0-slim AS dependencies
WORKDIR /opt/switchyard
COPY package.json package-lock.json .npmrc ./
# The image's own Node serves, so the pinned copy from npm goes.
RUN npm ci --omit=dev \
 && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:26.10.0-slim
WORKDIR /opt/switchyard
COPY --from=dependencies /opt/switchyard/node_modules ./node_modules
COPY package.json ./
COPY samples ./samples
COPY src ./src
RUN install --directory --owner=node --group=node --mode=0750 /var/lib/switchyard

# The gateway listens on every interface of the container; publishing its port is the operator's choice.
# The admin listener stays on the container's loopback: it refuses any other address while it has no credentials.
# `docker exec CONTAINER node src/cli/main.ts ...` reaches it from inside.
ENV NODE_ENV=production \
    SWITCHYARD_GATEWAY_ADDRESS=0.0.0.0:50051 \
    SWITCHYARD_ADMIN_ADDRESS=127.0.0.1:8080 \
    SWITCHYARD_DATA_DIR=/var/lib/switchyard \
    SWITCHYARD_MERCHANTS_FILE=samples/merchants.yaml
# Histories lie all over hundreds of MiB. In pages of 2 MiB, where the host has transparent huge pages (`madvise` or `always`), events are taken
# in with a fifth less CPU time, for 3 to 8 % more memory. It must be in the environment before the process starts.
ENV GLIBC_TUNABLES=glibc.malloc.hugetlb=1
USER node
VOLUME /var/lib/switchyard
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "--eval", "fetch('http://' + process.env.SWITCHYARD_ADMIN_ADDRESS + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
