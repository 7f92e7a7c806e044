import type pg from 'pg'
import { newId } from '#platform/id.ts'

/** One row in each table of webhooks, for looking at the tables themselves. Returns the id of the endpoint. */
export async function insertWebhookRows(db: pg.Pool, organizationId: string): Promise<string> {
  const endpointId = newId('whe')
  const deliveryId = newId('dlv')
  await db.query(
    `insert into webhook_endpoints (organization_id, id, principal_id, url, types, created_at, updated_at)
     values ($1, $2, 'usr_a', 'https://receiver.example/', '{*}', now(), now())`,
    [organizationId, endpointId],
  )
  await db.query(
    `insert into webhook_secrets (organization_id, id, endpoint_id, ciphertext, created_at)
     values ($1, $2, $3, 'k.c', now())`,
    [organizationId, newId('whs'), endpointId],
  )
  await db.query(
    `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id,
       due_at, created_at)
     values ($1, $2, $3, $4, 'order.placed', 1, 'ord_a', now(), now())`,
    [organizationId, deliveryId, endpointId, newId('evt')],
  )
  await db.query(
    `insert into webhook_attempts (organization_id, id, delivery_id, endpoint_id, number, at, duration_ms)
     values ($1, $2, $3, $4, 1, now(), 1)`,
    [organizationId, newId('wat'), deliveryId, endpointId],
  )
  return endpointId
}
