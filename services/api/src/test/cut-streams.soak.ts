import t from 'tap'
import { cutStreams } from './cut-streams.ts'

t.test('a stream cut 100 times at random resumes with no hole and in order', (t) =>
  cutStreams(t, { cuts: 100, seed: 42 }),
)
