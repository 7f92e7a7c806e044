import { sql } from 'kysely'
import type { Encryption } from './encryption.ts'
import { newId } from './id.ts'
import type { Logger } from './logger.ts'
import { systemOrigin, type UnitOfWork, type Work } from './work.ts'

/** Where ciphertexts are stored: a column of a table whose key is (organization_id, id). */
export interface EncryptedColumn {
  readonly table: string
  readonly column: string
}

export interface RotationDependencies {
  readonly unitOfWork: UnitOfWork
  readonly encryption: Encryption
  readonly log: Logger
}

/** Rows that are encrypted with the first key now, and rows that no key opened and that stayed as they were. */
export interface Rotated {
  readonly rows: number
  readonly unopened: number
}

interface Key {
  readonly organization_id: string
  readonly id: string
}

const batchSize = 500

/**
 * Encrypts with the first key whatever another key encrypted, in batches. It may be stopped and started again, and run
 * while the service runs.
 */
export async function rotateColumn(dependencies: RotationDependencies, column: EncryptedColumn): Promise<Rotated> {
  let [rows, unopened] = [0, 0]
  let last: Key = { organization_id: '', id: '' }
  for (;;) {
    const found = await selectOutdated(dependencies, column, last)
    for (const [organizationId, keys] of Map.groupBy(found, (key) => key.organization_id)) {
      const ids = keys.map(({ id }) => id)
      const rotated = await rotateRows(dependencies, column, organizationId, ids)
      rows += rotated.rows
      unopened += rotated.unopened
    }
    last = found.at(-1) ?? last
    if (found.length < batchSize) return { rows, unopened }
  }
}

async function selectOutdated(
  { unitOfWork, encryption }: RotationDependencies,
  { table, column }: EncryptedColumn,
  { organization_id, id }: Key,
): Promise<readonly Key[]> {
  const { rows } = await unitOfWork.sweep((db) =>
    sql<Key>`select organization_id, id from ${sql.table(table)}
      where not starts_with(${sql.ref(column)}, ${encryption.currentPrefix}) and (organization_id, id) > (${organization_id}, ${id})
      order by organization_id, id limit ${batchSize}`.execute(db),
  )
  return rows
}

function rotateRows(
  { unitOfWork, encryption, log }: RotationDependencies,
  { table, column }: EncryptedColumn,
  organizationId: string,
  ids: readonly string[],
): Promise<Rotated> {
  const origin = systemOrigin({
    organizationId,
    name: 'encryption.rotate',
    requestId: newId('req'),
    traceparent: null,
    log,
  })
  return unitOfWork.write(origin, async (work) => {
    const stored = await lockRows(work, { table, column }, ids)
    const fresh = stored.flatMap(({ id, ciphertext }) => {
      const row = { table, organizationId, id }
      const text = opened(() => encryption.decrypt(ciphertext, row), log)
      return text === null ? [] : [{ id, ciphertext: encryption.encrypt(text, row) }]
    })
    await sql`update ${sql.table(table)} as kept set ${sql.ref(column)} = fresh.ciphertext
      from json_to_recordset(${JSON.stringify(fresh)}::json) as fresh (id text, ciphertext text)
      where kept.organization_id = current_setting('app.organization_id') and kept.id = fresh.id`.execute(work.db)
    return { rows: fresh.length, unopened: stored.length - fresh.length }
  })
}

async function lockRows(work: Work, { table, column }: EncryptedColumn, ids: readonly string[]) {
  const { rows } = await sql<{ id: string; ciphertext: string }>`
    select id, ${sql.ref(column)} as ciphertext from ${sql.table(table)}
    where organization_id = current_setting('app.organization_id') and id = any(${ids}) order by id for update`.execute(
    work.db,
  )
  return rows
}

/** One lost key must not keep the others from being replaced. */
function opened(decrypt: () => string, log: Logger): string | null {
  try {
    return decrypt()
  } catch (error) {
    log.error({ err: error }, 'a stored secret cannot be opened')
    return null
  }
}
