import type pg from 'pg'
import t from 'tap'
import { insertAuditRows } from '#test/audit-rows.ts'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'
import { copyRow } from '#test/row-copies.ts'
import { insertWebhookRows } from '#test/webhook-rows.ts'

/** What one tenant may see, from the catalog first and then by trying. */
const h = await harness(t)
const other = await h.otherTenant()
for (const tenant of [h.tenant, other]) {
  await tenant.stock([{ sku: 'MUG', onHand: 5 }])
  const customer = { name: 'A', email: 'a@b.example' }
  const order = { paymentTerms: 'prepaid', customer, lines: [{ sku: 'MUG', quantity: 1 }] }
  const placed = await h.as(tenant.key).post('/v1/orders', order)
  await h.as(tenant.key).post(`/v1/orders/${placed.body.data.id}/holds`, { blocks: 'fulfill' })
  if (placed.status !== 201) throw new Error(placed.text)
  await insertWebhookRows(h.db, tenant.organizationId)
  await insertAuditRows(h.db, tenant.organizationId)
}
await relay(h)
const select = async <R extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
  (await h.db.query<R>(text, values)).rows
const tables = (
  await select<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname not in ('schema_migration', 'relay_state') order by 1`,
  )
).map(({ name }) => name)
const tenantColumn = (table: string) => (table === 'organizations' ? 'id' : 'organization_id')
const ownRows = (column: string) => `(${column} = current_setting('app.organization_id'::text, true))`

/** Runs statements as a role, for a tenant or none, and takes everything back. */
async function as<T>(
  role: string,
  organizationId: string | null,
  run: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await h.db.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('role', $1, true)`, [role])
    if (organizationId !== null)
      await client.query(`select set_config('app.organization_id', $1, true)`, [organizationId])
    return await run(client)
  } finally {
    await client.query('rollback')
    client.release()
  }
}

t.test('every table belongs to a tenant, and is closed to everybody else, its owner included', async (t) => {
  t.ok(tables.length >= 11)
  const flags = await select(
    `select relname, relrowsecurity, relforcerowsecurity from pg_class where oid = any($1::regclass[])`,
    [tables],
  )
  const columns = await select(
    `select table_name, column_name, is_nullable, column_default from information_schema.columns
     where table_schema = 'public'`,
  )
  for (const table of tables) {
    const flag = flags.find(({ relname }) => relname === table)
    t.match(flag, { relrowsecurity: true, relforcerowsecurity: true }, table)
    const column = columns.find((c) => c.table_name === table && c.column_name === tenantColumn(table))
    t.match(column, { is_nullable: 'NO', column_default: /app\.organization_id/ }, table)
  }
})

t.test('partitions are closed to everybody, and the state of the relay to all but the relay', async (t) => {
  const partitions = await select(`select relname, relrowsecurity, relforcerowsecurity, relacl::text,
      exists (select from pg_policy where polrelid = c.oid) as open
    from pg_class c where relispartition and relkind = 'r' and relnamespace = 'public'::regnamespace`)
  t.ok(partitions.length > 8)
  for (const partition of partitions)
    t.match(partition, { relrowsecurity: true, relforcerowsecurity: true, relacl: null, open: false })
  const [state] = await select(
    `select relrowsecurity, relforcerowsecurity, relacl::text[] as rights from pg_class where relname = 'relay_state'`,
  )
  t.match(state, { relrowsecurity: true, relforcerowsecurity: true })
  t.same(state?.rights.slice(1), ['purser_relay=rw/postgres'])
  const shown = await select(`select column_name as name from information_schema.column_privileges
    where table_name = 'relay_state' and grantee = 'purser_app' and privilege_type = 'SELECT' order by 1`)
  const asked = 'beat_at behind_since leader position_id position_xid system_identifier'
  t.equal(
    shown.map(({ name }) => name).join(' '),
    asked,
    'the API may ask how old the last beat is and how far it came',
  )
})

