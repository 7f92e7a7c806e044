import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { breakingChanges, type Document } from './breaking/documents.ts'
import { root } from './run.ts'

/** Holds the document against the one published last: what breaks a client must be declared, with a reason. */
const [published, current, declarations] = await Promise.all(
  ['openapi/published.json', 'openapi/openapi.json', 'openapi/breaking-changes.md'].map((file) =>
    readFile(path.join(root, file), 'utf8'),
  ),
)
const changes = breakingChanges(JSON.parse(published ?? '') as Document, JSON.parse(current ?? '') as Document)
const [, list = ''] = (declarations ?? '').split(/^## Since .*$/m)
const declared = [...list.matchAll(/^- `([^`]+)`: \S/gm)].map(([, change]) => change ?? '')
const problems = [
  ...changes.filter((change) => !declared.includes(change)).map((change) => `not declared: ${change}`),
  ...declared.filter((change) => !changes.includes(change)).map((change) => `declared, but no such change: ${change}`),
]
for (const problem of problems) process.stdout.write(`${problem}\n`)
if (problems.length > 0) process.stdout.write('see openapi/breaking-changes.md\n')
process.exitCode = problems.length === 0 ? 0 : 1
