import t from 'tap'
import { numberUnderWriters } from './concurrent-writers.ts'

t.test('what 12 concurrent writers commit is numbered without a gap (long: concurrent-writers.soak.ts)', (t) =>
  numberUnderWriters(t, { seconds: 3, seed: 1 }),
)
