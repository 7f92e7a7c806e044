import t from 'tap'
import { type Scope, scopes } from '#platform/scopes.ts'
import { allowedActions, allowsTransition, confirmsAtOnce, orderStatuses } from '../status.ts'

t.test(
  'an order can be cancelled while it is pending or confirmed, and expires only while it is pending',
  async (t) => {
    const allowing = (action: 'cancel' | 'expire') => orderStatuses.filter((status) => allowsTransition(action, status))
    t.same(allowing('cancel'), ['pending', 'confirmed'])
    t.same(allowing('expire'), ['pending'])
  },
)

t.test('allowed actions are what the status and the scopes of the caller allow', async (t) => {
  const all = new Set(scopes)
  const reading = new Set<Scope>(['orders:read'])
  for (const status of orderStatuses) {
    const cancellable = status === 'pending' || status === 'confirmed'
    t.same(allowedActions(status, all), cancellable ? ['cancel'] : [], status)
    t.same(allowedActions(status, reading), [], `${status}, read only`)
  }
})

t.test('an order that owes nothing before delivery is confirmed at once', async (t) => {
  for (const [terms, total, expected] of [
    ['onAccount', 100, true],
    ['onAccount', 0, true],
    ['prepaid', 0, true],
    ['prepaid', 1, false],
  ] as const)
    t.equal(confirmsAtOnce(terms, total), expected, `${terms} ${total}`)
})
