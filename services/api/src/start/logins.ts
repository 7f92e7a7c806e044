import pg from 'pg'
import type { EmbeddedPostgres, Login } from './embedded-postgres.ts'

const attributes: Readonly<Partial<Record<Login, string>>> = {
  purser: 'login createrole',
  purser_server: 'login noinherit',
  purser_worker: 'login noinherit',
}

/** Creates the logins and the database `purser`; what exists stays as it is. */
export async function createLogins(postgres: EmbeddedPostgres): Promise<void> {
  await asSuperuser(postgres, 'postgres', async (client) => {
    const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles')
    const known = new Set(rows.map(({ rolname }) => rolname))
    for (const [login, attribute] of Object.entries(attributes) as [Login, string][])
      if (!known.has(login)) {
        const password = client.escapeLiteral(new URL(postgres.url(login)).password)
        await client.query(`create role ${login} ${attribute} password ${password}`)
      }
    const { rowCount } = await client.query(`select from pg_database where datname = 'purser'`)
    if (rowCount === 0) await client.query('create database purser owner purser')
    await client.query(
      `revoke connect, temporary on database purser from public;
       grant connect on database purser to purser_server, purser_worker`,
    )
  })
}

/** Lets each process take the roles that the migrations have made, and no other. */
export async function grantRoles(postgres: EmbeddedPostgres): Promise<void> {
  await asSuperuser(postgres, 'purser', async (client) => {
    await client.query(`grant purser_app to purser_server; grant purser_app, purser_relay to purser_worker`)
  })
}

async function asSuperuser(postgres: EmbeddedPostgres, database: string, run: (client: pg.Client) => Promise<void>) {
  const client = new pg.Client({ connectionString: postgres.url('postgres', database) })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await run(client)
  } finally {
    await client.end()
  }
}
