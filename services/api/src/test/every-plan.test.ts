import t from 'tap'
import { everyPlanIsServed } from './every-plan.ts'

// With every value of every filter, and a million rows: `every-plan.soak.ts`.
t.test('every statement is served by indexes among 20,000 rows', (t) => everyPlanIsServed(t, 20_000, 8))
