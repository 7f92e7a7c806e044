import t from 'tap'
import { killInTurn } from './kill-in-turn.ts'

t.test('loses nothing when API, worker and PostgreSQL are killed in turn, 33 times', { timeout: 900_000 }, (t) =>
  killInTurn(t, { kills: 33, seed: Date.now() % 1_000_000 }),
)
