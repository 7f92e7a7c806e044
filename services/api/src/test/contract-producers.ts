import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { scopes } from '#platform/scopes.ts'
import { createRuntime, type Runtime } from '../runtime.ts'
import { testConfig } from './config.ts'
import { type Harness, harness } from './harness.ts'
import type { Answer } from './http-client.ts'
import { type Operation, takesHeader } from './operations.ts'
import { relay } from './relayed.ts'
import { type Change, createSampler, pathOf, requestOf, type Sampler } from './samples.ts'

export type Produce = (operation: Operation, status: number) => Promise<Answer>

interface World {
  readonly h: Harness
  /** Behind a proxy, in production: plain http is refused. */
  readonly strict: Harness
  readonly sampler: Sampler
  readonly switches: Switches
  readonly slowKey: string
}

type Producer = (world: World, operation: Operation) => Promise<Answer>

/** What the unit of work does next. */
interface Switches {
  mode: 'works' | 'throws' | 'has no database'
}

/** Produces any documented answer of any operation. */
export async function createProducers(t: Test): Promise<Produce> {
  const switches: Switches = { mode: 'works' }
  const h = await harness(t, {
    env: { AUTHENTICATION_CACHE_TTL_MS: '5000' },
    replace: (runtime) => ({ unitOfWork: switched(t, runtime, switches) }),
  })
  const production = {
    NODE_ENV: 'production',
    TRUST_PROXY: '127.0.0.1',
    CORS_ORIGINS: 'none',
    SIGNING_SECRET: randomUUID(),
  }
  const strict = await harness(t, { env: production })
  const slow = await h
    .as(h.tenant.key)
    .post('/v1/api-keys', { name: 'slow', scopes: [...scopes], rateLimitPerMinute: 1 })
  const slowKey = slow.body.data.secret
  await h.as(slowKey).get('/v1/me')
  const sampler = await createSampler(h)
  const world: World = { h, strict, sampler, switches, slowKey }
  const refusing: World = { ...world, sampler: { ...sampler, example: keepingEach(sampler.example) } }
  return async (operation, status) => {
    const producer = special[`${operation.id} ${status}`] ?? general[status]
    if (!producer) throw new Error(`${operation.id} ${status}: add a producer to test/contract-producers.ts`)
    return producer(status < 400 ? world : refusing, operation)
  }
}

/** A refused request leaves its sample as it was, for the next refusal of the same operation. */
function keepingEach(make: Sampler['example']): Sampler['example'] {
  const kept = new Map<Operation, ReturnType<Sampler['example']>>()
  return (operation) => {
    const sample = kept.get(operation) ?? make(operation)
    kept.set(operation, sample)
    return sample
  }
}

/** A unit of work that fails on demand; what it answers from an unreachable database comes from a real one. */
function switched(t: Test, { unitOfWork }: Runtime, switches: Switches): Runtime['unitOfWork'] {
  const nowhere = testConfig('postgres://127.0.0.1:1/nowhere', { DB_ACQUIRE_TIMEOUT_MS: '200' })
  const away = createRuntime(nowhere, { process: 'server' })
  t.teardown(() => away.database.close())
  const broken = async (): Promise<never> => {
    throw new Error('planted')
  }
  const chosen = (): object => {
    if (switches.mode === 'throws') return { read: broken, write: broken, writeOnce: broken }
    return switches.mode === 'works' ? unitOfWork : away.unitOfWork
  }
  return new Proxy(unitOfWork, { get: (_target, name) => Reflect.get(chosen(), name) })
}

const send = async (
  { h, sampler }: World,
  operation: Operation,
  change: Change = {},
  key = h.tenant.key,
): Promise<Answer> => {
  const sample = await sampler.example(operation)
  return h.as(key).send(requestOf(sample, { ...change, headers: { ...sample.headers, ...change.headers } }))
}

const accepted: Producer = (world, operation) => send(world, operation)

const withMode =
  (mode: Switches['mode']): Producer =>
  async ({ h, sampler, switches }, operation) => {
    const request = requestOf(await sampler.example(operation))
    await h.as(h.tenant.key).get('/v1/me')
    switches.mode = mode
    const answer = await h.as(h.tenant.key).send(request)
    switches.mode = 'works'
    return answer
  }

/** The same credential, without the scope; where none is needed, over plain http. */
const forbidden: Producer = async (world, operation) => {
  if (operation.scope !== null) {
    const others = scopes.filter((scope) => scope !== operation.scope)
    return send(world, operation, {}, await world.h.tenant.keyWith(others))
  }
  const headers = { 'x-forwarded-proto': 'http' }
  return world.strict.as(world.strict.tenant.key).send({ method: operation.method, url: operation.path, headers })
}

