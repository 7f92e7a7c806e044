import t from 'tap'
import { numberUnderWriters } from './concurrent-writers.ts'

t.test('what 12 concurrent writers commit in 20 s is numbered without a gap', { timeout: 300_000 }, (t) =>
  numberUnderWriters(t, { seconds: 20, seed: Date.now() % 1_000_000 }),
)
