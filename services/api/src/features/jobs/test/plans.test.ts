import t, { type Test } from 'tap'
import type { View } from '#platform/work.ts'
import { pagesOf, planNodes } from '#test/explained.ts'
import { harness } from '#test/harness.ts'
import { plansOf } from '#test/plans.ts'
import { selectDeadLetters, selectJob, selectJobs, selectUntold } from '../repository.ts'

/** JOB_ROWS=1000000 for the full size; the pages touched do not depend on it. */
const rowCount = Number(process.env.JOB_ROWS ?? 50_000)
const mostPages = 400
const { tenant, db } = await harness(t)

/** Of every thousand jobs one is dead and one waits; one in a hundred belongs to somebody else. */
await db.query(
  `insert into pgboss.job_common (name, data, state, policy, dead_letter, group_id, created_on, started_on, completed_on)
  select 'orders.expire', jsonb_build_object('payload', jsonb_build_object('orderId', 'ord_' || n)),
    (case n % 1000 when 0 then 'failed' when 1 then 'created' else 'completed' end)::pgboss.job_state, 'short',
    'orders.expire.dead', case when n % 100 = 7 then 'org_other' else $1 end,
    now() - n * interval '1 s', now() - n * interval '1 s', now() - n * interval '1 s'
  from generate_series(1, $2::integer) n
  on conflict do nothing`,
  [tenant.organizationId, rowCount],
)
await db.query(
  `insert into pgboss.job_common (name, data, state, group_id, source_id, source_name, source_created_on, source_retry_count,
    created_on, started_on)
  select dead_letter, data, 'created', group_id, id, name, created_on, 2, completed_on, now()
  from pgboss.job_common where state = 'failed'`,
)
await db.query('vacuum analyze pgboss.job_common')

async function isServedByIndexes(t: Test, name: string, read: (view: View) => Promise<unknown>, found = 21) {
  for (const plan of await plansOf(db, tenant.organizationId, read)) {
    const nodes = planNodes(plan)
    const scans = nodes.filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] !== 'queue')
    t.same(scans, [], `${name}: no scan of the jobs`)
    t.equal(plan['Actual Rows'], found, `${name}: rows`)
    const touched = pagesOf(plan)
    const indexes = new Set(nodes.map((node) => node['Index Name']).filter((index) => index?.startsWith('job_common')))
    t.comment(`| ${name}: ${touched} pages of ${rowCount} jobs, by ${[...indexes].join(', ')}`)
    t.ok(touched <= mostPages, `${name}: ${touched} pages touched`)
  }
}

const page = { limit: 20, direction: 'forward', position: null } as const
const all = ['created', 'retry', 'active', 'completed', 'cancelled', 'failed'] as const
const middle = { ...page, position: [new Date(Date.now() - (rowCount / 2) * 1_000).toISOString(), zero()] } as const

function zero(): string {
  return '00000000-0000-0000-0000-000000000000'
}

t.test('lists of jobs read what they show, however many there are', async (t) => {
  const first = (states: typeof all | readonly ['failed'], name: string | null) => ({ name, states })
  await isServedByIndexes(t, 'newest', (view) => selectJobs(view, first(all, null), page))
  await isServedByIndexes(t, 'in the middle', (view) => selectJobs(view, first(all, null), middle))
  await isServedByIndexes(t, 'backwards', (view) =>
    selectJobs(view, first(all, null), { ...middle, direction: 'backward' }),
  )
  await isServedByIndexes(t, 'dead ones', (view) => selectJobs(view, first(['failed'], null), page))
  await isServedByIndexes(t, 'of a name', (view) => selectJobs(view, first(all, 'orders.expire'), page))
  const to = new Date(Date.now() - rowCount * 900).toISOString()
  await isServedByIndexes(t, 'long ago', (view) => selectJobs(view, { ...first(all, null), to }, page))
  await isServedByIndexes(t, 'dead letters', (view) => selectDeadLetters(view, null, page))
})

t.test('so do one job, and the watch', async (t) => {
  await isServedByIndexes(t, 'one', (view) => selectJob(view, zero()), 0)
  await isServedByIndexes(t, 'untold', (view) => selectUntold(view.db as never, 100), 0)
})
