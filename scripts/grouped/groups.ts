import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../run.ts'

type Group = readonly string[]

const mostFiles = 16
const alone = /^\/\/ Runs in a process of its own: \S/m

/**
 * Neighbours share a process: to start one and load the service costs more than most files do. A file that may not, or
 * takes as long as a whole group, says so in a comment, `// Runs in a process of its own: why`. In the order in which
 * to start them: the tests of the whole service take longest, and their paths come last.
 */
export async function groupsOf(files: readonly string[]): Promise<readonly Group[]> {
  const isAlone = await Promise.all(
    files.map(async (file) => alone.test(await readFile(path.join(root, file), 'utf8'))),
  )
  const sharing = files.filter((_file, index) => !isAlone[index])
  const count = Math.ceil(sharing.length / mostFiles)
  const start = (index: number) => Math.round((index * sharing.length) / count)
  const shared = Array.from({ length: count }, (_, index) => sharing.slice(start(index), start(index + 1)))
  return [...files.filter((_file, index) => isAlone[index]).map((file) => [file]), ...shared.reverse()]
}

const folder = path.join(root, 'node_modules/.cache/purser/groups')

/** Writes a program for each group, named so that they sort in this order; returns their paths. */
export async function writeGroups(groups: readonly Group[]): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const runGroup = pathToFileURL(path.join(root, 'scripts/grouped/run-group.ts')).href
  return Promise.all(
    groups.map(async (files, index) => {
      const program = path.join(folder, `${String(index + 1).padStart(2, '0')}.mjs`)
      await writeFile(program, `import { runGroup } from '${runGroup}'\nrunGroup(${JSON.stringify(files, null, 2)})\n`)
      return program
    }),
  )
}
