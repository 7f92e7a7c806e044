import t from 'tap'
import { cutStreams } from './cut-streams.ts'

t.test('a stream cut at random resumes with no hole and in order', (t) => cutStreams(t, { cuts: 16, seed: 7 }))
