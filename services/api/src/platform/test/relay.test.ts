import t from 'tap'
import { chainFaults } from '#test/chain.ts'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'

const h = await harness(t)
const other = await h.otherTenant()
await h.tenant.stock([{ sku: 'MUG', onHand: 50 }])
await other.stock([{ sku: 'MUG', onHand: 50 }])

t.test('numbers what is in the ledger, from 1 in each organization, and chains it', async (t) => {
  const body = { paymentTerms: 'onAccount', customer: { name: 'Ann' }, lines: [{ sku: 'MUG', quantity: 1 }] }
  for (const { key } of [h.tenant, other, h.tenant]) t.equal((await h.as(key).post('/v1/orders', body)).status, 201)
  const { rows: ledger } = await h.db.query('select * from ledger order by xid, id')
  t.equal(await relay(h), ledger.length)
  t.equal(await relay(h), 0, 'once')
  for (const { organizationId } of [h.tenant, other]) {
    const { rows } = await h.db.query(
      `select e.sequence::int, e.hash, e.personal_digest, l.* from events e join ledger l using (organization_id, id)
       where organization_id = $1 order by sequence`,
      [organizationId],
    )
    const own = ledger.filter((row) => row.organization_id === organizationId)
    t.same(
      rows.map(({ id }) => id),
      own.map(({ id }) => id),
    )
    t.same(
      rows.map(({ sequence }) => sequence),
      own.map((_, index) => index + 1),
    )
  }
  t.same(await chainFaults(h.db), [])
})