const absent: Producer = async (world, operation) => {
  const { params } = await world.sampler.example(operation)
  const nobody = Object.entries(params).map(([name, value]) => [name, value.replace(/[0-9a-z]{20}$/i, '0'.repeat(20))])
  return send(world, operation, { params: { ...Object.fromEntries(nobody), sku: 'NONE', externalId: 'none' } })
}

const notModified: Producer = async (world, operation) => {
  const sample = await world.sampler.example(operation)
  const client = world.h.as(world.h.tenant.key)
  const first = await client.send(requestOf(sample))
  return client.send(requestOf({ ...sample, headers: { 'if-none-match': first.headers.etag ?? 'none' } }))
}

/** Somebody else holds the lock of the key, as a request under way would. */
const inProgress: Producer = async (world, operation) => {
  const { h } = world
  const principal = (await h.as(h.tenant.key).get('/v1/me')).body.data.principalId
  const key = randomUUID()
  const holder = await h.db.connect()
  try {
    await holder.query('begin')
    const lock = 'select pg_advisory_xact_lock(hashtextextended($1, 0))'
    await holder.query(lock, [`${h.tenant.organizationId} ${principal} ${key}`])
    return await send(world, operation, { headers: { 'idempotency-key': key } })
  } finally {
    await holder.query('rollback')
    holder.release()
  }
}

/** Retention has dropped the first events, for a moment. */
const expired: Producer = async (world, operation) => {
  await relay(world.h)
  const floor = (sequence: string, hash: string) =>
    world.h.db.query(`update event_heads set floor_sequence = ${sequence}, floor_hash = ${hash}`)
  await floor('1', 'hash')
  const answer = await send(world, operation, { query: { after: '0' } })
  await floor('0', 'null')
  return answer
}

const general: Readonly<Record<number, Producer>> = {
  200: accepted,
  201: accepted,
  202: accepted,
  204: accepted,
  304: notModified,
  400: async (world, operation) => {
    const { params } = await world.sampler.example(operation)
    return send(world, operation, { url: `${pathOf(operation, params)}?a=%00` })
  },
  401: (world, operation) => send(world, operation, {}, 'nonsense'),
  403: forbidden,
  404: absent,
  406: (world, operation) => send(world, operation, { headers: { accept: 'text/html' } }),
  409: inProgress,
  410: expired,
  412: (world, operation) => send(world, operation, { headers: { 'if-match': '"999999"' } }),
  413: (world, operation) =>
    send(world, operation, { payload: ' '.repeat(world.h.runtime.config.BODY_LIMIT_BYTES + 1) }),
  414: async (world, operation) => {
    const { params } = await world.sampler.example(operation)
    return send(world, operation, { url: `${pathOf(operation, params)}?a=${'a'.repeat(8_192)}` })
  },
  415: (world, operation) => send(world, operation, { payload: 'text', headers: { 'content-type': 'text/plain' } }),
  422: (world, operation) => send(world, operation, { query: { nonsense: '1' } }),
  428: (world, operation) => {
    if (!takesHeader(operation, 'if-match')) throw new Error(`${operation.id} takes no If-Match, and yet documents 428`)
    return send(world, operation, { headers: { 'if-match': undefined } })
  },
  // Once a minute the key may ask, so of two requests one is too many.
  429: async (world, operation) => {
    const first = await send(world, operation, {}, world.slowKey)
    return first.status === 429 ? first : send(world, operation, {}, world.slowKey)
  },
  500: withMode('throws'),
  503: withMode('has no database'),
}

/** Pairs that need a situation of their own: `'orders.place 409': (world, operation) => …`. */
const special: Readonly<Record<string, Producer>> = {
  // A second product of the same SKU: the first was made for an earlier pair.
  'products.create 201': async (world, operation) => {
    const { body } = await world.sampler.example(operation)
    return send(world, operation, { body: { ...(body as object), sku: randomUUID() } })
  },
  // A ledger that is said to be long; what is there is not looked at before the answer.
  'audit.verify 202': async (world, operation) => {
    const { db, tenant } = world.h
    const reach = (by: number) =>
      db.query(`update event_heads set sequence = sequence + ${by} where organization_id = $1`, [tenant.organizationId])
    await reach(10_000)
    const answer = await send(world, operation)
    await reach(-10_000)
    return answer
  },
  'audit.readExport 409': async (world, operation) => {
    const { body } = await world.h.as(world.h.tenant.key).post('/v1/audit/exports', {})
    return send(world, operation, { params: { exportId: body.data.id } })
  },
}
