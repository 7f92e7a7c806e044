-- What verifies the ledger: signed checkpoints, verifications of large ledgers, exports.

-- A checkpoint signs the hash of one position. Never changed, never deleted; numbered without gaps per organization,
-- and each names the digest of the one before it, so that a dropped one is missed.
create table ledger_checkpoints (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  number integer not null check (number > 0),
  sequence bigint not null check (sequence >= 0),
  hash bytea not null check (octet_length(hash) = 32),
  key_id text collate "C" not null,
  jws text not null,
  signed_at timestamptz(3) not null,
  primary key (organization_id, id),
  constraint ledger_checkpoints_number unique (organization_id, number)
);
create index ledger_checkpoints_sequence on ledger_checkpoints (organization_id, sequence, number);

create table ledger_verifications (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  state text not null check (state in ('queued', 'completed')),
  first_sequence bigint not null,
  last_sequence bigint not null,
  -- A checkpoint that the caller had kept.
  kept text,
  outcome jsonb,
  created_at timestamptz(3) not null,
  completed_at timestamptz(3),
  primary key (organization_id, id),
  check ((state = 'completed') = (outcome is not null and completed_at is not null))
);

create table ledger_exports (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  state text not null check (state in ('queued', 'completed')),
  first_sequence bigint not null,
  last_sequence bigint not null,
  -- Where the worker has come to: the last position that is in a chunk, and how many chunks there are.
  written_sequence bigint not null,
  chunks integer not null default 0,
  events bigint not null default 0,
  bytes bigint not null default 0,
  created_at timestamptz(3) not null,
  completed_at timestamptz(3),
  expires_at timestamptz(3),
  primary key (organization_id, id),
  check ((state = 'completed') = (completed_at is not null and expires_at is not null))
);
create index ledger_exports_expiry on ledger_exports (expires_at) where expires_at is not null;

-- Lines of an export, compressed; one chunk holds whole lines.
create table ledger_export_chunks (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  export_id text collate "C" not null,
  number integer not null,
  content bytea not null,
  primary key (organization_id, export_id, number),
  foreign key (organization_id, export_id) references ledger_exports on delete cascade
);
alter table ledger_export_chunks alter column content set storage external;

do $$
declare
  name text;
begin
  foreach name in array array['ledger_checkpoints', 'ledger_verifications', 'ledger_exports', 'ledger_export_chunks'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format($policy$create policy tenant on %I to purser_app
      using (organization_id = current_setting('app.organization_id', true))
      with check (organization_id = current_setting('app.organization_id', true))$policy$, name);
  end loop;
end
$$;
grant select, insert on ledger_checkpoints, ledger_export_chunks to purser_app;
grant select, insert, update on ledger_verifications, ledger_exports to purser_app;

create policy sweep on ledger_checkpoints for select to purser_relay using (true);
create policy sweep on ledger_exports to purser_relay using (true) with check (false);
grant select on ledger_checkpoints to purser_relay;
grant select, delete on ledger_exports to purser_relay;

-- A verification must know which ledger rows the relay has been past: those have an event.
grant select (position_xid, position_id, system_identifier) on relay_state to purser_app;
