import t from 'tap'
import { searchStaysFast } from './product-search.ts'

t.test('finds products fast among a million', (t) => searchStaysFast(t, 1_000_000, 250))
