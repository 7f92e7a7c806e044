import t, { type Test } from 'tap'
import { newSecret } from '#features/identity/secret.ts'
import { newId } from '#platform/id.ts'
import { type Scope, scopes } from '#platform/scopes.ts'
import { publicPrefix, publicRoutes, type Row, rows } from './authorization-rows.ts'
import { databaseState } from './database-state.ts'
import type { Tenant } from './factories.ts'
import { type Harness, harness } from './harness.ts'
import type { Answer } from './http-client.ts'
import { type Operation, operations, parametersIn } from './operations.ts'
import { createSampler, requestOf, type Sample } from './samples.ts'

const h: Harness = await harness(t, {
  env: { RATE_LIMIT_FAILED_AUTHENTICATION: '1000000', AUTHENTICATION_CACHE_TTL_MS: '0' },
})
const stranger = await h.otherTenant()

t.test('every route has a row, and is open to whom the row says', async (t) => {
  const byRoute = new Map(
    operations.map(({ id, method, path }) => [`${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`, id]),
  )
  for (const { method, url, access } of h.app.http.declaredRoutes) {
    const id = byRoute.get(`${method === 'HEAD' ? 'GET' : method} ${url}`)
    const row = id === undefined ? undefined : rows[id]
    const isPublic = publicRoutes.includes(url) || url.startsWith(publicPrefix)
    if (isPublic) t.same(access, { public: true }, `${method} ${url}`)
    else if (!row) t.fail(`${method} ${url} (${id ?? 'not in the document'}) has no row in test/authorization-rows.ts`)
    else t.same(access, row.scope === null ? { anyCredential: true } : { scope: row.scope }, `${method} ${url}`)
  }
  const documented = operations.map(({ id }) => id)
  t.same(
    Object.keys(rows).filter((id) => !documented.includes(id)),
    [],
    'no row is left over',
  )
  for (const { id, scope, isPublic } of operations)
    t.same({ scope, isPublic }, { scope: rows[id]?.scope ?? null, isPublic: false }, id)
})

/** Credentials that open nothing, by what is wrong with them. */
async function worthlessKeys(tenant: Tenant): Promise<Readonly<Record<string, string | undefined>>> {
  const [expired, revoked, elsewhere, rotated] = [
    await tenant.keyWith([...scopes]),
    await tenant.keyWith([...scopes]),
    await tenant.keyWith([...scopes]),
    await tenant.keyWith([...scopes]),
  ]
  const change = async (key: string, text: string): Promise<void> => {
    const { id } = (await h.as(key).get('/v1/me')).body.data.apiKey
    await h.db.query(`update api_keys set ${text} where id = $1`, [id])
  }
  await change(expired, `expires_at = now() - interval '1 second'`)
  await change(revoked, 'revoked_at = now()')
  await change(elsewhere, `allowed_cidrs = '{203.0.113.0/24,2001:db8::/32}'`)
  const { id } = (await h.as(rotated).get('/v1/me')).body.data.apiKey
  await h.as(tenant.key).post(`/v1/api-keys/${id}/rotate`, { overlapSeconds: 0 })
  const { key } = tenant
  return {
    'no key': undefined,
    'a malformed key': 'nonsense',
    'an unknown key': newSecret('test').secret,
    'a key with a letter changed': key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A'),
    'a key cut off': key.slice(0, -1),
    'a key of the other mode': key.replace('sk_test_', 'sk_live_'),
    'a key in upper case': key.toUpperCase(),
    'an expired key': expired,
    'a revoked key': revoked,
    'a key from another address': elsewhere,
    'a rotated key after its overlap': rotated,
  }
}

