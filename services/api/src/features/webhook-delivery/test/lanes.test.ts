import t from 'tap'
import { type Lanes, type OnItsWay, type Pace, paceOf, shareOut } from '../sending/lanes.ts'
import type { Candidate } from '../sending/repository.ts'

const now = 100_000

const candidate = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  organization_id: 'org_a',
  id,
  url: 'https://shop.example/',
  max_concurrency: 20,
  mode: 'any',
  mine: true,
  ...more,
})

/** `busy`: how many are on their way, by endpoint, and for how long. */
function lanes(
  paces: Readonly<Record<string, Pace>>,
  busy: Readonly<Record<string, readonly [number, number]>> = {},
): Lanes {
  const inFlight = new Map<string, OnItsWay>()
  for (const [endpointId, [count, ageMs]] of Object.entries(busy))
    for (let n = 0; n < count; n++) inFlight.set(`${endpointId}-${n}`, { endpointId, since: now - ageMs })
  return { inFlight, mostInFlight: 64, paces: new Map(Object.entries(paces)), served: new Map(), now }
}

const slotsOf = (given: Lanes, candidates: readonly Candidate[], done: readonly string[] = []) =>
  Object.fromEntries(shareOut(given, candidates, new Set(done)).map(({ candidate: { id }, slots }) => [id, slots]))

const named = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}${n}`)
const all = <T>(names: readonly string[], value: T) => Object.fromEntries(names.map((name) => [name, value]))
const sum = (slots: Readonly<Record<string, number>>) => Object.values(slots).reduce((total, count) => total + count, 0)

t.test('an endpoint has as many on their way as it takes; one that failed last has one', async (t) => {
  t.same(slotsOf(lanes({}), [candidate('new')]), { new: 20 })
  t.same(slotsOf(lanes({ a: 'quick' }, { a: [5, 10] }), [candidate('a')], ['a-0', 'a-1']), { a: 20 })
  t.same(slotsOf(lanes({ a: 'quick' }, { a: [20, 10] }), [candidate('a')]), {})
  t.same(slotsOf(lanes({ a: 'failed' }), [candidate('a')]), { a: 1 })
  t.same(slotsOf(lanes({ a: 'failed' }, { a: [1, 10] }), [candidate('a')]), {})
  t.same(slotsOf(lanes({ a: 'quick' }), [candidate('a', { mode: 'probe' })]), { a: 1 })
  t.same(slotsOf(lanes({ a: 'quick' }), [candidate('a', { mine: false })]), {}, 'another worker chooses for it')
})

t.test('however many are slow, failing or unknown, half of the room is left for the quick ones', async (t) => {
  const slow = named('slow', 100)
  const paces = {
    ...all(slow.slice(0, 30), 'slow' as const),
    ...all(slow.slice(30, 60), 'failed' as const),
    good: 'quick' as const,
  }
  const candidates = [...slow, 'good'].map((id) => candidate(id))
  for (let round = 0; round < 20; round++) {
    const { good, ...others } = slotsOf(lanes(paces), candidates)
    t.ok(sum(others) <= 32 && sum(others) >= 20, `${sum(others)} for all the others`)
    t.ok(Number(good) >= 1)
  }
  const full = lanes(paces, all(slow.slice(0, 32), [1, 14_000] as const))
  t.same(slotsOf(full, candidates), { good: 1 }, 'the lane of the slow ones is full')
})

t.test('one whose answer stays away counts as slow although it was quick', async (t) => {
  const paces = { a: 'quick', b: 'quick' } as const
  const stuck = lanes(paces, { a: [16, 1_500] })
  t.same(slotsOf(stuck, [candidate('a'), candidate('b')]), { b: 20 }, 'half of its lane is taken')
  t.same(slotsOf(lanes(paces, { a: [16, 500] }), [candidate('a')]), { a: 20 })
})

t.test('there are never more on their way than the worker sends at a time', async (t) => {
  const quick = named('quick', 200)
  const given = lanes(all(quick, 'quick' as const))
  const slots = slotsOf(
    given,
    quick.map((id) => candidate(id)),
  )
  t.equal(sum(slots), 64)
  t.ok(Object.keys(slots).length > 20, 'many have one')
})

t.test('a success within a second is quick', async (t) => {
  t.equal(paceOf(true, 999), 'quick')
  t.equal(paceOf(true, 1_000), 'slow')
  t.equal(paceOf(false, 1), 'failed')
})
