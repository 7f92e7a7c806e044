import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, realpath, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** The ordinary user that PostgreSQL runs under when Purser itself runs as root. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root; `undefined` means that this process is an ordinary user already. */
export function ordinaryAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name)
    if (account !== undefined) return { uid: Number(account[2]) >>> 0, gid: Number(account[3]) >>> 0 }
  }
  throw new Error('as root PostgreSQL needs an ordinary user (postgres or nobody) to run under, and there is none')
}

/** Whether the account may enter the folder and all its parents. */
export async function mayEnter(account: Account, folder: string): Promise<boolean> {
  for (let at = await realpath(folder); ; at = path.dirname(at)) {
    const { mode, uid, gid } = await stat(at)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (at === path.dirname(at)) return true
  }
}

/** Whether the account can run a program; its folder may be closed, or the installation's umask too strict. */
export async function mayRun(account: Account, program: string): Promise<boolean> {
  const run = promisify(execFile)
  return run(program, ['--version'], account).then(
    () => true,
    () => false,
  )
}

/** Makes a new folder outside the closed ones, for an account that may enter neither a clone under root's home. */
export async function openFolder(account: Account, parents = ['/var/lib/purser', '/var/tmp', os.tmpdir()]) {
  for (const parent of parents) {
    try {
      const created = await mkdir(parent, { recursive: true })
      // Whatever the umask is: the account has to get through.
      if (created !== undefined) await chmod(parent, 0o755)
      if (await mayEnter(account, parent)) return await mkdtemp(path.join(parent, 'postgres-'))
    } catch {
      // A read-only parent is no fault while another one serves.
    }
  }
  throw new Error(`none of ${parents.join(', ')} can hold PostgreSQL's files for an ordinary user`)
}
