// Runs in a process of its own: it counts what is on the heap.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { createDatabase, inTransaction, runSql } from '#platform/database.ts'
import { harness } from '#test/harness.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void

const h = await harness(t)
const { config, log } = h.runtime
const database = createDatabase({ config, log, statementTimeoutMs: 5_000, applicationName: 'answers-freed-test' })
t.teardown(() => database.close())

const rowsOfBytes = 1_000
const rows = 200
const text = `select repeat('x', ${rowsOfBytes}) || i as filler from generate_series(1, ${rows}) i`
const read = () =>
  inTransaction(database.begin({ role: 'app' }), async (db) => {
    await runSql(db, text)
  })

const usedBytes = () =>
  getHeapSpaceStatistics()
    .filter(({ space_name: name }) => name === 'new_space' || name === 'old_space')
    .reduce((sum, { space_used_size: used }) => sum + used, 0)

// A minor collection that V8 begins by itself, in the middle of an answer, rightly keeps that answer: none has cause to.
async function readAndCollect(transactions: number): Promise<void> {
  for (let n = 0; n < transactions; n++) {
    await read()
    collect({ type: 'minor' })
  }
}

t.test('what a statement answered is gone with the next minor collection', async (t) => {
  const transactions = 100
  await readAndCollect(transactions)
  collect()
  const before = usedBytes()
  await readAndCollect(transactions)
  collect({ type: 'minor' })
  const keptBytes = usedBytes() - before
  t.ok(
    keptBytes < (transactions * rows * rowsOfBytes) / 50,
    `${Math.round(keptBytes / 1_024)} kB of ${(transactions * rows * rowsOfBytes) / 1_024} are kept`,
  )
})
