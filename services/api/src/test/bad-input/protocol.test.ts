import t from 'tap'
import { checkAgainstContract } from '../contract-check.ts'
import { databaseState } from '../database-state.ts'
import { harness } from '../harness.ts'
import { type ProtocolCase, protocolCases } from './protocol-cases.ts'
import { exchange, type RawAnswer } from './raw-socket.ts'

const parallel = 8
const h = await harness(t, {
  env: { HEADERS_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '1500', CONNECTION_CHECK_INTERVAL_MS: '50' },
})
await h.app.http.listen({ host: '127.0.0.1', port: 0 })
const address = h.app.http.server.address()
const port = typeof address === 'object' && address ? address.port : 0

t.test('what is no proper HTTP is refused, leaves no trace and ends the connection', async (t) => {
  const cases = protocolCases({ authorization: `Bearer ${h.tenant.key}` })
  await h.as(h.tenant.key).get('/v1/me')
  const before = await databaseState(h.db)
  const open = [...cases]
  const work = async (): Promise<void> => {
    for (let one = open.shift(); one !== undefined; one = open.shift()) {
      const { name, statuses } = one
      t.same(await statusesOf(one), statuses, `${name}: ${JSON.stringify(one.bytes.slice(0, 50))}`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  t.same(await databaseState(h.db), before, 'no row was added, changed or taken away')
  t.equal((await h.as(h.tenant.key).get('/v1/me')).status, 200, 'the process is alive')
  t.comment(`| bad input over a raw socket: ${cases.length} cases`)
})

async function statusesOf({ bytes, end = false }: ProtocolCase): Promise<readonly (number | string)[]> {
  try {
    return (await exchange(port, bytes, end)).map(checkedStatus)
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** The status of an answer whose body is a problem, as every refusal's must be. */
function checkedStatus({ status, headers, text }: RawAnswer): number | string {
  if (status < 400) return status
  const type = headers['content-type'] ?? ''
  if (!type.startsWith('application/problem+json')) return `${status} with a body of type ${type}: ${text}`
  checkAgainstContract('GET', '/v1/protocol', { status, headers, body: JSON.parse(text), text })
  return status
}
