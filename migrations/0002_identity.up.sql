create table organizations (
  id text collate "C" primary key default current_setting('app.organization_id'),
  name text not null check (length(name) between 1 and 200),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null
);

-- A key's principal stays the same when the key is rotated, so that retries and their answers carry over.
create table api_keys (
  organization_id text collate "C" not null default current_setting('app.organization_id') references organizations,
  id text collate "C" not null,
  principal_id text collate "C" not null,
  name text not null check (length(name) between 1 and 200),
  mode text not null check (mode in ('live', 'test')),
  hint text not null,
  secret_hash text collate "C" not null,
  scopes text[] not null,
  rate_limit_per_minute integer check (rate_limit_per_minute > 0),
  allowed_cidrs text[] not null default '{}',
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3),
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (organization_id, id)
);
create index api_keys_secret on api_keys (secret_hash);

alter table organizations enable row level security;
alter table organizations force row level security;
create policy tenant on organizations to purser_app
  using (id = current_setting('app.organization_id', true))
  with check (id = current_setting('app.organization_id', true));
grant select, insert, update on organizations to purser_app;

alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy tenant on api_keys to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
-- A credential is found before its tenant is known, by nothing but the hash of what was presented.
create policy credential on api_keys for select to purser_app
  using (secret_hash = current_setting('app.credential_hash', true));
grant select, insert, update on api_keys to purser_app;
