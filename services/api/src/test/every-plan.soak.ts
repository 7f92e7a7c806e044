import t from 'tap'
import { everyPlanIsServed } from './every-plan.ts'

t.test('every statement is served by indexes among a million rows', (t) => everyPlanIsServed(t, 1_000_000))
