import t from 'tap'
import { openSession, type SessionClient } from '#platform/database.ts'

t.test('plans are made anew after a while, on each connection', (t) => {
  const said: string[] = []
  const client = {
    connection: { stream: { writableCorked: 1 } },
    escapeLiteral: (text: string) => `'${text}'`,
    query({ text }: { text: string }, answer: (error: null, result: object) => void) {
      said.push(text)
      answer(null, {})
    },
    release: () => undefined,
  } as unknown as SessionClient
  const now = performance.now.bind(performance)
  t.teardown(() => {
    performance.now = now
  })
  const begin = () => openSession(client, { role: 'app' }, 5_000)
  begin()
  begin()
  performance.now = () => now() + 6_000
  begin()
  begin()
  t.same(
    said.map((text) => text.includes('discard plans')),
    [false, false, true, false],
  )
  t.ok(
    said.every((text) => text.includes(`set_config('plan_cache_mode', 'force_generic_plan', true)`)),
    'and are those that the tests of plans look at',
  )
  t.end()
})
