import t from 'tap'
import { groupsOf } from '../grouped/groups.ts'

const alone = 'services/api/src/test/contract.test.ts'
const files = [
  'scripts/test/breaking.test.ts',
  'scripts/test/env-example.test.ts',
  'scripts/test/groups.test.ts',
  ...[
    'auth',
    'browser',
    'client',
    'errors',
    'generate',
    'operations',
    'page',
    'readme',
    'request',
    'retry',
    'service',
    'stream',
    'tampering',
    'time',
  ].map((name) => `sdk/test/${name}.test.ts`),
  alone,
  'services/api/src/test/side-doors.test.ts',
]

t.test('every file is in one group, with its neighbours, and first runs what says that it runs alone', async (t) => {
  const [first, ...shared] = await groupsOf(files)
  t.same(first, [alone])
  t.same(
    shared.reverse().flat(),
    files.filter((file) => file !== alone),
  )
  t.same(
    shared.map(({ length }) => length),
    [9, 9],
    'groups are of one size',
  )
})
