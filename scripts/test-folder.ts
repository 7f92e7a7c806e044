import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const memory = '/dev/shm'
const wantedBytes = 4e9

/**
 * A folder for everything that a run writes, open to the account that PostgreSQL has. In memory where that may be: on a
 * disk the many files of the databases cost a seventh of all processor time.
 */
export async function testFolder(options: readonly string[]): Promise<string> {
  const isSoak = options.some((option) => option.endsWith('.soak.ts'))
  const mayBeMemory = process.platform === 'linux' && process.env.TMPDIR === undefined && !isSoak
  return (mayBeMemory ? await memoryFolder() : undefined) ?? newFolder(os.tmpdir())
}

async function memoryFolder(): Promise<string | undefined> {
  const room = await statfs(memory).catch(() => undefined)
  if (room === undefined || room.bavail * room.bsize < wantedBytes) return undefined
  const folder = await newFolder(memory).catch(() => undefined)
  if (folder === undefined || (await runsPrograms(folder))) return folder
  await rm(folder, { recursive: true })
  return undefined
}

/** Containers mount it `noexec`. */
async function runsPrograms(folder: string): Promise<boolean> {
  const program = path.join(folder, 'program')
  await writeFile(program, '#!/bin/sh\n', { mode: 0o700 })
  return promisify(execFile)(program).then(
    () => true,
    () => false,
  )
}

async function newFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(path.join(parent, 'purser-test-'))
  await chmod(folder, 0o755)
  return folder
}
