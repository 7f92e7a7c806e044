import { randomUUID } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import { writeExport } from '#features/audit-exports/jobs.ts'
import type { Tenant } from './factories.ts'
import type { Harness } from './harness.ts'
import { jobContext } from './job-context.ts'
import { type JsonSchema, type Operation, parametersIn, resolve, takesHeader } from './operations.ts'
import { letDie, queueJob } from './queued-jobs.ts'
import { relay } from './relayed.ts'

/** One valid request of an operation; nothing in it has been used up. */
export interface Sample {
  readonly operation: Operation
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly body: unknown
  readonly headers: Headers
}

/** `undefined` keeps a header from being sent that would be by default. */
type Headers = Readonly<Record<string, string | undefined>>

const receiverUrl = 'https://hooks.shop.example/purser'
export const sampleSku = '85123A'
export const sampleSkuAt = (index: number): string => (index === 0 ? sampleSku : `${sampleSku}-${index}`)

/**
 * Makes valid requests for one tenant: path parameters name things made for the purpose, bodies hold every field their
 * schema has. What neither the schema nor the names say stands in the registries below. Orders have `lineCount` lines.
 */
export async function createSampler(h: Harness, tenant: Tenant = h.tenant, lineCount = 1): Promise<Sampler> {
  const skus = Array.from({ length: lineCount }, (_, index) => sampleSkuAt(index))
  await tenant.stock(skus.map((sku) => ({ sku, onHand: 100_000 })))
  const client = h.as(tenant.key)
  const post = async (url: string, body: object): Promise<Record<string, string>> => {
    const answer = await client.post(url, body)
    if (answer.status >= 300) throw new Error(`no thing for a sample: POST ${url} answered ${answer.text}`)
    return answer.body.data
  }
  const eventOf = async (resourceId: string): Promise<string> => {
    await relay(h)
    return (await client.get(`/v1/events?resource=${resourceId}`)).body.data[0].id
  }
  const remove = (url: string) => client.send({ method: 'DELETE', url, headers: { 'if-match': '*' } })
  await relay(h)
  const world: World = { h, tenant, skus, post, remove, endpoints: [], eventOf }
  // Samples that count or adjust the stock may leave too little for those that take of it.
  let mayBeShort = false
  const restock = async (operation: Operation): Promise<void> => {
    const takes = operation.scope !== 'stock:write'
    if (takes && mayBeShort) await tenant.stock(skus.map((sku) => ({ sku, onHand: 100_000 })))
    mayBeShort = !takes
  }
  const framed = async (operation: Operation) => {
    await restock(operation)
    return frame(world, operation)
  }
  return {
    full: async (operation) => ({ ...(await framed(operation)), body: fullBody(world, operation) }),
    example: async (operation) => ({
      ...(await framed(operation)),
      query: {},
      body: exampleBody(world, operation),
    }),
  }
}

export interface Sampler {
  /** Every optional field and query parameter is given. */
  full(operation: Operation): Promise<Sample>
  /** The example of the document. */
  example(operation: Operation): Promise<Sample>
}

interface World {
  readonly h: Harness
  readonly tenant: Tenant
  readonly skus: readonly string[]
  post(url: string, body: object): Promise<Record<string, string>>
  /** Deletes what may be gone already. */
  remove(url: string): Promise<unknown>
  readonly endpoints: string[]
  /** Id of the first event of a resource. */
  eventOf(resourceId: string): Promise<string>
}

