import t from 'tap'
import { restoreIntoAnotherCluster, withoutPostgres15 } from './restored-cluster.ts'

const options = { skip: withoutPostgres15, timeout: 300_000 }
t.test(
  'restored into another cluster of PostgreSQL 15, the relay goes on without a gap',
  options,
  restoreIntoAnotherCluster,
)
