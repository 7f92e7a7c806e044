import t from 'tap'
import { idOfUuid, newId, uuidOfId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { letDie, queueJob, sampleJobName } from '#test/queued-jobs.ts'
import { recordedEvents } from '#test/recorded-events.ts'

const h = await harness(t)
const other = await h.otherTenant()
const client = h.as(h.tenant.key)
const stranger = h.as(other.key)
const queue = () => queueJob(h.runtime, h.tenant.organizationId)
async function dead(): Promise<string> {
  const id = await queue()
  await letDie(h.runtime, h.db, id)
  return id
}
const events = async (id: string) =>
  (await h.db.query('select type, resource_version, actor, data from ledger where resource_id = $1 order by id', [id]))
    .rows
const lettersOf = async (id: string) =>
  (await h.db.query('select id from pgboss.job where source_id = $1', [uuidOfId(id)])).rowCount

t.test('a job is shown with what it works on, and nobody else sees it', async (t) => {
  const id = await queue()
  const { body } = await client.get(`/v1/jobs/${id}`)
  t.match(body.data, {
    id,
    name: sampleJobName,
    state: 'waiting',
    payload: [{ name: 'orderId', value: /^ord_/ }],
    attempts: 0,
    maxAttempts: 3,
    failure: null,
    requestId: 'req_queued',
    startedAt: null,
    endedAt: null,
  })
  const absent = await client.get(`/v1/jobs/${newId('job')}`)
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/retry'],
    ['POST', '/cancel'],
  ] as const) {
    const answer = await stranger.send({ method, url: `/v1/jobs/${id}${path}` })
    t.equal(answer.status, 404, path)
    t.same({ ...answer.body, instance: '', meta: '' }, { ...absent.body, instance: '', meta: '' }, path)
  }
  t.same((await stranger.get('/v1/jobs')).body.data, [])
})

t.test('jobs of the service itself and jobs of the queue are not shown', async (t) => {
  const id = await h.runtime.jobs.boss.send('stock.verify', {})
  t.equal((await client.get(`/v1/jobs/${idOfUuid('job', id ?? '')}`)).status, 404)
  const { data } = (await client.get('/v1/jobs?limit=100')).body
  t.ok(data.every(({ name }: { name: string }) => name === sampleJobName))
})

t.test('lists newest first, page by page, by name, state and time', async (t) => {
  const { key, organizationId } = await h.otherTenant()
  const lister = h.as(key)
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.unshift(await queueJob(h.runtime, organizationId))
  await letDie(h.runtime, h.db, ids[2] ?? '')
  await lister.post(`/v1/jobs/${ids[4]}/cancel`)
  const idsOf = async (query: string) =>
    (await lister.get(`/v1/jobs?${query}`)).body.data.map(({ id }: { id: string }) => id)
  t.same(await idsOf('limit=100'), ids)
  const seen: string[] = []
  let url = '/v1/jobs?limit=3'
  for (let page = 0; page < 3; page++) {
    const { body } = await lister.get(url)
    seen.push(...body.data.map(({ id }: { id: string }) => id))
    url = `/v1/jobs?limit=3&after=${encodeURIComponent(body.meta.page.nextCursor)}`
    if (page === 1) {
      const back = `/v1/jobs?limit=3&before=${encodeURIComponent(body.meta.page.previousCursor)}`
      t.same(
        (await lister.get(back)).body.data.map(({ id }: { id: string }) => id),
        ids.slice(0, 3),
        'and back',
      )
    }
  }
  t.same(seen, ids)
  t.same(await idsOf('state=dead'), [ids[2]])
  t.same(await idsOf('state=dead&state=cancelled'), [ids[2], ids[4]])
  t.same(await idsOf(`name=${sampleJobName}&state=waiting&limit=2`), [ids[0], ids[1]])
  t.same(await idsOf('name=nothing.known'), [])
  const { createdAt } = (await lister.get(`/v1/jobs/${ids[3]}`)).body.data
  const since = await idsOf(`createdFrom=${createdAt}`)
  const until = await idsOf(`createdTo=${createdAt}`)
  t.same([...since, ...until], ids, 'from includes, to does not')
  t.ok(since.includes(ids[3]))
  t.equal((await lister.get('/v1/jobs?state=lost')).status, 422)
})

t.test('a dead job runs again under its id, with all its attempts; its letter is gone', async (t) => {
  const id = await dead()
  t.match((await client.get(`/v1/jobs/${id}`)).body.data, {
    state: 'dead',
    attempts: 3,
    failure: { code: 'ORDER_NOT_FOUND' },
  })
  t.equal(await lettersOf(id), 1)
  const retried = await client.post(`/v1/jobs/${id}/retry`)
  t.match(retried.body.data, { id, state: 'retrying', attempts: 3, maxAttempts: 6, endedAt: null })
  t.equal(await lettersOf(id), 0)
  t.match(await events(id), [{ type: 'job.retried', actor: { type: 'apiKey' }, data: { id, state: 'retrying' } }])
  const again = await client.post(`/v1/jobs/${id}/retry`)
  t.match([again.status, again.body.error.code], [409, 'JOB_NOT_DEAD'])
  const [fetched] = await h.runtime.jobs.boss.fetch(sampleJobName, { batchSize: 100, includeMetadata: true })
  t.ok(fetched, 'a worker gets it')
})

