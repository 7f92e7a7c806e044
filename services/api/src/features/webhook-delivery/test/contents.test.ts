import t from 'tap'
import type { NumberedEvent } from '#platform/relay/fan-out.ts'
import { createRecentContents } from '../sending/contents.ts'

const event = (id: string, organizationId = 'org_a'): NumberedEvent => ({
  organizationId,
  traceparent: '00-1-2-01',
  id,
  sequence: 7,
  type: 'order.placed',
  schemaVersion: 1,
  occurredAt: '2026-01-02T03:04:05.678Z',
  actor: { type: 'user', id: 'usr_a', keyId: null },
  requestId: 'req_a',
  resource: { type: 'order', id: 'ord_a', version: 1 },
  changed: [],
  data: { id: 'ord_a' },
})

t.test('is kept for as many deliveries as there are, for its own tenant', async (t) => {
  const recent = createRecentContents()
  recent.keep(event('evt_a'))
  recent.keep(event('evt_a'))
  t.equal(recent.take('org_b', 'evt_a'), undefined)
  const first = recent.take('org_a', 'evt_a')
  t.match(JSON.parse(first?.body ?? ''), { id: 'evt_a', sequence: 7, data: { id: 'ord_a' } })
  t.equal(first?.traceparent, '00-1-2-01')
  t.equal(recent.take('org_a', 'evt_a')?.body, first?.body)
  t.equal(recent.take('org_a', 'evt_a'), undefined, 'nothing stays behind')
})

t.test('is bounded: of many that wait, the newest are kept', async (t) => {
  const recent = createRecentContents()
  for (let number = 0; number < 600; number++) recent.keep(event(`evt_${number}`))
  t.equal(recent.take('org_a', 'evt_0'), undefined)
  t.ok(recent.take('org_a', 'evt_599'))
})
