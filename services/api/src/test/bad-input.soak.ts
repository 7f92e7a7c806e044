import t from 'tap'
import { refusesBadInput } from './bad-input/generated.ts'

t.test('all generated bad input is refused', (t) => refusesBadInput(t))
