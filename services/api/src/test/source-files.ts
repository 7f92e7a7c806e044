import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../', import.meta.url))
export const repository = path.resolve(source, '../../..')

export interface SourceFile {
  /** Path below services/api/src. */
  readonly name: string
  readonly code: string
  readonly lines: number
  /** Names of the files it imports, below services/api/src. */
  readonly imports: readonly string[]
}

export const isTest = (name: string): boolean => /(^|\/)test\//.test(name)
export const isGenerated = (name: string): boolean => name.endsWith('.gen.ts')

function typescriptBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.split(path.sep).join('/'))
    .sort()
}

function readSource(name: string): SourceFile {
  const text = readFileSync(path.join(source, name), 'utf8')
  const code = withoutComments(text)
  return { name, code, lines: text.split('\n').length - 1, imports: importsOf(name, code) }
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

const importStatement = /(?:^|\n)\s*(?:import|export)\s+(?<type>type\s)?(?<names>[^'"]*?)from\s+'(?<from>[^']+)'/g

function importsOf(name: string, code: string): string[] {
  return [...code.matchAll(importStatement)].flatMap(({ groups }) => resolveImport(name, groups?.from ?? '') ?? [])
}

/** Imports that exist at run time: types may refer to each other across files. */
export function valueImports({ name, code }: SourceFile): string[] {
  return [...code.matchAll(importStatement)].flatMap(({ groups }) => {
    const names = (groups?.names ?? '')
      .replace(/[{}]/g, '')
      .split(',')
      .map((part) => part.trim())
    const typesOnly = groups?.type !== undefined || names.filter(Boolean).every((part) => part.startsWith('type '))
    return typesOnly ? [] : (resolveImport(name, groups?.from ?? '') ?? [])
  })
}

function resolveImport(from: string, specifier: string): string | undefined {
  const alias = /^#(platform|http|features|test)\/(.+)$/.exec(specifier)
  if (alias) return `${alias[1]}/${alias[2]}`
  if (!specifier.startsWith('.')) return undefined
  const resolved = path.posix.join(path.posix.dirname(from), specifier)
  return resolved.startsWith('..') ? undefined : resolved
}

/** Every TypeScript file of the service. */
export const files: readonly SourceFile[] = typescriptBelow(source).map(readSource)
