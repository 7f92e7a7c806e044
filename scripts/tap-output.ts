import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface TapSum {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** A file is a process, or a test of the process that it shares with its neighbours. */
const fileResult = /^(?: {4})?ok \d+ - \S+\.(?:test|soak)\.ts\b/

/** Reads raw TAP as it arrives; prints one line per file and what failed, nothing about what passed. */
export async function condense(tap: Readable, print: (line: string) => void): Promise<TapSum> {
  let sum: TapSum | undefined
  let failureIndent = -1
  for await (const line of createInterface({ input: tap })) {
    sum ??= readSum(line)
    const indent = line.search(/\S/)
    if (/^ *not ok /.test(line)) failureIndent = indent
    // A diagnosis is indented deeper than its result and ends with three dots.
    if (failureIndent >= 0 && indent >= failureIndent) print(line)
    else if (fileResult.test(line) || /^Bail out!/.test(line)) print(line.trimStart())
    // Tables that tests make for reading.
    else if (/^ *# \| /.test(line)) print(line.replace(/^ *# /, ''))
    if (/^ *\.\.\.$/.test(line)) failureIndent = -1
  }
  if (sum === undefined) throw new Error('tap did not finish')
  return sum
}

/** The line that tap writes last, `# { total: 7, pass: 5, fail: 1, skip: 1 }`. */
function readSum(line: string): TapSum | undefined {
  if (!/^# \{ total: \d+.*\}$/.test(line)) return undefined
  const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}
