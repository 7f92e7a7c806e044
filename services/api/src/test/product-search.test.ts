import t from 'tap'
import { searchStaysFast } from './product-search.ts'

t.test('finds products fast among many', (t) => searchStaysFast(t, 20_000, 500))
