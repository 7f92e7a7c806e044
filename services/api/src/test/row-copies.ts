import type pg from 'pg'

/** Inserts a copy of a row of a tenant, as the superuser read it, through another connection. */
export function copyRow(db: pg.Pool, table: string, tenantColumn: string, organizationId: string) {
  return async (client: pg.PoolClient): Promise<void> => {
    const text = `select row_to_json(r) as row from ${table} r where ${tenantColumn} = $1 limit 1`
    const found = await db.query<{ row: object }>(text, [organizationId])
    const given = await db.query<{ list: string }>(
      `select string_agg(quote_ident(attname), ', ') as list from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    )
    const list = given.rows[0]?.list
    const copy = `select ${list} from json_populate_record(null::${table}, $1)`
    await client.query(`insert into ${table} (${list}) ${copy}`, [found.rows[0]?.row])
  }
}
