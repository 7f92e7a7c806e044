import t from 'tap'
import type { Alert } from '#platform/alerts.ts'
import { idOfUuid, uuidOfId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { letDie, queueJob, sampleJobName, untold } from '#test/queued-jobs.ts'
import { recordedEvents } from '#test/recorded-events.ts'
import { until } from '#test/until.ts'
import { watchDeaths } from '../jobs.ts'

const h = await harness(t)
const raised: Alert[] = []
const alerts = { raise: (alert: Alert) => void raised.push(alert), close: async () => {} }
const watch = () => watchDeaths({ ...h.runtime, alerts, intervalMs: 20 })

t.test('each death is told once, however many watch: an alert, and an event of its organization', async (t) => {
  const tenants = [h.tenant, await h.otherTenant()]
  const ids = new Map<string, string>()
  for (let i = 0; i < 24; i++) {
    const { organizationId } = tenants[i % 2] ?? h.tenant
    const id = await queueJob(h.runtime, organizationId)
    await letDie(h.runtime, h.db, id)
    ids.set(id, organizationId)
  }
  const watches = [watch(), watch(), watch()]
  await until('all are told', async () => (await untold(h.db)) === 0)
  for (const one of watches) await one.stop()
  t.same(raised.map(({ jobId }) => jobId).sort(), [...ids.keys()].sort())
  for (const alert of raised)
    t.match(alert, {
      alert: 'job.dead',
      jobName: sampleJobName,
      organizationId: ids.get(String(alert.jobId)),
      requestId: 'req_queued',
      attempts: 3,
      code: 'ORDER_NOT_FOUND',
    })
  const { rows } = await h.db.query(
    `select organization_id, resource_id, data, actor from ledger where type = 'job.dead'`,
  )
  t.equal(rows.length, ids.size)
  for (const row of rows) {
    t.equal(row.organization_id, ids.get(row.resource_id))
    t.match(row, { data: { id: row.resource_id, failure: { code: 'ORDER_NOT_FOUND' } }, actor: { type: 'system' } })
  }
})

t.test('a dead job of the service itself is an alert without an organization', async (t) => {
  raised.length = 0
  const id = idOfUuid('job', (await h.runtime.jobs.boss.send('stock.verify', null)) ?? '')
  await letDie(h.runtime, h.db, id, 'stock.verify')
  const one = watch()
  await until('it is told', async () => (await untold(h.db)) === 0)
  await one.stop()
  t.match(raised, [{ alert: 'job.dead', jobId: id, jobName: 'stock.verify', organizationId: null }])
  t.same((await h.db.query('select 1 from ledger where resource_id = $1', [id])).rows, [])
})

t.test('a job that dies again after a retry is told of again', async (t) => {
  raised.length = 0
  const id = await queueJob(h.runtime, h.tenant.organizationId)
  const one = watch()
  for (const times of [1, 2]) {
    await letDie(h.runtime, h.db, id)
    await until('it is told', () => raised.length === times)
    await until('its event is written', async () => {
      const { rows } = await h.db.query(`select 1 from ledger where resource_id = $1 and type = 'job.dead'`, [id])
      return rows.length === times
    })
    t.equal((await h.as(h.tenant.key).post(`/v1/jobs/${id}/retry`)).status, 200)
  }
  await one.stop()
  t.equal((await h.db.query('select 1 from pgboss.job where source_id = $1', [uuidOfId(id)])).rowCount, 0)
})

t.test('what the event tells is what its schema says', async (t) => {
  t.ok((await recordedEvents(h)).some(({ type }) => type === 'job.dead'))
})