t.test('the tenant policy stands on every table; the exemptions are these and no others', async (t) => {
  const policies = await select(`select tablename, policyname, permissive, roles::text[] as roles, cmd, qual, with_check
    from pg_policies where schemaname = 'public' order by tablename, policyname`)
  for (const table of tables) {
    const tenant = policies.find(({ tablename, policyname }) => tablename === table && policyname === 'tenant')
    const own = ownRows(tenantColumn(table))
    t.match(tenant, { permissive: 'PERMISSIVE', roles: ['purser_app'], cmd: 'ALL', qual: own, with_check: own }, table)
  }
  const exemptions = policies
    .filter(({ policyname }) => policyname !== 'tenant')
    .map((p) => [p.tablename, p.policyname, p.roles.join(), p.cmd, p.qual, p.with_check])
  t.same(exemptions, [
    [
      'api_keys',
      'credential',
      'purser_app',
      'SELECT',
      `(secret_hash = current_setting('app.credential_hash'::text, true))`,
      null,
    ],
    ['event_heads', 'relay', 'purser_relay', 'ALL', 'true', 'true'],
    ['events', 'relay', 'purser_relay', 'ALL', 'true', 'true'],
    ['idempotency_keys', 'sweep', 'purser_relay', 'ALL', 'true', 'false'],
    ['ledger', 'relay', 'purser_relay', 'SELECT', 'true', null],
    ['ledger_checkpoints', 'sweep', 'purser_relay', 'SELECT', 'true', null],
    ['ledger_exports', 'sweep', 'purser_relay', 'ALL', 'true', 'false'],
    ['orders', 'sweep', 'purser_relay', 'SELECT', 'true', null],
    ['products', 'search', 'purser_search', 'SELECT', 'true', null],
    ['relay_state', 'lag', 'purser_app', 'SELECT', 'true', null],
    ['relay_state', 'relay', 'purser_relay', 'ALL', 'true', 'true'],
    ['reservations', 'sweep', 'purser_relay', 'SELECT', 'true', null],
    ['stock_levels', 'sweep', 'purser_relay', 'SELECT', 'true', null],
    ['stock_movements', 'sweep', 'purser_relay', 'SELECT', 'true', null],
    ['webhook_attempts', 'relay', 'purser_relay', 'ALL', 'true', 'true'],
    ['webhook_deliveries', 'relay', 'purser_relay', 'ALL', 'true', 'true'],
    ['webhook_endpoints', 'relay', 'purser_relay', 'ALL', 'true', 'true'],
    ['webhook_secrets', 'relay', 'purser_relay', 'ALL', 'true', 'false'],
  ])
})

t.test('keys and references are led by the tenant, so that none can reach across', async (t) => {
  const keys = await select(
    `select i.indrelid::regclass::text as table, c.relname as name, a.attname as first
    from pg_index i join pg_class c on c.oid = i.indexrelid
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid::regclass::text = any($1) and (i.indisunique or i.indisprimary)`,
    [tables],
  )
  t.ok(keys.length >= tables.length)
  for (const key of keys) t.equal(key.first, tenantColumn(key.table), key.name)
  const references = await select(`select conname as name, conrelid::regclass::text as table,
      confrelid::regclass::text as target, a.attname as first, f.attname as target_first
    from pg_constraint join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]
    join pg_attribute f on f.attrelid = confrelid and f.attnum = confkey[1]
    where contype = 'f' and connamespace = 'public'::regnamespace`)
  t.ok(references.length > 5)
  for (const reference of references) {
    t.equal(reference.first, 'organization_id', reference.name)
    t.equal(reference.target_first, tenantColumn(reference.target), reference.name)
  }
})

