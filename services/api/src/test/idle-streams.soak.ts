import t from 'tap'
import { idleStreams } from './idle-streams.ts'

t.test('1,000 idle streams cost at most 20 KiB each', (t) => idleStreams(t, 1_000))
