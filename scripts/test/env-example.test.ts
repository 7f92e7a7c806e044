import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ConfigSchema } from '../../services/api/src/platform/config.ts'
import { envExample } from '../generate/env-example.ts'

t.test('.env.example names every variable of the configuration, with a comment each', async (t) => {
  const text = await readFile(new URL('../../.env.example', import.meta.url), 'utf8')
  t.equal(text, envExample(), 'as `npm run generate` writes it')
  const named = [...text.matchAll(/^# .+\n([A-Z_]+)=/gm)].map(([, name]) => name)
  t.same(named, Object.keys(ConfigSchema.properties))
})
