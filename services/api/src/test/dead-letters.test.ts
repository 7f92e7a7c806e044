import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { commandDeadLetters } from '#features/jobs/index.ts'
import { idOfUuid } from '#platform/id.ts'
import { harness } from './harness.ts'
import { inherited } from './launched.ts'
import { letDie, queueJob, sampleJobName } from './queued-jobs.ts'

const h = await harness(t)
const entry = fileURLToPath(new URL('../dead-letters.ts', import.meta.url))
/** As the operator does, in a process of its own. */
const run = async (...args: readonly string[]) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=purser-source', entry, ...args], {
    env: { ...inherited, DATABASE_URL: h.databaseUrl },
  })
  return stdout.trimEnd().split('\n')
}
const command = (...args: readonly string[]) => commandDeadLetters(h.runtime.unitOfWork, args)

t.test('the operator sees and redrives the dead letters of all, those of the service itself included', async (t) => {
  t.same(await command('list'), ['no dead letters'])
  const own = idOfUuid('job', (await h.runtime.jobs.boss.send('stock.verify', null)) ?? '')
  await letDie(h.runtime, h.db, own, 'stock.verify')
  for (const { organizationId } of [h.tenant, await h.otherTenant()])
    await letDie(h.runtime, h.db, await queueJob(h.runtime, organizationId))
  const letters = (await run('list')).map((line) => JSON.parse(line))
  t.equal(letters.length, 3)
  t.match(letters[2], { id: own, name: 'stock.verify', organizationId: null })
  t.same(await run('redrive', own), ['1 redriven'])
  t.same(await command('redrive', sampleJobName), ['2 redriven'])
  t.same(await command('redrive', sampleJobName), ['0 redriven'])
  const { rows } = await h.db.query(`select state, count(*)::integer as count from pgboss.job group by 1`)
  t.same(rows, [{ state: 'retry', count: 3 }])
})

t.test('what it does not understand it answers with its usage', async (t) => {
  for (const args of [[], ['redrive'], ['list', 'a', 'b'], ['drop']])
    await t.rejects(command(...args), { message: /^usage: dead-letters\.ts/ })
  await t.rejects(run('drop'), { code: 1, stderr: /^purser: usage: dead-letters\.ts/ })
})
