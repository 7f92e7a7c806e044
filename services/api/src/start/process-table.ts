import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What the operating system knows about a process. */
export interface ProcessEntry {
  readonly parent: number
  /** Differs when the same id is given to another process. */
  readonly startedAt: string
  /** The program's name and its arguments. */
  readonly command: string
}

/** Looks a process up; `undefined` if there is none. On Windows only its existence is known. */
export function findProcess(pid: number): ProcessEntry | undefined {
  try {
    if (process.platform === 'linux') return fromProc(pid)
    if (process.platform !== 'win32') return fromPs(pid)
    process.kill(pid, 0)
    return { parent: 0, startedAt: 'unknown', command: '' }
  } catch {
    return undefined
  }
}

function fromProc(pid: number): ProcessEntry | undefined {
  // The name in parentheses may itself hold spaces and parentheses; the fields after it do not.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  const [state = '', parent = ''] = fields
  if (state === 'Z') return undefined
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  return { parent: Number(parent), startedAt: fields[19] ?? '', command }
}

function fromPs(pid: number): ProcessEntry | undefined {
  const ask = (field: string) => execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).trim()
  return { parent: Number(ask('ppid')), startedAt: ask('lstart'), command: ask('command') }
}
