import t from 'tap'
import { createCaches } from '#platform/cache.ts'
import { until } from '#test/until.ts'

interface Value {
  readonly id: number
}

/** A cache whose loads are counted and end when told to. */
function setUp(ttlMs = 60_000, maxEntries = 10) {
  const caches = createCaches()
  const cache = caches.create<Value>({ ttlMs, maxEntries, tagOf: ({ id }) => `value ${id}` })
  const loads: { resolve(value: Value): void; reject(error: Error): void }[] = []
  const load = () =>
    new Promise<Value>((resolve, reject) => {
      loads.push({ resolve, reject })
    })
  return { caches, cache, loads, load }
}

t.test('concurrent misses load once, and a hit not at all', async (t) => {
  const { cache, loads, load } = setUp()
  const asked = [cache.get('a', load), cache.get('a', load), cache.get('a', load)]
  t.equal(loads.length, 1)
  loads[0]?.resolve({ id: 1 })
  t.same(await Promise.all(asked), [{ id: 1 }, { id: 1 }, { id: 1 }])
  t.same(await cache.get('a', load), { id: 1 })
  t.equal(loads.length, 1)
  cache.get('b', load)
  t.equal(loads.length, 2, 'another key is another load')
})

t.test('an error reaches all who wait and is not kept', async (t) => {
  const { cache, loads, load } = setUp()
  const asked = [cache.get('a', load), cache.get('a', load)]
  loads[0]?.reject(new Error('away'))
  for (const answer of asked) await t.rejects(answer, { message: 'away' })
  const again = cache.get('a', load)
  loads[1]?.resolve({ id: 2 })
  t.same(await again, { id: 2 })
})

t.test('a tag drops its values and no others', async (t) => {
  const { caches, cache, loads } = setUp()
  const known = (id: number) => cache.get(`${id}`, async () => ({ id }))
  await Promise.all([known(1), known(2)])
  caches.invalidate('value 1')
  const fresh = cache.get('1', async () => ({ id: 11 }))
  t.same(await fresh, { id: 11 })
  t.same(await cache.get('2', async () => ({ id: 22 })), { id: 2 })
  t.equal(loads.length, 0)
})

t.test('a value that was loading while its tag was dropped is handed out, but not kept', async (t) => {
  const { caches, cache, loads, load } = setUp()
  const before = cache.get('a', load)
  caches.invalidate('value 1')
  const after = cache.get('a', load)
  t.equal(loads.length, 2, 'who asks after the change does not get what was read before it')
  loads[1]?.resolve({ id: 1 })
  t.same(await after, { id: 1 })
  loads[0]?.resolve({ id: 0 })
  t.same(await before, { id: 0 })
  t.same(await cache.get('a', load), { id: 1 }, 'the late one has not replaced it')
})

t.test('a time to live of 0 turns the cache off', async (t) => {
  const { cache, loads, load } = setUp(0)
  cache.get('a', load)
  cache.get('a', load)
  t.equal(loads.length, 2)
})

t.test('values grow old, and the oldest make room', async (t) => {
  const short = setUp(1).cache
  let loaded = 0
  const load = async () => ({ id: ++loaded })
  await short.get('a', load)
  await until('the value is loaded anew', async () => (await short.get('a', load)).id > 1)
  const small = setUp(60_000, 2).cache
  for (const key of ['a', 'b', 'c']) await small.get(key, load)
  const before = loaded
  await small.get('c', load)
  t.equal(loaded, before)
  await small.get('a', load)
  t.equal(loaded, before + 1)
})
