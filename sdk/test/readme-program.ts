import { readFileSync } from 'node:fs'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** All snippets of the README as the one program that they are. */
export const readmeProgram = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text]) => text).join('\n')