t.test('the roles own nothing, bypass nothing and may do no more than is written here', async (t) => {
  const roles =
    await select(`select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication
    from pg_roles where rolname in ('purser_app', 'purser_relay') order by 1`)
  t.equal(roles.length, 2)
  for (const { rolname, ...rights } of roles) t.notOk(Object.values(rights).includes(true), rolname)
  const owned = await select(`select 1 from pg_shdepend where refclassid = 'pg_authid'::regclass and deptype = 'o'
    and refobjid::regrole::text in ('purser_app', 'purser_relay')`)
  t.same(owned, [])
  const members = await select(`select 1 from pg_auth_members where member::regrole::text ~ '^purser_(app|relay)$'`)
  t.same(members, [], 'and are members of no other role')
  const grants = await select<{ grantee: string; table: string; rights: string }>(
    `select grantee, table_name as table, string_agg(lower(privilege_type), ' ' order by privilege_type) as rights
     from information_schema.role_table_grants
     where table_schema = 'public' and grantee in ('purser_app', 'purser_relay', 'PUBLIC') group by 1, 2 order by 1, 2`,
  )
  const ofLedger = ['ledger', 'ledger_checkpoints', 'ledger_export_chunks']
  const appendOnly = ['idempotency_keys', 'stock_movements', 'webhook_attempts', ...ofLedger]
  const rightsOn = (table: string) => {
    if (readOnly.includes(table)) return 'select'
    return appendOnly.includes(table) ? 'insert select' : 'insert select update'
  }
  const expected = tables.map((table) => ({ grantee: 'purser_app', table, rights: rightsOn(table) }))
  t.same(
    grants.filter(({ table }) => table !== 'schema_migration' && table !== 'relay_state'),
    [
      ...expected,
      { grantee: 'purser_relay', table: 'event_heads', rights: 'insert select update' },
      { grantee: 'purser_relay', table: 'events', rights: 'insert select' },
      { grantee: 'purser_relay', table: 'idempotency_keys', rights: 'delete select' },
      { grantee: 'purser_relay', table: 'ledger', rights: 'select' },
      { grantee: 'purser_relay', table: 'ledger_checkpoints', rights: 'select' },
      { grantee: 'purser_relay', table: 'ledger_exports', rights: 'delete select' },
      { grantee: 'purser_relay', table: 'orders', rights: 'select' },
      { grantee: 'purser_relay', table: 'reservations', rights: 'select' },
      { grantee: 'purser_relay', table: 'stock_levels', rights: 'select' },
      { grantee: 'purser_relay', table: 'stock_movements', rights: 'select' },
      { grantee: 'purser_relay', table: 'webhook_attempts', rights: 'insert select' },
      { grantee: 'purser_relay', table: 'webhook_deliveries', rights: 'delete insert select update' },
      { grantee: 'purser_relay', table: 'webhook_endpoints', rights: 'select' },
      { grantee: 'purser_relay', table: 'webhook_secrets', rights: 'delete select' },
    ],
  )
  const columns = await select<{ name: string }>(`select column_name as name from information_schema.column_privileges
    where table_name = 'webhook_endpoints' and grantee = 'purser_relay' and privilege_type = 'UPDATE' order by 1`)
  const counters = 'consecutive_failures next_probe_at probe_count'
  t.equal(columns.map(({ name }) => name).join(' '), counters, 'of an endpoint the relay writes what it counts')
})

t.test('times are kept to the millisecond, ids and keys in byte order', async (t) => {
  const columns = await select(
    `select a.attrelid::regclass::text as table, a.attname as name,
      format_type(a.atttypid, a.atttypmod) as type, c.collname as collation
    from pg_attribute a left join pg_collation c on c.oid = a.attcollation
    where a.attrelid::regclass::text = any($1) and a.attnum > 0 and not a.attisdropped`,
    [tables],
  )
  for (const { table, name, type, collation } of columns) {
    t.notMatch(type, /^(timestamp without|date$|time )/, `${table}.${name}`)
    if (/^timestamp/.test(type)) t.equal(type, 'timestamp(3) with time zone', `${table}.${name}`)
    const isKey = (name === 'id' || name.endsWith('_id') || name === 'sku') && name !== 'request_id'
    if (isKey && type === 'text') t.equal(collation, 'C', `${table}.${name}`)
    t.notMatch(type, /^(real|double|numeric|money)/, `${table}.${name} is exact`)
  }
})

