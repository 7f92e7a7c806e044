import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { binOf, root, run, runNode } from '../run.ts'

/** Purser's own secrets, which no public rule knows: live API keys and signing secrets of webhooks. */
const own = /\bsk_live_[0-9A-Za-z]{20,}|\bwhsec_[0-9A-Za-z+/_-]{20,}={0,2}/
const generated = /^package-lock\.json$/

/** Looks for secrets in every tracked file. */
export async function secretProblems(): Promise<readonly string[]> {
  const { output } = await run('git', ['ls-files', '-z'])
  const files = output.split('\0').filter((file) => file !== '' && !generated.test(file))
  const [lint, ...perFile] = await Promise.all([secretlint(files), ...files.map(ownSecrets)])
  return [...(lint ?? []), ...perFile.flat()]
}

async function secretlint(files: readonly string[]): Promise<readonly string[]> {
  const { code, output } = await runNode(binOf('secretlint'), ['--no-color', '--no-glob', ...files])
  return code === 0 ? [] : [output.trim()]
}

async function ownSecrets(file: string): Promise<readonly string[]> {
  const lines = (await readFile(path.join(root, file), 'utf8').catch(() => '')).split('\n')
  return lines.flatMap((line, index) => (own.test(line) ? [`${file}:${index + 1} looks like a secret of Purser`] : []))
}
