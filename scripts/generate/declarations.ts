import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** A top-level declaration of a feature's source file. */
export interface Declaration {
  readonly feature: string
  /** Path below the folder of the features. */
  readonly file: string
  readonly name: string
  readonly text: string
  /** Whether other features may use it: its feature's index names it. */
  readonly isOffered: boolean
  /** The other features that its file imports from. */
  readonly imports: ReadonlySet<string>
}

/** Every top-level declaration of every feature, tests left out. */
export async function readDeclarations(features: string): Promise<readonly Declaration[]> {
  const files = (await readdir(features, { recursive: true })).map((file) => file.replaceAll('\\', '/')).sort()
  const sources = files.filter((file) => file.endsWith('.ts') && !file.includes('/test/'))
  const indexes = new Map(
    await Promise.all(
      sources
        .filter((file) => /^[^/]+\/index\.ts$/.test(file))
        .map(async (file) => [featureOf(file), await readFile(path.join(features, file), 'utf8')] as const),
    ),
  )
  const perFile = await Promise.all(
    sources.map(async (file) => {
      const text = withoutComments(await readFile(path.join(features, file), 'utf8'))
      return declarationsOf(file, text, indexes.get(featureOf(file)) ?? '')
    }),
  )
  return perFile.flat()
}

/** What a declaration reaches by name, itself included: in its feature first, then in those it imports from. */
export function reachable(start: Declaration, all: readonly Declaration[]): readonly Declaration[] {
  const byName = Map.groupBy(all, ({ name }) => name)
  const reached = new Set([start])
  for (const declaration of reached) {
    for (const [name] of declaration.text.matchAll(/\b[A-Za-z]\w*\b/g)) {
      const candidates = byName.get(name) ?? []
      const own = candidates.find(({ feature }) => feature === declaration.feature)
      const next = own ?? candidates.find(({ feature, isOffered }) => declaration.imports.has(feature) && isOffered)
      if (next !== undefined) reached.add(next)
    }
  }
  return [...reached]
}

const featureOf = (file: string): string => file.split('/')[0] ?? ''

const withoutComments = (text: string): string => text.replace(/^\s*(?:\/\*\*?|\*|\/\/).*$/gm, '')

/** Splits a source at its top level, where declarations begin in the first column. */
function declarationsOf(file: string, text: string, index: string): readonly Declaration[] {
  const feature = featureOf(file)
  const imports = new Set([...text.matchAll(/from '#features\/([\w-]+)\//g)].map(([, other]) => other ?? ''))
  const start = /^(?=(?:export )?(?:async )?(?:function|const) \w+)/m
  return text.split(start).flatMap((part) => {
    const [, name] = /^(?:export )?(?:async )?(?:function|const) (\w+)/.exec(part) ?? []
    if (name === undefined) return []
    return [{ feature, file, name, text: part, isOffered: new RegExp(`\\b${name}\\b`).test(index), imports }]
  })
}