/** A new thing for each path parameter, by its name. */
const things: Readonly<Record<string, (world: World) => Promise<Record<string, string>>>> = {
  orderId: async (world) => ({ orderId: (await placeOrder(world)).id ?? '' }),
  externalId: async (world) => {
    const externalId = randomUUID()
    await placeOrder(world, { source: 'shop', externalId })
    return { source: 'shop', externalId }
  },
  source: async () => ({}),
  apiKeyId: async ({ post }) => ({
    apiKeyId: (await post('/v1/api-keys', { name: 'sample', scopes: ['orders:read'] })).id ?? '',
  }),
  productId: async ({ post }) => ({
    productId: (await post('/v1/products', { sku: randomUUID(), title: 'sample', prices: [] })).id ?? '',
  }),
  reservationId: async ({ post }) => ({
    reservationId: (await post('/v1/reservations', { sku: sampleSku, quantity: 1 })).id ?? '',
  }),
  endpointId: async (world) => ({ endpointId: await registerEndpoint(world) }),
  deliveryId: async (world) => ({
    deliveryId: (await world.post(`/v1/webhook-endpoints/${await registerEndpoint(world)}/test`, {})).id ?? '',
  }),
  locationId: async ({ tenant }) => ({ locationId: tenant.locationId }),
  sku: async () => ({ sku: sampleSku }),
  eventId: async (world) => ({ eventId: await world.eventOf((await placeOrder(world)).id ?? '') }),
  jobId: async ({ h, tenant }) => ({ jobId: await queueJob(h.runtime, tenant.organizationId) }),
  checkpointId: async ({ post }) => ({ checkpointId: (await post('/v1/audit/checkpoints', {})).id ?? '' }),
  verificationId: async ({ post }) => ({ verificationId: (await post('/v1/audit/verify', {})).id ?? '' }),
  exportId: async ({ post }) => ({ exportId: (await post('/v1/audit/exports', {})).id ?? '' }),
}

/** Things in the state that an operation needs, by its id. */
const prepared: Readonly<Record<string, (world: World) => Promise<Record<string, string>>>> = {
  'orders.placeDraft': async (world) => ({ orderId: (await placeOrder(world, { draft: true })).id ?? '' }),
  'orders.confirm': async (world) => {
    const { orderId, holdId } = await heldOrder(world)
    await world.post(`/v1/orders/${orderId}/place`, {})
    await world.post(`/v1/orders/${orderId}/holds/${holdId}/release`, {})
    return { orderId }
  },
  'orders.cancelLine': async (world) => {
    const { id = '', lines } = await placeOrder(world)
    const [line] = lines as unknown as readonly { readonly id: string }[]
    return { orderId: id, lineId: line?.id ?? '' }
  },
  'orders.releaseHold': heldOrder,
  'jobs.retry': deadJob,
  'deadLetters.redrive': deadJob,
  'audit.readExport': finishedExport,
}

async function deadJob({ h, tenant }: World) {
  const jobId = await queueJob(h.runtime, tenant.organizationId)
  await letDie(h.runtime, h.db, jobId)
  return { jobId }
}

async function finishedExport({ h, tenant: { organizationId }, post }: World) {
  const { id: exportId = '' } = await post('/v1/audit/exports', { to: 1 })
  await writeExport.run(jobContext(h.runtime, writeExport.name), { organizationId, exportId })
  return { exportId }
}

/** A draft that may not be confirmed. */
async function heldOrder(world: World) {
  const { id: orderId = '' } = await placeOrder(world, { draft: true })
  const { holds } = await world.post(`/v1/orders/${orderId}/holds`, { blocks: 'confirm' })
  const [hold] = holds as unknown as readonly { readonly id: string }[]
  return { orderId, holdId: hold?.id ?? '' }
}

const mostEndpointsKept = 30

/** A new endpoint that hears of next to nothing; the oldest makes room, for an organization may not have many. */
async function registerEndpoint({ post, remove, endpoints }: World): Promise<string> {
  if (endpoints.length >= mostEndpointsKept) await remove(`/v1/webhook-endpoints/${endpoints.shift()}`)
  const { id = '' } = await post('/v1/webhook-endpoints', { url: receiverUrl, types: ['stock.mismatch'] })
  endpoints.push(id)
  return id
}

const placeOrder = ({ post, skus }: World, more: object = {}): Promise<Record<string, string>> =>
  post('/v1/orders', { ...more, paymentTerms: 'onAccount', lines: skus.map((sku) => ({ sku, quantity: 1 })) })

/** Values of body fields and query parameters that their schemas do not tell, by name. */
const values: Readonly<Record<string, (world: World) => unknown>> = {
  sku: () => sampleSku,
  locationId: ({ tenant }) => tenant.locationId,
  currency: () => 'GBP',
  country: () => 'GB',
  url: () => receiverUrl,
  eventId: () => 'evt_01jd0000000000000000000000',
  endpointId: () => 'whe_01jd0000000000000000000000',
  source: () => 'shop',
  externalId: () => randomUUID(),
  allowedCidrs: () => ['0.0.0.0/0', '::/0'],
  orderId: () => 'ord_01jd0000000000000000000000',
  number: () => '20260115-AAAAAAAA',
}