t.test('every operation is closed to every credential but the right one', async (t) => {
  const worthless = await worthlessKeys(h.tenant)
  const sampler = await createSampler(h)
  for (const operation of operations) {
    const row = rowOf(operation)
    const sample = await sampler.example(operation)
    const without = await h.tenant.keyWith(scopes.filter((scope) => scope !== row.scope))
    const before = await databaseState(h.db)
    for (const [name, key] of Object.entries(worthless)) await refuses(t, sample, key, 401, 'UNAUTHORIZED', name)
    if (row.scope !== null) await refuses(t, sample, without, 403, 'FORBIDDEN', 'a key without the scope')
    t.same(await databaseState(h.db), before, `${operation.id}: nothing changed`)
    const only = await h.tenant.keyWith([
      ...(row.scope ? [row.scope] : ['stock:read' as Scope]),
      ...(row.alsoNeeds ?? []),
    ])
    const accepted = await h.as(only).send(requestOf(sample))
    t.ok(
      accepted.status < 300,
      `${operation.id} with its scope alone: ${accepted.status} ${accepted.text.slice(0, 200)}`,
    )
  }
})

async function refuses(
  t: Test,
  sample: Sample,
  key: string | undefined,
  status: number,
  code: string,
  name: string,
): Promise<void> {
  const { operation } = sample
  const { method, ...rest } = requestOf(sample)
  const answer = await h.as(key).send({ method: method ?? 'GET', ...rest })
  t.match({ status: answer.status, code: answer.body.error?.code }, { status, code }, `${operation.id}: ${name}`)
  if (status === 401) t.match(answer.headers['www-authenticate'], /^Bearer /)
  if (operation.method !== 'GET') return
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const head = await h.app.http.inject({ method: 'HEAD', url: String(rest.url), headers: authorization })
  t.equal(head.statusCode, status, `${operation.id}: ${name}, HEAD`)
}

t.test("another tenant's object answers as an absent one, byte by byte", async (t) => {
  const sampler = await createSampler(h)
  for (const operation of operations) {
    const row = rowOf(operation)
    t.equal(
      row.absent !== null,
      parametersIn(operation, 'path').length > 0,
      `${operation.id}: its row says whether it names an object`,
    )
    if (row.absent === null) continue
    const sample = await sampler.example(operation)
    const nothing = { ...sample, params: absentParams(sample.params) }
    const before = await databaseState(h.db)
    const [foreign, absent, own] = [
      await h.as(stranger.key).send(requestOf(sample)),
      await h.as(stranger.key).send(requestOf(nothing)),
      await h.as(h.tenant.key).send(requestOf(nothing)),
    ]
    t.match({ status: foreign.status, code: foreign.body.error?.code }, row.absent, operation.id)
    t.same(anonymous(foreign, sample.params), anonymous(absent, nothing.params), `${operation.id}: foreign and absent`)
    t.same(anonymous(own, nothing.params), anonymous(absent, nothing.params), `${operation.id}: absent to anybody`)
    const stale = { ...sample, headers: { ...sample.headers, 'if-match': '"99"', 'if-none-match': '*' } }
    if (row.absent.status === 404)
      t.equal(
        (await h.as(stranger.key).send(requestOf(stale))).status,
        404,
        `${operation.id}: whatever version is named`,
      )
    t.same(await databaseState(h.db), before, `${operation.id}: nothing changed`)
  }
})

/** Ids of the same form that nobody has. */
function absentParams(params: Sample['params']): Sample['params'] {
  const other = (name: string, value: string): string => {
    const prefix = /^([a-z]{3})_[0-7]/.exec(value)?.[1]
    if (prefix === undefined) return name === 'source' ? value : `no-${name}`
    return `${prefix}_${newId('req').slice(4)}`
  }
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, other(name, value)]))
}

const perRequest = new Set(['x-request-id', 'date', 'content-length', 'ratelimit-remaining', 'ratelimit-reset'])

/** An answer without what names the request or the objects it asked for. */
function anonymous({ status, headers, text, body }: Answer, params: Sample['params']) {
  const hidden = Object.values(params).filter((value) => value.length > 4)
  const told = [body.meta.requestId, ...hidden, ...hidden.map(encodeURIComponent)].reduce(
    (rest: string, value) => rest.replaceAll(value, '…'),
    text,
  )
  const kept = Object.entries(headers).filter(([name]) => !perRequest.has(name))
  return { status, text: told, headers: Object.fromEntries(kept) }
}

function rowOf({ id }: Operation): Row {
  const row = rows[id]
  if (!row) throw new Error(`${id} has no row in test/authorization-rows.ts`)
  return row
}