t.test('retried with the same key it happens once', async (t) => {
  const id = await dead()
  const headers = { 'idempotency-key': 'retry-once' }
  const [first, second] = [
    await client.send({ method: 'POST', url: `/v1/jobs/${id}/retry`, headers }),
    await client.send({ method: 'POST', url: `/v1/jobs/${id}/retry`, headers }),
  ]
  t.same([first.status, second.status], [200, 200])
  t.same(second.body.data, first.body.data)
  t.equal((await events(id)).length, 1)
})

t.test('two who retry or redrive it at once let it run again once', async (t) => {
  const id = await dead()
  const answers = await Promise.all([
    ...Array.from({ length: 3 }, () => client.post(`/v1/jobs/${id}/retry`)),
    ...Array.from({ length: 3 }, () => client.post(`/v1/dead-letters/${id}/redrive`)),
  ])
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.ok(answers.every(({ status }) => [200, 404, 409].includes(status)))
  t.equal((await events(id)).length, 1)
})

t.test('a job that waits is cancelled; one that is over is not', async (t) => {
  const id = await queue()
  t.match((await client.post(`/v1/jobs/${id}/cancel`)).body.data, { id, state: 'cancelled', endedAt: /Z$/ })
  t.match(await events(id), [{ type: 'job.cancelled', resource_version: 1 }])
  const again = await client.post(`/v1/jobs/${id}/cancel`)
  t.match([again.status, again.body.error.code], [409, 'JOB_OVER'])
  t.match((await client.post(`/v1/jobs/${await dead()}/cancel`)).body.error.code, 'JOB_OVER')
  t.match((await client.post(`/v1/jobs/${id}/retry`)).body.error.code, 'JOB_NOT_DEAD')
})

t.test('dead letters are listed to their organization, and redriven one by one', async (t) => {
  const id = await dead()
  const letters = (await client.get('/v1/dead-letters')).body.data
  t.match(letters[0], {
    id,
    name: sampleJobName,
    attempts: 3,
    failure: { code: 'ORDER_NOT_FOUND' },
    payload: [{ name: 'orderId' }],
    diedAt: /Z$/,
  })
  t.same((await stranger.get('/v1/dead-letters')).body.data, [])
  t.equal((await stranger.post(`/v1/dead-letters/${id}/redrive`)).status, 404)
  t.match((await client.post(`/v1/dead-letters/${id}/redrive`)).body.data, { id, state: 'retrying' })
  const again = await client.post(`/v1/dead-letters/${id}/redrive`)
  t.match([again.status, again.body.error.code], [404, 'DEAD_LETTER_NOT_FOUND'])
})

t.test('a letter that outlived its job is redriven under the same id', async (t) => {
  const id = await dead()
  await h.db.query('delete from pgboss.job where id = $1', [uuidOfId(id)])
  t.equal((await client.get(`/v1/jobs/${id}`)).status, 404)
  const { data } = (await client.post(`/v1/dead-letters/${id}/redrive`)).body
  t.match(data, { id, name: sampleJobName, state: 'retrying', attempts: 0, maxAttempts: 3 })
  t.same((await client.get(`/v1/jobs/${id}`)).body.data, data)
})

t.test('all dead jobs of a name are redriven, and none of another organization', async (t) => {
  const mine = await h.otherTenant()
  const ids: string[] = []
  for (let i = 0; i < 5; i++) {
    const id = await queueJob(h.runtime, mine.organizationId)
    await letDie(h.runtime, h.db, id)
    ids.push(id)
  }
  const theirs = await dead()
  const redriver = h.as(mine.key)
  const nothing = await redriver.post('/v1/dead-letters/redrive', { name: 'stock.verify' })
  t.same(nothing.body.data, { redriven: 0, hasMore: false })
  const answer = await redriver.post('/v1/dead-letters/redrive', { name: sampleJobName })
  t.same(answer.body.data, { redriven: 5, hasMore: false })
  for (const id of ids) t.match(await events(id), [{ type: 'job.retried' }])
  t.equal(await lettersOf(theirs), 1)
})

t.test('reading and changing need their scopes', async (t) => {
  const reader = h.as(await h.tenant.keyWith(['jobs:read']))
  const id = await dead()
  t.equal((await reader.get(`/v1/jobs/${id}`)).status, 200)
  t.equal((await reader.post(`/v1/jobs/${id}/retry`)).status, 403)
  t.equal((await reader.post('/v1/dead-letters/redrive', { name: sampleJobName })).status, 403)
})

t.test('what the events tell is what their schemas say', async (t) => {
  const told = (await recordedEvents(h)).map(({ type }) => type).filter((type) => type.startsWith('job.'))
  t.same([...new Set(told)].sort(), ['job.cancelled', 'job.retried'])
})
