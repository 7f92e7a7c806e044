import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { ledgerKeys } from '#platform/ledger-keys.ts'
import { CheckpointNotFound } from './problems.ts'
import { getCheckpoint, listCheckpoints } from './read-checkpoints.ts'
import { Checkpoint, CheckpointParams } from './schemas.ts'
import { signCheckpoint } from './sign-checkpoint.ts'

export function checkpointRoutes(app: FastifyInstance): void {
  const { config } = app.kernel
  app.get('/.well-known/jwks.json', { config: { access: { public: true } }, schema: { hide: true } }, (_, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(ledgerKeys(config).published),
  )
  app.route(
    command({
      id: 'audit.signCheckpoint',
      summary: 'Sign the ledger as it stands',
      description:
        'Signs the hash of the newest event. Hourly this happens by itself. Whoever keeps the answer can prove later that nothing before it was changed.',
      method: 'POST',
      url: '/v1/audit/checkpoints',
      status: 201,
      scope: 'audit:write',
      idempotency: 'optional',
      returns: Checkpoint,
      problems: [],
      location: ({ id }) => `/v1/audit/checkpoints/${id}`,
      handle: (work) => signCheckpoint(work, ledgerKeys(config)),
    }),
  )
  app.route(
    list({
      id: 'audit.listCheckpoints',
      summary: 'List signed checkpoints, newest first',
      url: '/v1/audit/checkpoints',
      scope: 'audit:read',
      filter: {},
      item: Checkpoint,
      problems: [],
      handle: (view, { page }) => listCheckpoints(view, page),
    }),
  )
  app.route(
    query({
      id: 'audit.getCheckpoint',
      summary: 'Read a checkpoint',
      url: '/v1/audit/checkpoints/:checkpointId',
      scope: 'audit:read',
      params: CheckpointParams,
      returns: Checkpoint,
      problems: [CheckpointNotFound],
      handle: (view, { params }) => getCheckpoint(view, params.checkpointId),
    }),
  )
}
