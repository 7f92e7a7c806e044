import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { root, run } from '../run.ts'
import type { Stage } from './parse.ts'

/** What a stage has come to: its root folder, and where in it the next instruction works. */
interface Built {
  readonly folder: string
  readonly workPath: string
}

/** Follows FROM, COPY, RUN and WORKDIR of every stage in plain folders and hands over the last stage's root folder. */
export async function withBuild<T>(
  stages: readonly Stage[],
  isIgnored: (file: string) => boolean,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const parent = await mkdtemp(path.join(os.tmpdir(), 'purser-image-'))
  try {
    const context = (await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'])).output
    const files = context.split('\n').filter((file) => file !== '' && !isIgnored(file))
    const built = new Map<string, Built>()
    for (const [index, stage] of stages.entries()) {
      const folder = path.join(parent, String(index))
      const base = built.get(stage.image)
      if (base === undefined) await mkdir(folder)
      else await cp(base.folder, folder, { recursive: true, verbatimSymlinks: true })
      const workPath = await follow(stage, { folder, workPath: base?.workPath ?? '/' }, files, built)
      built.set(stage.name || String(index), { folder, workPath })
    }
    return await use(path.join(parent, String(stages.length - 1)))
  } finally {
    await rm(parent, { recursive: true, force: true })
  }
}

/** Returns where it ends up working. */
async function follow(
  { instructions }: Stage,
  { folder, workPath: begin }: Built,
  files: readonly string[],
  stages: ReadonlyMap<string, Built>,
): Promise<string> {
  let workPath = begin
  for (const { name, args } of instructions) {
    if (name === 'WORKDIR') workPath = path.resolve(workPath, args)
    const workFolder = path.join(folder, workPath)
    await mkdir(workFolder, { recursive: true })
    if (name === 'COPY') await copy(args, workFolder, files, stages)
    else if (name === 'RUN') {
      const env = { npm_config_prefer_offline: 'true', npm_config_update_notifier: 'false' }
      const { code, output } = await run('sh', ['-c', args], { cwd: workFolder, env })
      if (code !== 0) throw new Error(`RUN ${args}\n${output.trim()}`)
    }
  }
  return workPath
}

async function copy(
  args: string,
  workFolder: string,
  files: readonly string[],
  stages: ReadonlyMap<string, Built>,
): Promise<void> {
  const given = args.split(/\s+/)
  const from = given.find((word) => word.startsWith('--from='))?.slice('--from='.length)
  const words = given.filter((word) => !word.startsWith('--'))
  const target = words.pop() ?? '.'
  for (const source of words) {
    if (from !== undefined) {
      const folder = path.join(stages.get(from)?.folder ?? '', source)
      await cp(folder, path.join(workFolder, target), { recursive: true, verbatimSymlinks: true })
      continue
    }
    const copied = files.filter((file) => file === source || file.startsWith(`${source}/`))
    if (copied.length === 0) throw new Error(`COPY ${source}: nothing to copy`)
    for (const file of copied) {
      const isFile = file === source
      const name =
        isFile && (target.endsWith('/') || words.length > 1) ? path.basename(file) : path.relative(source, file)
      await cp(path.join(root, file), path.join(workFolder, target, name))
    }
  }
}
