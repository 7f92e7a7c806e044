import path from 'node:path'
import t from 'tap'
import { root, run } from '../run.ts'

t.test('what nobody caught fails the test that runs, and the process', async (t) => {
  const { code, output } = await run(process.execPath, [
    `--import=${path.join(root, 'scripts/uncaught.ts')}`,
    path.join(root, 'scripts/test/uncaught-errors.ts'),
  ])
  t.not(code, 0)
  const namesAfter = (verdict: string) =>
    [
      ...new Set([...output.matchAll(new RegExp(`^ *${verdict} \\d+ - ([^#\\n]*\\w)`, 'gm'))].map(([, name]) => name)),
    ].sort()
  t.same(namesAfter('ok'), ['early', 'has ended', 'heard', 'leaves a timer', 'listens itself', 'well'])
  t.same(namesAfter('not ok'), ['is next', 'left over', 'rejected', 'rejects', 'runs', 'thrown', 'throws in a timer'])
})
