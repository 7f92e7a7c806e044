import { parseArgs } from 'node:util'
import { createApiKey, createOrganization } from '#features/identity/index.ts'
import { createLocation } from '#features/inventory/index.ts'
import { loadConfig } from '#platform/config.ts'
import { newId } from '#platform/id.ts'
import { failToStart } from '#platform/lifecycle.ts'
import { scopes } from '#platform/scopes.ts'
import { systemOrigin } from '#platform/work.ts'
import { createRuntime } from './runtime.ts'

const usage = 'usage: provision.ts --name "Acme Ltd" --currency EUR [--location "Main warehouse"] [--mode live|test]'

/** Founds an organization with a default location and its first key, and prints both once, as JSON. */
async function main(): Promise<void> {
  const { name, currency, location, mode } = readArguments()
  const runtime = createRuntime(loadConfig({ ...process.env, LOG_LEVEL: 'error' }), { process: 'worker' })
  const organizationId = newId('org')
  const requestId = newId('req')
  const origin = systemOrigin({ organizationId, name: 'provision', requestId, traceparent: null, log: runtime.log })
  const made = await runtime.unitOfWork.write(origin, async (work) => {
    await createOrganization(work, { name, currency })
    const { id: locationId } = await createLocation(work, { name: location, isDefault: true })
    const { secret: apiKey } = await createApiKey(work, { name: 'First key', mode, scopes: [...scopes] })
    return { organizationId, locationId, apiKey }
  })
  process.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
  await runtime.database.close()
}

function readArguments() {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { name: text, currency: text, location: text, mode: text } })
  const { name, currency, location = 'Main warehouse', mode = 'live' } = values
  const isComplete = name !== undefined && name !== '' && /^[A-Z]{3}$/.test(currency ?? '')
  if (!isComplete || (mode !== 'live' && mode !== 'test')) throw new Error(usage)
  return { name, currency: currency ?? '', location, mode } as const
}

main().catch(failToStart)
