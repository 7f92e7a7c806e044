import { readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { migrateUp, readMigrations } from '../../services/api/src/platform/migrations.ts'
import { temporaryCluster } from '../../services/api/src/start/temporary-cluster.ts'
import { binOf, root, runNode } from '../run.ts'

const target = path.join(root, 'services/api/src/platform/tables.gen.ts')
// What the connection's parsers make of these types: see platform/database.ts.
const typeMapping = { timestamptz: 'Date', int8: 'number' }
const header = `// Generated from migrations/ by \`npm run generate\`. Do not edit.\n\n`

/** Types of every table, read from a freshly migrated database. */
export async function generateTables(): Promise<void> {
  const cluster = await temporaryCluster()
  const draft = path.join(os.tmpdir(), `purser-tables-${process.pid}.ts`)
  try {
    await migrate(cluster.url('postgres'))
    const { code, output } = await runNode(binOf('kysely-codegen'), [
      ...['--dialect', 'postgres', '--url', cluster.url('postgres'), '--out-file', draft, '--log-level', 'error'],
      ...['--default-schema', 'public', '--include-pattern', 'public.*', '--exclude-pattern', '*.schema_migration'],
      ...['--type-mapping', JSON.stringify(typeMapping)],
    ])
    if (code !== 0) throw new Error(`kysely-codegen failed: ${output.trim()}`)
    const text = await readFile(draft, 'utf8')
    await writeFile(target, header + text.replace(/^\/\*\*.*?\*\/\s*/s, ''))
  } finally {
    await rm(draft, { force: true })
    await cluster.stop()
  }
}

async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await migrateUp(client, await readMigrations())
  } finally {
    await client.end()
  }
}
