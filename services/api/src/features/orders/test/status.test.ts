import t from 'tap'
import { type Scope, scopes } from '#platform/scopes.ts'
import { allowedActions, allowsTransition, orderActions, orderStatuses, owesNothingNow } from '../status.ts'

const order = (status: string, more: object = {}) => ({
  status,
  payment_terms: 'onAccount',
  total_amount: 100,
  holds: [],
  ...more,
})

t.test('each action is possible from these statuses', async (t) => {
  const open = ['draft', 'pending', 'confirmed', 'processing']
  const expected = {
    place: ['draft'],
    confirm: ['pending'],
    update: open,
    cancel: ['draft', 'pending', 'confirmed'],
    cancelLine: ['pending', 'confirmed', 'processing'],
    addHold: open,
    releaseHold: open,
    expire: ['pending'],
  }
  for (const action of [...orderActions, 'expire'] as const)
    t.same(
      orderStatuses.filter((status) => allowsTransition(action, status)),
      expected[action],
      action,
    )
})

t.test('allowed actions follow from status, holds, payment and the scopes of the caller', async (t) => {
  const all = new Set(scopes)
  const manual = { kind: 'manual', blocks: 'confirm' }
  for (const [given, expected] of [
    [order('draft'), ['place', 'update', 'cancel', 'addHold']],
    [order('pending'), ['confirm', 'update', 'cancel', 'cancelLine', 'addHold']],
    [order('pending', { payment_terms: 'prepaid' }), ['update', 'cancel', 'cancelLine', 'addHold']],
    [
      order('pending', { payment_terms: 'prepaid', total_amount: 0 }),
      ['confirm', 'update', 'cancel', 'cancelLine', 'addHold'],
    ],
    [order('pending', { holds: [manual] }), ['update', 'cancel', 'cancelLine', 'addHold', 'releaseHold']],
    [
      order('pending', { holds: [{ kind: 'fraudReview', blocks: 'confirm' }] }),
      ['update', 'cancel', 'cancelLine', 'addHold'],
    ],
    [
      order('pending', { holds: [{ ...manual, blocks: 'fulfill' }] }),
      ['confirm', 'update', 'cancel', 'cancelLine', 'addHold', 'releaseHold'],
    ],
    [order('confirmed'), ['update', 'cancel', 'cancelLine', 'addHold']],
    [order('processing'), ['update', 'cancelLine', 'addHold']],
    [order('completed'), []],
    [order('cancelled', { holds: [manual] }), []],
    [order('expired'), []],
    [order('rejected'), []],
  ] as const) {
    t.same(allowedActions(given, all), expected, JSON.stringify(given))
    t.same(allowedActions(given, new Set<Scope>(['orders:read', 'orders:price'])), [], 'nothing for a reader')
  }
})

t.test('an order on account, or one that costs nothing, owes nothing before delivery', async (t) => {
  for (const [payment_terms, total_amount, expected] of [
    ['onAccount', 100, true],
    ['onAccount', 0, true],
    ['prepaid', 0, true],
    ['prepaid', 1, false],
  ] as const)
    t.equal(owesNothingNow({ payment_terms, total_amount }), expected, `${payment_terms} ${total_amount}`)
})
