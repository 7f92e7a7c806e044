-- The ground every table stands on: roles, the ledger, idempotency.
-- purser_app runs requests and jobs inside one tenant; purser_relay reads across tenants what relay and sweeps need.
-- Both own nothing. A login takes one of them per transaction: set_config('role', 'purser_app', true).

do $$
begin
  if not exists (select from pg_roles where rolname = 'purser_app') then
    create role purser_app nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'purser_relay') then
    create role purser_relay nologin;
  end if;
exception
  when duplicate_object or unique_violation then null;
end
$$;

-- From PostgreSQL 16 on, who creates a role is its member without the right to take it: that is granted here.
do $$
declare
  privilege text := case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end;
  granted text;
begin
  foreach granted in array array['purser_app', 'purser_relay'] loop
    if not pg_has_role(current_user, granted, privilege) then
      execute format('grant %I to %I', granted, current_user);
    end if;
  end loop;
end
$$;

grant usage on schema public to purser_app, purser_relay;

-- One row per change of a resource, written in the transaction of the change, never updated.
-- `personal` stays outside what is hashed and chained, so it can be erased.
create table ledger (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  xid xid8 not null default pg_current_xact_id(),
  type text not null,
  schema_version integer not null default 1,
  occurred_at timestamptz(3) not null,
  actor jsonb not null,
  request_id text not null,
  traceparent text,
  resource_type text not null,
  resource_id text collate "C" not null,
  resource_version integer not null,
  changed text[] not null,
  data jsonb not null,
  personal jsonb,
  personal_salt bytea,
  primary key (organization_id, id),
  constraint ledger_personal_salted check ((personal is null) = (personal_salt is null))
);
create index ledger_resource on ledger (organization_id, resource_id, resource_version);
create index ledger_position on ledger (xid, id);

-- The answer to every keyed command that succeeded. The primary key is the backstop of exactly-once.
create table idempotency_keys (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  principal_id text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  status smallint not null,
  etag text,
  location text,
  data text,
  created_at timestamptz(3) not null,
  primary key (organization_id, principal_id, key)
);
create index idempotency_keys_age on idempotency_keys using brin (created_at) with (pages_per_range = 16);

alter table ledger enable row level security;
alter table ledger force row level security;
create policy tenant on ledger to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy relay on ledger for select to purser_relay using (true);
grant select, insert on ledger to purser_app;
grant select on ledger to purser_relay;

alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy tenant on idempotency_keys to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy sweep on idempotency_keys to purser_relay using (true) with check (false);
grant select, insert on idempotency_keys to purser_app;
grant select, delete on idempotency_keys to purser_relay;
