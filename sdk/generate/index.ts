// Writes sdk/src/generated from openapi/openapi.json, or from the document given as first argument.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Document } from './document.ts'
import { generate } from './generate.ts'

const source = resolve(process.argv[2] ?? fileURLToPath(new URL('../../openapi/openapi.json', import.meta.url)))
const target = fileURLToPath(new URL('../src/generated/', import.meta.url))

const files = await generate(JSON.parse(readFileSync(source, 'utf8')) as Document)
for (const [name, text] of files) {
  const file = join(target, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
  const isStale = name.endsWith('.ts') && !files.has(name.replaceAll('\\', '/'))
  if (isStale) rmSync(join(target, name))
}
process.stdout.write(`${files.size} files in sdk/src/generated\n`)
