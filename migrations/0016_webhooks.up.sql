-- Webhooks: who is told of which events, what was sent, and what came of every attempt.

-- A registered receiver. `principal_id` registered it; `allowed_sources`, when not empty, binds it to orders of these
-- sources. An archived endpoint is deleted for its users; its deliveries stay readable.
create table webhook_endpoints (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  principal_id text collate "C" not null,
  url text not null,
  description text,
  types text[] not null check (cardinality(types) > 0),
  allowed_sources text[] not null default '{}',
  ordering text not null default 'none' check (ordering in ('none', 'perResource')),
  state text not null default 'active' check (state in ('active', 'failing', 'disabled')),
  disabled_reason text,
  max_concurrency integer not null default 5 check (max_concurrency between 1 and 20),
  consecutive_failures integer not null default 0 check (consecutive_failures >= 0),
  failing_since timestamptz(3),
  next_probe_at timestamptz(3),
  probe_count integer not null default 0 check (probe_count >= 0),
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  archived_at timestamptz(3),
  primary key (organization_id, id),
  constraint webhook_endpoints_failing
    check ((state = 'failing') = (failing_since is not null) and (state = 'failing') = (next_probe_at is not null))
);
create index webhook_endpoints_failing on webhook_endpoints (organization_id, id) where state = 'failing';

-- Signing secrets, encrypted. `expires_at` null: the current one; after a rotation the one before signs until then.
create table webhook_secrets (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  endpoint_id text collate "C" not null,
  ciphertext text not null,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3),
  primary key (organization_id, id),
  constraint webhook_secrets_endpoint foreign key (organization_id, endpoint_id) references webhook_endpoints
);
create unique index webhook_secrets_current on webhook_secrets (organization_id, endpoint_id) where expires_at is null;
create index webhook_secrets_endpoint on webhook_secrets (organization_id, endpoint_id);

-- One event for one endpoint. `payload` is the body of a test delivery, whose event is in no ledger; every other body
-- is made of the event. `version` counts its entries in the ledger. A lease is in the time of the database.
create table webhook_deliveries (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  endpoint_id text collate "C" not null,
  event_id text collate "C" not null,
  event_type text not null,
  sequence bigint not null,
  resource_id text collate "C" not null,
  replay_of text collate "C",
  payload text,
  state text not null default 'pending' check (state in ('pending', 'sending', 'delivered', 'dead', 'cancelled')),
  attempts integer not null default 0 check (attempts >= 0),
  attempts_left integer not null default 3 check (attempts_left >= 0),
  due_at timestamptz(3) not null,
  leased_until timestamptz(3),
  leased_by text,
  last_status integer,
  last_error text,
  version integer not null default 0,
  created_at timestamptz(3) not null,
  delivered_at timestamptz(3),
  primary key (organization_id, id),
  constraint webhook_deliveries_endpoint foreign key (organization_id, endpoint_id) references webhook_endpoints,
  constraint webhook_deliveries_leased
    check ((state = 'sending') = (leased_until is not null) and (leased_until is null) = (leased_by is null)),
  constraint webhook_deliveries_delivered check ((state = 'delivered') = (delivered_at is not null))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create unique index webhook_deliveries_once on webhook_deliveries (organization_id, endpoint_id, event_id)
  where replay_of is null;
create index webhook_deliveries_list on webhook_deliveries (organization_id, endpoint_id, id);
create index webhook_deliveries_event on webhook_deliveries (organization_id, event_id, id);
create index webhook_deliveries_dead on webhook_deliveries (organization_id, endpoint_id, id) where state = 'dead';
-- The sender looks across tenants: what is due, what comes first of a resource, what is on its way.
create index webhook_deliveries_due on webhook_deliveries (organization_id, endpoint_id, due_at, sequence)
  where state = 'pending';
create index webhook_deliveries_open on webhook_deliveries (organization_id, endpoint_id, resource_id, sequence)
  where state in ('pending', 'sending');
create index webhook_deliveries_sending on webhook_deliveries (organization_id, endpoint_id) where state = 'sending';
create index webhook_deliveries_tests on webhook_deliveries (organization_id, endpoint_id)
  where state = 'pending' and payload is not null;
create index webhook_deliveries_age on webhook_deliveries using brin (created_at) with (pages_per_range = 16);

-- What came of each attempt, partitioned by the time in its id.
create table webhook_attempts (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  delivery_id text collate "C" not null,
  endpoint_id text collate "C" not null,
  number integer not null,
  at timestamptz(3) not null,
  duration_ms integer not null,
  status integer,
  error text,
  response_excerpt text,
  primary key (organization_id, id)
) partition by range (id);
create index webhook_attempts_delivery on webhook_attempts (organization_id, delivery_id, id);
create table webhook_attempts_default partition of webhook_attempts default;
alter table webhook_attempts_default enable row level security;
alter table webhook_attempts_default force row level security;
select ensure_time_partitions('webhook_attempts', 'wat', 3);

do $$
declare
  name text;
begin
  foreach name in array array['webhook_endpoints', 'webhook_secrets', 'webhook_deliveries', 'webhook_attempts'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format($policy$create policy tenant on %I to purser_app
      using (organization_id = current_setting('app.organization_id', true))
      with check (organization_id = current_setting('app.organization_id', true))$policy$, name);
  end loop;
end
$$;

grant select, insert, update on webhook_endpoints, webhook_secrets, webhook_deliveries to purser_app;
grant select, insert on webhook_attempts to purser_app;

create policy relay on webhook_endpoints to purser_relay using (true) with check (true);
grant select, update (consecutive_failures, next_probe_at, probe_count) on webhook_endpoints to purser_relay;
create policy relay on webhook_secrets to purser_relay using (true) with check (false);
grant select, delete on webhook_secrets to purser_relay;
create policy relay on webhook_deliveries to purser_relay using (true) with check (true);
grant select, insert, update, delete on webhook_deliveries to purser_relay;
create policy relay on webhook_attempts to purser_relay using (true) with check (true);
grant select, insert on webhook_attempts to purser_relay;
