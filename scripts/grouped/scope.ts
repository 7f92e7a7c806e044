import { scopeOfFile } from './run-group.ts'

const t = scopeOfFile()

// biome-ignore lint/style/noDefaultExport: it takes the place of tap
export default t
export const { test } = t
