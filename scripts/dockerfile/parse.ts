/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  readonly name: string
  readonly args: string
}

/** A build stage with the instructions after its FROM. */
export interface Stage {
  readonly image: string
  readonly name: string
  readonly instructions: readonly Instruction[]
}

/** Splits a Dockerfile into stages. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text.replace(/\\\n\s*/g, ' ').split('\n')
  const stages: { image: string; name: string; instructions: Instruction[] }[] = []
  for (const line of lines) {
    const [, name = '', args = ''] = /^\s*([A-Z]+)\s+(.*?)\s*$/.exec(line) ?? []
    if (name === 'FROM') {
      const [, image = '', stage = ''] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(args) ?? []
      stages.push({ image, name: stage, instructions: [] })
    } else if (name !== '') stages.at(-1)?.instructions.push({ name, args })
  }
  return stages
}

/** The exec form is a JSON array; anything else is run by a shell, which swallows signals. */
export function isExecForm(args: string): boolean {
  try {
    return Array.isArray(JSON.parse(args))
  } catch {
    return false
  }
}

/** Whether a .dockerignore keeps a path out of the build: the last pattern that matches it or a parent decides. */
export function createIgnore(text: string): (file: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isIgnored: !line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }))
  return (file) => {
    const parts = file.split('/')
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    return rules.findLast(({ pattern }) => paths.some((path) => pattern.test(path)))?.isIgnored ?? false
  }
}

function toPattern(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?/g, (match) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' })[match] ?? '[^/]')
  return new RegExp(`^${source}$`)
}
