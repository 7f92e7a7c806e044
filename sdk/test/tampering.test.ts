import { Readable } from 'node:stream'
import t, { test } from 'tap'
import { writeExport } from '../../services/api/src/features/audit-exports/jobs.ts'
import { harness } from '../../services/api/src/test/harness.ts'
import { jobContext } from '../../services/api/src/test/job-context.ts'
import { seededRandom } from '../../services/api/src/test/seeded-random.ts'
import { createTamperedLedger } from '../../services/api/src/test/tampering.ts'
import { tamperings } from '../../services/api/src/test/tampering-cases.ts'
import { tamperAtRandom } from '../../services/api/src/test/tampering-random.ts'
import { readPublicKeys } from '../src/ledger/checkpoint.ts'
import { splitLines } from '../src/ledger/lines.ts'
import { verifyExport } from '../src/ledger/verify-export.ts'

const h = await harness(t)
const ledger = await createTamperedLedger(h)
const client = h.as(h.tenant.key)
const verify = async () => (await client.post('/v1/audit/verify', {})).body.data

/** What an export of everything there is now tells somebody who has the public keys and nothing else. */
async function verifiedOffline() {
  const { id } = (await client.post('/v1/audit/exports', {})).body.data
  const { organizationId } = h.tenant
  await writeExport.run(jobContext(h.runtime, writeExport.name), { organizationId, exportId: id })
  const { text } = await client.get(`/v1/audit/exports/${id}/content`)
  const keys = await readPublicKeys((await client.get('/.well-known/jwks.json')).text)
  const report = await verifyExport(splitLines(Readable.from([Buffer.from(text)])), keys)
  return report
}

test('every kind of tampering is found, at its first position, by the service and in an export', async (t) => {
  t.match(await verify(), { verified: true, events: ledger.head, firstProblem: null, checkpoints: 2 })
  t.match(await verifiedOffline(), { verified: ledger.head, firstProblem: null, checkpoints: 3 })
  for (const tampering of tamperings) {
    await ledger.restore()
    await tampering.run(ledger)
    const { position, kind } = tampering.found(ledger)
    const { firstProblem } = await verify()
    t.match(firstProblem, { position, kind, detail: String }, `${tampering.name}: ${firstProblem?.detail}`)
    const report = await verifiedOffline()
    const expected = tampering.offline === 'nothing' ? null : { position, kind, ...tampering.offline }
    t.match(report.firstProblem, expected, `${tampering.name}, offline: ${report.firstProblem?.detail}`)
  }
  t.comment(`| kinds of tampering, each found at its first position: ${tamperings.length}`)
})

const rounds = 25

test('whatever is touched at random, the first position of it is named', async (t) => {
  for (let seed = 1; seed <= rounds; seed++) {
    await ledger.restore()
    const position = await tamperAtRandom(ledger, seededRandom(seed))
    const { firstProblem: found } = await verify()
    t.equal(found?.position, position, `seed ${seed}: ${found?.detail}`)
    const report = await verifiedOffline()
    // An export of the ledger goes to its head; the newest checkpoint is all it holds against a chain made anew.
    t.match(report.firstProblem, { position }, `seed ${seed}, offline: ${report.firstProblem?.detail}`)
  }
})
