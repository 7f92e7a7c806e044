import { setTimeout as sleep } from 'node:timers/promises'
import { Purser } from '@purser/sdk'
import t from 'tap'
import { harness } from './harness.ts'
import { launch } from './launched.ts'
import { relay } from './relayed.ts'
import { followStream } from './stream-reader.ts'
import { until } from './until.ts'

const h = await harness(t)
const { as, tenant } = h
await tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
const place = async (): Promise<number> => {
  await as(tenant.key).post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] })
  await relay(h)
  const heads = await h.db.query('select sequence from event_heads where organization_id = $1', [tenant.organizationId])
  return Number(heads.rows[0].sequence)
}
const env = {
  DATABASE_URL: h.databaseUrl,
  HANDLER_TIMEOUT_MS: '2500',
  REQUEST_TIMEOUT_MS: '2500',
  HEADERS_TIMEOUT_MS: '1000',
  AUTHENTICATION_CACHE_TTL_MS: '1000',
  SHUTDOWN_GRACE_MS: '60000',
}
const servers = [launch(t, 'server.ts', env), launch(t, 'server.ts', env)] as const
const [first = '', second = ''] = await Promise.all(servers.map(async ({ ready }) => (await ready).url))
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

t.test('a stream outlives the limits of requests', async (t) => {
  const stream = await followStream(t, `${first}/v1/events/stream`, bearer(tenant.key))
  t.equal(stream.status, 200, stream.text())
  await sleep(4_000)
  t.notOk(stream.ended())
  await place()
  await until('what has happened since', () => stream.events.length >= 2)
})

t.test('a key that another process revokes ends its streams within seconds', async (t) => {
  const { body } = await as(tenant.key).post('/v1/api-keys', { name: 'reader', scopes: ['events:read'] })
  const stream = await followStream(t, `${first}/v1/events/stream`, bearer(body.data.secret))
  await as(tenant.key).post(`/v1/api-keys/${body.data.id}/revoke`, {})
  const revokedAt = performance.now()
  await until('the stream has ended', () => stream.ended(), 10_000)
  t.ok(performance.now() - revokedAt < 8_000)
  t.match(stream.text(), /: goodbye\n\n$/)
})

t.test('SIGTERM ends streams with a goodbye; their readers go on at another process, with no hole', async (t) => {
  const followed = await followStream(t, `${first}/v1/events/stream`, bearer(tenant.key))
  const stopped = await followStream(t, `${first}/v1/events/stream`, bearer(tenant.key))
  stopped.pause()
  let base = first
  const moving = (url: string, init?: RequestInit) => fetch(url.replace('http://purser.example', base), init)
  const purser = new Purser({ baseUrl: 'http://purser.example', apiKey: tenant.key, fetch: moving as typeof fetch })
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const seen: number[] = []
  const reading = (async () => {
    for await (const { sequence } of purser.events.stream({}, { after: 0, signal: stop.signal })) seen.push(sequence)
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  const reached = await place()
  await until('it is live', () => seen.length === reached)

  base = second
  const stoppedAt = performance.now()
  servers[0].child.kill('SIGTERM')
  t.equal(await servers[0].ended, 0)
  const tookMs = performance.now() - stoppedAt
  t.ok(tookMs < 10_000, `${Math.round(tookMs)} ms, whatever its readers do`)
  t.match(followed.text(), /retry: \d+\nid: \d+\n: goodbye\n\n$/)
  const now = await place()
  await until('what happened meanwhile', () => seen.length === now)
  t.same(
    seen,
    Array.from({ length: now }, (_, index) => index + 1),
  )
  stop.abort()
  await reading
  t.equal(servers[0].stderr(), '')
})