/** What an operation needs beyond that, by its id. */
const amendments: Readonly<Record<string, (body: Record<string, unknown>) => Record<string, unknown>>> = {
  'products.create': (body) => ({ ...body, sku: randomUUID() }),
  // Only a checkpoint that was signed of the range is accepted.
  'audit.verify': ({ checkpoint: _checkpoint, ...body }) => body,
}

async function frame(world: World, operation: Operation): Promise<Omit<Sample, 'body'>> {
  const params: Record<string, string> = { ...(await prepared[operation.id]?.(world)) }
  for (const { name } of parametersIn(operation, 'path')) {
    if (name in params) continue
    const make = things[name]
    if (!make) throw new Error(`${operation.id}: add a thing for the path parameter ${name} to test/samples.ts`)
    Object.assign(params, await make(world))
  }
  const filters = parametersIn(operation, 'query').filter(({ name }) => name !== 'after' && name !== 'before')
  const query = Object.fromEntries(
    filters.map(({ name, schema }) => [name, queryText(fill(world, operation, schema, name))]),
  )
  const headers = takesHeader(operation, 'if-match') ? { 'if-match': '*' } : {}
  return { operation, params, query, headers }
}

const queryText = (value: unknown): string | readonly string[] =>
  Array.isArray(value) ? value.map(String) : String(value)

function fullBody(world: World, operation: Operation): unknown {
  if (!operation.body) return undefined
  const body = fill(world, operation, operation.body, '') as Record<string, unknown>
  return amendments[operation.id]?.(body) ?? body
}

/** The example of the document, with ids that exist here. */
function exampleBody({ tenant }: World, operation: Operation): unknown {
  if (!operation.body) return undefined
  const [example] = resolve(operation.body).examples ?? []
  if (example === undefined) throw new Error(`${operation.id}: the schema of its body has no example`)
  return JSON.parse(JSON.stringify(example).replace(/"loc_[0-9a-z]{26}"/g, `"${tenant.locationId}"`))
}

function fill(world: World, operation: Operation, reference: JsonSchema, name: string): unknown {
  const known = values[name]
  if (known) return known(world)
  const schema = resolve(reference)
  if (schema.enum) return schema.enum[0]
  const type = [schema.type].flat().find((candidate) => candidate !== 'null')
  if (type === 'object') return fillObject(world, operation, schema)
  if (type === 'array') return [fill(world, operation, schema.items ?? {}, name)]
  if (type === 'boolean') return true
  if (type === 'integer') return Math.max(1, schema.minimum ?? 1)
  return textFor(operation, schema, name)
}

function fillObject(world: World, operation: Operation, schema: JsonSchema): Record<string, unknown> {
  const free = schema.additionalProperties
  if (typeof free === 'object') return { key: fill(world, operation, free, '') }
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, member]) => [key, fill(world, operation, member, key)]),
  )
}

function textFor(operation: Operation, { format, pattern }: JsonSchema, name: string): string {
  if (format === 'email') return 'someone@example.com'
  if (format === 'date-time') return '2035-01-15T09:30:00.000Z'
  if (pattern === undefined || new RegExp(pattern, 'u').test('text')) return 'text'
  throw new Error(`${operation.id}: add a value for the field ${name} to test/samples.ts`)
}

export type Change = Partial<Sample> & {
  /** The body as it goes over the wire. */
  readonly payload?: string | Buffer
  readonly url?: string
}

/** The sample as a request, with parts replaced. */
export function requestOf(sample: Sample, change: Change = {}): InjectOptions {
  const { operation, params, query, body, headers } = { ...sample, ...change }
  const payload = change.payload ?? (body === undefined ? undefined : JSON.stringify(body))
  const defaults: Headers = {
    ...(operation.idempotency === 'none' ? {} : { 'idempotency-key': randomUUID() }),
    ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const sent = Object.entries({ ...defaults, ...headers }).filter(([, value]) => value !== undefined)
  return {
    method: operation.method,
    url: change.url ?? pathOf(operation, params) + queryString(query),
    headers: Object.fromEntries(sent),
    ...(payload === undefined ? {} : { payload }),
  }
}

export const pathOf = ({ path }: Operation, params: Sample['params']): string =>
  path.replace(/\{([^}]+)\}/g, (_match, name: string) => encodeURIComponent(params[name] ?? ''))

export function queryString(query: Sample['query']): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  )
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}
