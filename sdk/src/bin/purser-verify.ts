#!/usr/bin/env node
/// <reference types="node" />
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { readPublicKeys } from '../ledger/checkpoint.ts'
import { splitLines } from '../ledger/lines.ts'
import { type Report, verifyExport } from '../ledger/verify-export.ts'

const usage = `usage: purser-verify export.jsonl[.gz] --public-key key.pem|jwks.json [--checkpoint kept.jws …]

Checks an export of the ledger without asking the service that made it: order, gaps, hashes, signed checkpoints.
--checkpoint names a file with checkpoints that were kept elsewhere, one per line.
Exit code 0: verified. 1: not as it was recorded. 2: not an export, or wrong arguments.
`

async function main(): Promise<number> {
  const checkpoint = { type: 'string', multiple: true } as const
  const options = { 'public-key': { type: 'string' }, checkpoint, help: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const [file, ...rest] = positionals
  const keyFile = values['public-key']
  if (file === undefined || keyFile === undefined || rest.length > 0) throw new Error(usage)
  const keys = await readPublicKeys(await readFile(keyFile, 'utf8'))
  const kept = await Promise.all((values.checkpoint ?? []).map((name) => readFile(name, 'utf8')))
  const tokens = kept.flatMap((text) => text.split('\n')).filter((line) => line.trim() !== '')
  const report = await verifyExport(linesOf(file), keys, tokens)
  process.stdout.write(describe(report))
  return report.firstProblem === null ? 0 : 1
}

function linesOf(file: string): AsyncIterable<string> {
  const source = createReadStream(file)
  if (!file.endsWith('.gz')) return splitLines(source)
  const unpacked = createGunzip()
  source.on('error', (error) => unpacked.destroy(error))
  return splitLines(source.pipe(unpacked))
}

function describe(report: Report): string {
  const { from, to, verified, head, checkpoint, checkpoints, unknownKeys, firstProblem } = report
  const unknown = unknownKeys === 0 ? '' : `${unknownKeys} more checkpoints were signed by keys that were not given\n`
  if (firstProblem !== null) {
    const { position, kind, detail } = firstProblem
    return `first bad position: ${position} (${kind}): ${detail}\nverified ${verified} events before it\n${unknown}`
  }
  const signed =
    checkpoint === null
      ? 'no checkpoint covers them: whoever holds the database could have written all of them anew'
      : `${checkpoints} checkpoints hold, the newest of position ${checkpoint.sequence}, signed at ${checkpoint.signedAt}`
  return `verified ${verified} events from ${from} to ${to}, head ${head}\n${signed}\n${unknown}`
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: Error) => {
    process.stderr.write(`purser-verify: ${error.message}\n`)
    process.exitCode = 2
  },
)
