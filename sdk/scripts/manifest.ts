// `strip` takes the workspace's own condition out of package.json before packing, `restore` puts it back.
import { readFileSync, writeFileSync } from 'node:fs'

interface Entry {
  'purser-source'?: string
  readonly types: string
  readonly default: string
}

const file = new URL('../package.json', import.meta.url)
const manifest = JSON.parse(readFileSync(file, 'utf8')) as { exports: Record<string, Entry | string> }
const mode = process.argv[2]
if (mode !== 'strip' && mode !== 'restore') throw new Error('usage: manifest.ts strip | restore')

for (const [name, entry] of Object.entries(manifest.exports)) {
  if (typeof entry === 'string') continue
  const { 'purser-source': _, ...published } = entry
  const source = entry.default.replace('./dist/', './src/').replace(/\.js$/, '.ts')
  manifest.exports[name] = mode === 'strip' ? published : { 'purser-source': source, ...published }
}
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
