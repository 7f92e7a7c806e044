import t from 'tap'
import { databaseState } from '../database-state.ts'
import { type Harness, harness } from '../harness.ts'
import { operations, parametersIn, resolve } from '../operations.ts'
import { createSampler, pathOf, requestOf, type Sample } from '../samples.ts'
import { controls, injections } from './injections.ts'
import { type Place, placesOf, withValue } from './pointers.ts'

const h: Harness = await harness(t)
const texts = [...injections, ...controls]
let stored = 0

/** Fields that are text, but name something that must exist or parse. */
const bound = /\/(allowedCidrs\/\d+|email|url|types\/\d+)$/
const isFree =
  (operationId: string) =>
  ({ pointer, schema, value }: Place): boolean =>
    typeof value === 'string' &&
    !schema.enum &&
    !schema.format &&
    !/^\^\[A-Z|^\^[a-z]{3}_|^\^\[A-Za-z0-9\]/.test(schema.pattern ?? '') &&
    !bound.test(pointer) &&
    (!pointer.endsWith('/sku') || operationId.startsWith('products.'))

const writing = operations.filter(({ body, idempotency }) => body !== null && idempotency !== 'none')

for (const [at, operation] of writing.entries())
  t.test(`${operation.id} stores and returns texts as they came`, async (t) => {
    const tenant = await h.otherTenant()
    const client = h.as(tenant.key)
    const sampler = await createSampler(h, tenant)
    const wrong: string[] = []
    // One body carries as many texts as it has free fields; operations share their code, so each takes a third of all.
    const open = texts.filter((_text, index) => index % 3 === at % 3)
    while (open.length > 0) {
      // An organization has only so many of them.
      if (operation.id === 'webhookEndpoints.create')
        await h.db.query('update webhook_endpoints set archived_at = now() where organization_id = $1', [
          tenant.organizationId,
        ])
      const sample = await sampler.full(operation)
      const fields = operation.body ? placesOf(operation.body, sample.body).filter(isFree(operation.id)) : []
      const { body, given } = withTexts(sample, fields, open.splice(0, Math.max(fields.length, 1)))
      stored += given.length
      const answer = await client.send(requestOf(sample, { body }))
      if (answer.status >= 300) wrong.push(`${JSON.stringify(given)}: ${answer.status} ${answer.text.slice(0, 300)}`)
      for (const [pointer, expected] of given) {
        const got = valueAt(answer.body.data, pointer)
        if (got !== undefined && got !== expected)
          wrong.push(`${pointer}: ${JSON.stringify(got)} for ${JSON.stringify(expected)}`)
      }
      const location = answer.headers.location
      if (location === undefined || answer.status >= 300) continue
      const read = await client.get(new URL(location).pathname)
      for (const [pointer, expected] of given) {
        const got = valueAt(read.body.data, pointer)
        if (got !== undefined && got !== expected) wrong.push(`read ${pointer}: ${JSON.stringify(got)}`)
      }
    }
    t.same(wrong, [])
  })

/** The texts in turn in the free fields, cut to their lengths; left out where a field's pattern keeps them out. */
function withTexts(sample: Sample, fields: readonly Place[], turn: readonly string[]) {
  let body = sample.body
  const given: [string, string][] = []
  for (const [at, { pointer, schema }] of fields.entries()) {
    const { maxLength = 1_000, pattern } = resolve(schema)
    const cut = [...(turn[at % turn.length] ?? '')].slice(0, maxLength).join('')
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(cut)) continue
    body = withValue(body, pointer, cut)
    given.push([pointer, cut])
  }
  return { body, given }
}

const valueAt = (data: unknown, pointer: string): unknown =>
  pointer
    .slice(1)
    .split('/')
    .reduce((node: unknown, key) => (node as Record<string, unknown> | null | undefined)?.[key], data)

t.test('names that mean something to JavaScript are names like any other in metadata', async (t) => {
  const client = h.as(h.tenant.key)
  const keys = [
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    'then',
    '$where',
    'a.b[0]',
    "'; --",
    '👍',
  ]
  const metadata = Object.fromEntries(keys.map((key) => [key, `value of ${key}`]))
  const created = await client.post('/v1/locations', { name: 'names', metadata })
  t.equal(created.status, 201)
  t.same(created.body.data.metadata, metadata)
  t.same((await client.get(`/v1/locations/${created.body.data.id}`)).body.data.metadata, metadata)
})

t.test('minus zero is zero, and 1.0 is one', async (t) => {
  const client = h.as(h.tenant.key)
  const json = { 'content-type': 'application/json' }
  const payload =
    '{"sku":"ZERO","title":"zero","prices":[{"amount":-0,"currency":"GBP"},{"amount":1.0,"currency":"EUR"}]}'
  const created = await client.post('/v1/products', payload, json)
  t.equal(created.status, 201)
  t.match(created.text, /"amount":0,/)
  t.match(created.text, /"amount":1,/)
})

t.test('in a query such texts find nothing and change nothing', async (t) => {
  const client = h.as(h.tenant.key)
  const sampler = await createSampler(h)
  const urls: [operationId: string, url: string][] = []
  for (const operation of operations.filter(({ isPaginated }) => isPaginated)) {
    const { params } = await sampler.full(operation)
    for (const { name, schema } of parametersIn(operation, 'query'))
      if (schema.type === 'string' && name !== 'after' && name !== 'before')
        urls.push([operation.id, `${pathOf(operation, params)}?${name}=`])
  }
  const before = await databaseState(h.db)
  const wrong: string[] = []
  for (const [operationId, url] of urls)
    for (const text of texts) {
      const answer = await client.get(url + encodeURIComponent(text))
      const holdsIt = answer.text.includes(JSON.stringify(text).slice(1, -1))
      const isFound = answer.status === 200 && answer.body.data.length > 0 && !holdsIt
      if (isFound || ![200, 422].includes(answer.status))
        wrong.push(`${operationId} ${text}: ${answer.text.slice(0, 200)}`)
    }
  t.same(wrong, [])
  t.same(await databaseState(h.db), before)
  t.ok(urls.length >= 3, 'there were parameters to try')
})

t.test('many texts went through many fields', async (t) => {
  t.ok(stored > 400, String(stored))
  t.comment(`| literal texts: ${texts.length} texts, ${stored} fields written and read back`)
})
