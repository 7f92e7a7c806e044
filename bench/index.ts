import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { measureJobs } from './measure-jobs.ts'
import { readOptions } from './options.ts'
import { jsonLine } from './report.ts'
import { runBench, runDelivery, runEvents } from './run.ts'

const longestRunMs = 90 * 60_000

/** `npm run bench -- [--quick] [--seconds N] [--growth | --events | --delivery | --jobs] [--json] [--set NAME=value …]`: see README.md. */
const stopping = new AbortController()
const closers: (() => Promise<unknown>)[] = []
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => {
    // Whoever asks twice does not want to wait: what runs ends with this process.
    if (stopping.signal.aborted) process.exit(1)
    stopping.abort(new Error(`interrupted by ${name}`))
  })
const overdue = setTimeout(() => stopping.abort(new Error('the bench takes too long')), longestRunMs)

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})
for (const close of closers.reverse()) await close().catch(warn)
clearTimeout(overdue)
process.exit()

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'purser-bench-'))
  closers.push(() => rm(scratch, { recursive: true, force: true }))
  const context = {
    options,
    scratch,
    signal: stopping.signal,
    say,
    print,
    onStop: (close: () => Promise<unknown>) => void closers.push(close),
  }
  if (options.events !== null) {
    await Promise.race([runEvents(context, options.events), interruption()])
    return 0
  }
  if (options.delivery) {
    await Promise.race([runDelivery(context), interruption()])
    return 0
  }
  if (options.jobs) {
    await Promise.race([measureJobs(context), interruption()])
    return 0
  }
  const { result, failures } = await Promise.race([runBench(context), interruption()])
  for (const failure of failures) print(`FAILED: ${failure}`)
  if (options.json) print(jsonLine(result))
  return failures.length === 0 ? 0 : 1
}

/** What still runs when it comes is ended by the closers. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason))
  })
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function warn(error: unknown): void {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
}
