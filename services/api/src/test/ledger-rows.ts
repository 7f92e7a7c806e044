import type pg from 'pg'
import { newId } from '#platform/id.ts'

/** Begins a transaction in the name of an organization. */
export async function beginAs(client: pg.ClientBase, organizationId: string): Promise<void> {
  await client.query('begin')
  await client.query(`select set_config('role', 'purser_app', true), set_config('app.organization_id', $1, true)`, [
    organizationId,
  ])
}

/** Writes a version of a product into the ledger, without the product; returns the id of the row. */
export async function recordVersion(client: pg.ClientBase, resourceId: string, version: number): Promise<string> {
  const id = newId('evt')
  await client.query(
    `insert into ledger (id, type, occurred_at, actor, request_id, resource_type, resource_id, resource_version,
       changed, data)
     values ($1, 'product.updated', now(), '{"type": "system", "id": "test", "keyId": null}', 'req_1', 'product', $2, $3,
       '{}', '{}')`,
    [id, resourceId, version],
  )
  return id
}
