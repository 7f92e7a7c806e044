import pg from 'pg'
import t from 'tap'
import { startRelay } from '#platform/relay/relay.ts'
import { harness } from './harness.ts'
import { beginAs, recordVersion } from './ledger-rows.ts'
import { ownCluster } from './own-cluster.ts'
import { until } from './until.ts'

const organizationId = 'org_one'

t.test('a version between two others is numbered between them, although its transaction began last', async (t) => {
  const { databaseUrl } = await ownCluster(t)
  const { runtime, db } = await harness(t, { databaseUrl })
  const relay = startRelay({ ...runtime, fanOuts: [] })
  t.teardown(() => relay.stop())
  /** Transactions are numbered in the order in which they first write. */
  const open = async () => {
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    t.teardown(() => client.end())
    await beginAs(client, organizationId)
    await client.query('select pg_current_xact_id()')
    return client
  }
  const commit = async (client: pg.Client, version: number, resourceId = 'prd_late') => {
    await recordVersion(client, resourceId, version)
    await client.query('commit')
  }
  const versions = async (resourceId = 'prd_late') => {
    const { rows } = await db.query(
      `select resource_version from events join ledger using (organization_id, id)
       where events.resource_id = $1 order by sequence`,
      [resourceId],
    )
    return rows.map(({ resource_version }) => resource_version)
  }
  await commit(await open(), 1, 'prd_first')
  await until('the relay is at work', async () => (await versions('prd_first')).length === 1)

  const [first, third, bystander, second] = [await open(), await open(), await open(), await open()]
  await commit(first, 1)
  await commit(second, 2)
  await commit(third, 3)
  await until('the third version is numbered', async () => (await versions()).includes(3))
  t.same(await versions(), [1, 2, 3], 'while a transaction that began before the second goes on')
  await bystander.query('rollback')
  await commit(await open(), 1, 'prd_last')
  await until('the relay has passed the second', async () => (await versions('prd_last')).length === 1)
  t.same(await versions(), [1, 2, 3], 'and after it has ended')
})
