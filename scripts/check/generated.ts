import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { root, runNode } from '../run.ts'

const products = [
  '.env.example',
  'README.md',
  'openapi/openapi.json',
  'sdk/src/generated',
  'services/api/src/platform/tables.gen.ts',
]

/** Generates everything anew; what changes by it was not committed as it should have been. */
export async function generationProblems(): Promise<readonly string[]> {
  const before = await digests()
  const { code, output } = await runNode(path.join(root, 'scripts/generate.ts'))
  if (code !== 0) return [output.trim()]
  const after = await digests()
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name} was out of date and has been generated anew`)
}

async function digests(): Promise<ReadonlyMap<string, string>> {
  const lists = await Promise.all(products.map(filesOf))
  const entries = await Promise.all(
    lists.flat().map(async (file) => {
      const content = await readFile(path.join(root, file))
      return [file, createHash('sha256').update(content).digest('hex')] as const
    }),
  )
  return new Map(entries)
}

/** The file itself, or what the folder of this name holds; nothing if there is neither. */
async function filesOf(product: string): Promise<readonly string[]> {
  const at = path.join(root, product)
  const entries = await readdir(at, { recursive: true, withFileTypes: true }).catch(() => undefined)
  if (entries !== undefined)
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
  return readFile(at).then(
    () => [product],
    () => [],
  )
}
