import { writeFile } from 'node:fs/promises'
import { loadConfig } from '#platform/config.ts'
import { buildApp } from './app.ts'
import { createRuntime } from './runtime.ts'

/** Writes openapi/openapi.json from the routes; needs no database. */
const runtime = createRuntime(
  loadConfig({ LOG_LEVEL: 'silent', NODE_ENV: 'test', DATABASE_URL: 'postgres://unused' }),
  {
    process: 'server',
  },
)
const { http } = await buildApp(runtime)
await http.ready()
const target = new URL('../../../openapi/openapi.json', import.meta.url)
await writeFile(target, `${JSON.stringify(http.swagger(), null, 2)}\n`)
process.exit(0)
