# One image for server, worker and migrate. The command decides which one runs:
#   node services/api/src/server.ts | services/api/src/worker.ts | services/api/src/migrate.ts up

FROM node:24.21.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY services/api/package.json services/api/
RUN npm ci --omit=dev --omit=optional --workspace services/api --ignore-scripts --no-audit --no-fund

FROM dependencies AS compiled
COPY services/api/src services/api/src
RUN mkdir -m 777 compiled
USER node
# Without a configuration both end as soon as their modules are compiled.
RUN export NODE_COMPILE_CACHE=compiled; ! node services/api/src/server.ts && ! node services/api/src/worker.ts

FROM node:24.21.0-slim
ENV NODE_ENV=production
ENV NODE_OPTIONS=--max-semi-space-size=8
ENV NODE_COMPILE_CACHE=/app/compiled
WORKDIR /app
COPY --from=dependencies /app ./
COPY migrations migrations
COPY services/api/src services/api/src
COPY --from=compiled --chown=node /app/compiled compiled
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "services/api/src/server.ts"]
