import Fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { asked, type Read, type ServiceQuery, serviceReads } from './service-queries.ts'

/**
 * What a read costs at least: a Fastify route that sends BEGIN with role and tenant, the service's own statements and
 * COMMIT in one trip and answers with the rows. No authentication, validation, limits, envelope, ids or logs.
 */
const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DB_POOL_SIZE),
  pipeline: true,
})
const opening = `begin read only; select set_config('role', 'purser_app', true),
  set_config('app.organization_id', ${pg.escapeLiteral(process.env.ORGANIZATION_ID ?? '')}, true)`

const app = Fastify()
await serve(app, 'get', '/v1/orders/:asked')
await serve(app, 'list', '/v1/orders')
await serve(app, 'search', '/v1/products')
process.once('SIGTERM', () => void app.close().then(() => pool.end()))
process.send?.({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })

async function serve(server: FastifyInstance, read: Read, url: string): Promise<void> {
  const queries = await serviceReads[read]()
  server.get(url, async (request) => {
    const { asked: id } = request.params as { asked?: string }
    const { q } = request.query as { q?: string }
    return inOneTrip(read, queries, id ?? q ?? '')
  })
}

async function inOneTrip(read: Read, queries: readonly ServiceQuery[], wanted: string): Promise<unknown[]> {
  const client = await pool.connect()
  try {
    const answers = queries.map(({ text, values }, index) => ({
      text,
      values: fill(values, wanted),
      name: `${read}${index}`,
    }))
    const [, ...results] = await Promise.all([
      client.query(opening),
      ...answers.map((query) => client.query<Record<string, unknown>>(query)),
      client.query('commit'),
    ])
    return results.slice(0, -1).map(({ rows }) => rows)
  } finally {
    client.release()
  }
}

const fill = (values: readonly unknown[], wanted: string): unknown[] =>
  values.map((value) => (typeof value === 'string' ? value.replace(asked, wanted) : value))
