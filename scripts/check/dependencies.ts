import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { root } from '../run.ts'

const manifests = ['package.json', 'services/api/package.json', 'sdk/package.json']
const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/** Compares the direct dependencies with the lines of docs/dependencies.md. */
export async function dependencyProblems(): Promise<readonly string[]> {
  const perManifest = await Promise.all(manifests.map(directDependencies))
  const direct = new Set(perManifest.flat())
  const text = await readFile(path.join(root, 'docs/dependencies.md'), 'utf8')
  const listed = [...text.matchAll(/^\| `([^`]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, name]) => name ?? '')
  return [
    ...[...direct].filter((name) => !listed.includes(name)).map((name) => `${name} has no line`),
    ...listed.filter((name) => !direct.has(name)).map((name) => `${name} is no dependency`),
    ...listed.filter((name, index) => listed.indexOf(name) !== index).map((name) => `${name} has two lines`),
  ]
}

async function directDependencies(manifest: string): Promise<readonly string[]> {
  const parsed = JSON.parse(await readFile(path.join(root, manifest), 'utf8')) as Partial<
    Record<(typeof kinds)[number], Record<string, string>>
  >
  return kinds.flatMap((kind) => Object.keys(parsed[kind] ?? {})).filter((name) => !name.startsWith('@purser/'))
}