t.test('without a tenant nothing is there and nothing can be written', async (t) => {
  for (const table of tables) {
    t.ok((await select(`select from ${table} limit 2`)).length > 0, `${table} has rows to hide`)
    const seen = await as('purser_app', null, (client) => client.query(`select from ${table}`))
    t.equal(seen.rowCount, 0, table)
    await t.rejects(as('purser_app', null, copyInto(table, h.tenant.organizationId)), { code: '42501' }, table)
  }
})

t.test("a tenant sees its own rows, cannot add to or change another's, nor give its own away", async (t) => {
  for (const table of tables) {
    const column = tenantColumn(table)
    const count = async (organizationId: string) =>
      (await select(`select from ${table} where ${column} = $1`, [organizationId])).length
    const seen = await as('purser_app', other.organizationId, (client) =>
      client.query(`select distinct ${column} as tenant, count(*)::int as n from ${table} group by 1`),
    )
    t.same(seen.rows, [{ tenant: other.organizationId, n: await count(other.organizationId) }], table)
    const foreign = copyInto(table, h.tenant.organizationId)
    await t.rejects(as('purser_app', other.organizationId, foreign), { code: '42501' }, table)
    const give = `update ${table} set ${column} = $1`
    const giveAway = as('purser_app', other.organizationId, (client) => client.query(give, [h.tenant.organizationId]))
    await t.rejects(giveAway, { code: '42501' }, table)
    const remove = as('purser_app', other.organizationId, (client) => client.query(`delete from ${table}`))
    await t.rejects(remove, { code: '42501' }, table)
  }
  const renamed = await as('purser_app', other.organizationId, (client) =>
    client.query(`update locations set name = 'mine' where organization_id = $1`, [h.tenant.organizationId]),
  )
  t.equal(renamed.rowCount, 0)
})

t.test('a reference cannot point into another tenant', async (t) => {
  const level = `insert into stock_levels (sku, location_id, on_hand, created_at, updated_at)
    values ('MUG', $1, 1, now(), now())`
  const attempt = as('purser_app', other.organizationId, (client) => client.query(level, [h.tenant.locationId]))
  await t.rejects(attempt, { code: '23503' })
})

t.test('a presented credential shows one key, and lets nothing be changed', async (t) => {
  const [key] = await select<{ secret_hash: string }>('select secret_hash from api_keys where id = $1', [
    h.tenant.keyId,
  ])
  const presented = (client: pg.PoolClient) =>
    client.query(`select set_config('app.credential_hash', $1, true)`, [key?.secret_hash])
  await as('purser_app', null, async (client) => {
    await presented(client)
    t.same((await client.query('select id from api_keys')).rows, [{ id: h.tenant.keyId }])
    t.equal((await client.query('update api_keys set revoked_at = now()')).rowCount, 0)
    for (const table of tables.filter((name) => name !== 'api_keys'))
      t.equal((await client.query(`select from ${table}`)).rowCount, 0, table)
  })
})

/** What only the relay role writes. */
const readOnly = ['event_heads', 'events']
const written = [...readOnly, 'webhook_attempts', 'webhook_deliveries']
const swept = 'idempotency_keys ledger ledger_checkpoints ledger_exports orders reservations'.split(' ')
swept.push('stock_levels', 'stock_movements', 'webhook_endpoints', 'webhook_secrets')

t.test('the relay reads what its policies list, across tenants, and writes numbers and deliveries alone', async (t) => {
  for (const table of tables.filter((name) => !written.includes(name))) {
    const read = as('purser_relay', null, (client) => client.query(`select count(*)::int as n from ${table}`))
    if (!swept.includes(table)) await t.rejects(read, { code: '42501' }, table)
    else t.same((await read).rows, await select(`select count(*)::int as n from ${table}`), table)
    const insert = as('purser_relay', h.tenant.organizationId, copyInto(table, h.tenant.organizationId))
    await t.rejects(insert, { code: '42501' }, table)
    const update = `update ${table} set ${tenantColumn(table)} = ${tenantColumn(table)}`
    await t.rejects(
      as('purser_relay', null, (client) => client.query(update)),
      { code: '42501' },
      table,
    )
  }
})

const copyInto = (table: string, organizationId: string) => copyRow(h.db, table, tenantColumn(table), organizationId)
