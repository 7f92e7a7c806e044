import { randomUUID } from 'node:crypto'
import t from 'tap'
import { canonicalJson } from '#platform/canonical-json.ts'
import { scopes } from '#platform/scopes.ts'
import { document } from './contract-check.ts'
import { harness } from './harness.ts'
import { operations } from './operations.ts'
import { createSampler, pathOf, requestOf, type Sample } from './samples.ts'

/** Ways around the front door: cursors, entity tags and stored answers of somebody else. */
const h = await harness(t)
const stranger = await h.otherTenant()
const sampler = await createSampler(h)
const strangers = await createSampler(h, stranger)
const [mine, theirs] = [h.as(h.tenant.key), h.as(stranger.key)]

t.test('a cursor opens no list of another tenant, and none of another object', async (t) => {
  for (const operation of operations.filter(({ isPaginated }) => isPaginated)) {
    const { params } = await sampler.example(operation)
    const url = pathOf(operation, params)
    const position = ['2026-01-15T09:30:00.000Z', 'x']
    const binding = `${operation.id} ${h.tenant.organizationId} ${canonicalJson([params, {}])}`
    const cursor = h.app.http.kernel.cursors.encode(position, binding)
    const own = await mine.get(`${url}?after=${cursor}`)
    t.not(own.body.error?.code, 'INVALID_CURSOR', `${operation.id}: its own cursor is read`)
    for (const where of [`?after=${cursor}`, `?before=${cursor}`, `?after=${cursor}&limit=1`]) {
      const answer = await theirs.get(url + where)
      t.match(
        { status: answer.status, code: answer.body.error?.code },
        { status: 400, code: 'INVALID_CURSOR' },
        operation.id,
      )
    }
  }
})

/** Ids in examples and samples are everybody's. */
const published = JSON.stringify(document)

t.test('lists and reads of one tenant hold nothing of another', async (t) => {
  const ids = new Set<string>([h.tenant.organizationId, h.tenant.locationId, h.tenant.keyId])
  for (const operation of operations) {
    const sample = await sampler.example(operation)
    for (const value of Object.values(sample.params)) if (/_[0-9a-z]{26}$/.test(value)) ids.add(value)
    const answer = await mine.send(requestOf(sample))
    t.ok(answer.status < 300, operation.id)
    for (const [id] of answer.text.matchAll(/\b[a-z]{3}_[0-7][0-9a-z]{25}\b/g))
      if (!id.startsWith('req_') && !published.includes(id)) ids.add(id)
  }
  t.ok(ids.size > 20)
  for (const operation of operations) {
    const answer = await theirs.send(requestOf(await strangers.example(operation)))
    const leaked = [...ids].filter((id) => answer.text.includes(id))
    t.same(leaked, [], operation.id)
  }
})

t.test('an entity tag tells nobody of another tenant that the thing is there', async (t) => {
  for (const operation of operations.filter(({ method, path }) => method === 'GET' && path.includes('{'))) {
    const sample = await sampler.example(operation)
    const own = await mine.send(requestOf(sample))
    const tag = own.headers.etag
    if (tag === undefined) continue
    const asked = { ...sample, headers: { 'if-none-match': tag } }
    t.equal((await mine.send(requestOf(asked))).status, 304, operation.id)
    for (const headers of [{ 'if-none-match': tag }, { 'if-none-match': '*' }])
      t.equal((await theirs.send(requestOf({ ...sample, headers }))).status, 404, operation.id)
  }
})

t.test('a stored answer is given to the principal who got it first, and to nobody else', async (t) => {
  const colleague = h.as(await h.tenant.keyWith([...scopes]))
  for (const operation of operations.filter(({ idempotency }) => idempotency !== 'none')) {
    const key = randomUUID()
    const keyed = (sample: Sample) => requestOf({ ...sample, headers: { ...sample.headers, 'idempotency-key': key } })
    const sample = await sampler.example(operation)
    const body = operation.id === 'products.create' ? { ...(sample.body as object), sku: randomUUID() } : sample.body
    const first = await mine.send(keyed({ ...sample, body }))
    t.ok(first.status < 300, `${operation.id} ${first.text}`)
    const again = await mine.send(keyed({ ...sample, body }))
    t.equal(again.headers['idempotency-replayed'], 'true', `${operation.id}: the same principal`)
    t.equal(again.data, first.data, operation.id)
    for (const [name, answer] of [
      ['a colleague', await colleague.send(keyed({ ...sample, body }))],
      ['another tenant', await theirs.send(keyed({ ...sample, body }))],
    ] as const) {
      t.equal(answer.headers['idempotency-replayed'], undefined, `${operation.id}: ${name}`)
      if (name !== 'a colleague') t.not(answer.text.includes(h.tenant.organizationId), true, operation.id)
    }
  }
})

t.test('a rotated key goes on where the old one was', async (t) => {
  const secret = await h.tenant.keyWith([...scopes])
  const { id } = (await h.as(secret).get('/v1/me')).body.data.apiKey
  const headers = { 'idempotency-key': randomUUID() }
  const first = await h.as(secret).post('/v1/locations', { name: 'once' }, headers)
  const rotated = (await mine.post(`/v1/api-keys/${id}/rotate`, {})).body.data.secret
  const again = await h.as(rotated).post('/v1/locations', { name: 'once' }, headers)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(again.data, first.data)
})
