import t from 'tap'
import { killApiUnderLoad } from './kill-api.ts'

t.test('loses and doubles no order when the API is killed under load', (t) => killApiUnderLoad(t, 2))
