import type { TamperedLedger } from './tampering.ts'

const atPosition = (position: number): string =>
  `organization_id = $1 and id = (select id from events where organization_id = $1 and sequence = ${position})`

/** Ways to touch one position, each seen at that very position. */
const touches: readonly ((position: number) => readonly string[])[] = [
  (position) => [`update ledger set data = data || '{"note": "x"}' where ${atPosition(position)}`],
  (position) => [`update ledger set request_id = request_id || 'x' where ${atPosition(position)}`],
  (position) => [`update ledger set occurred_at = occurred_at + interval '1 ms' where ${atPosition(position)}`],
  (position) => [
    `update ledger set actor = '{"type": "system", "id": "x", "keyId": null}' where ${atPosition(position)}`,
  ],
  (position) => [`update events set hash = sha256(hash) where organization_id = $1 and sequence = ${position}`],
  (position) => [
    `delete from ledger where ${atPosition(position)}`,
    `delete from events where organization_id = $1 and sequence = ${position}`,
  ],
]

/** Touches one to four positions, or one and chains everything anew; returns where it must be seen first. */
export async function tamperAtRandom(ledger: TamperedLedger, random: () => number): Promise<number> {
  const { db, organizationId, head, checkpoints } = ledger
  const pick = (most: number) => Math.floor(random() * most)
  const forges = random() < 0.25
  const [first, second] = checkpoints
  const count = forges ? 1 : 1 + pick(4)
  const positions = new Set(Array.from({ length: count }, () => 1 + pick(forges ? second : head)))
  for (const position of positions) {
    const touch = touches[pick(forges ? 4 : touches.length)] ?? (() => [])
    for (const text of touch(position)) await db.query(text, [organizationId])
  }
  const lowest = Math.min(...positions)
  if (!forges) return lowest
  await ledger.rechain()
  return lowest <= first ? first : second
}
