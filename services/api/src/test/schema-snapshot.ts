import type { ClientBase } from 'pg'

const ownSchemas = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`

const queries = {
  schemas: `select n.nspname, n.nspacl::text, r.rolname from pg_namespace n join pg_roles r on r.oid = nspowner
    where ${ownSchemas}`,
  relations: `select n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
      c.reloptions, c.relacl::text, r.rolname, pg_get_viewdef(c.oid) filter_view, pg_get_partkeydef(c.oid) partition_key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
    where ${ownSchemas} and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')`,
  columns: `select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
      a.attgenerated, a.attcollation::regcollation::text, a.attacl::text, a.attstorage, a.attcompression,
      row_number() over (partition by c.oid order by a.attnum) position, pg_get_expr(d.adbin, d.adrelid) default_value
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where ${ownSchemas} and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
  constraints: `select n.nspname, k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid), k.convalidated
    from pg_constraint k join pg_namespace n on n.oid = k.connamespace where ${ownSchemas}`,
  indexes: `select n.nspname, c.relname, pg_get_indexdef(c.oid), i.indisvalid
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where ${ownSchemas}`,
  policies: `select schemaname, tablename, policyname, permissive, roles::text, cmd, qual, with_check from pg_policies`,
  functions: `select n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), p.proacl::text, r.rolname,
      case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) end definition
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
    where ${ownSchemas}`,
  triggers: `select n.nspname, c.relname, pg_get_triggerdef(t.oid)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where ${ownSchemas} and not t.tgisinternal`,
  types: `select n.nspname, t.typname, t.typtype, t.typacl::text, format_type(t.typbasetype, t.typtypmod) base,
      (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) labels
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${ownSchemas} and t.typtype in ('d', 'e', 'r')`,
  extensions: `select extname, extversion from pg_extension`,
  defaultPrivileges: `select defaclrole::regrole::text, defaclobjtype, defaclacl::text from pg_default_acl`,
  rules: `select schemaname, tablename, rulename, definition from pg_rules where schemaname !~ '^pg_'`,
} as const

/** One line for everything a migration can create in a database; equal lists mean equal schemas. */
export async function schemaSnapshot(client: ClientBase): Promise<readonly string[]> {
  const lines: string[] = []
  for (const [kind, text] of Object.entries(queries)) {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' })
    lines.push(...rows.map((row) => `${kind} ${JSON.stringify(row)}`))
  }
  return lines.sort()
}
