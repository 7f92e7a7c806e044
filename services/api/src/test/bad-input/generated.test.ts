import t from 'tap'
import { refusesBadInput } from './generated.ts'

// Runs in a process of its own: it takes as long as a group.

// All of them: `bad-input.soak.ts`.
t.test('bad input of every category is refused by every operation', (t) => refusesBadInput(t, 16))
