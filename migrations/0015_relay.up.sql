-- The relay numbers and chains what the ledger holds. Ledger and events are partitioned by range of `id`, which is range
-- of time: the first ten characters after the prefix are the millisecond of a TypeID.

-- The lowest id of a moment.
create function time_id(prefix text, at timestamptz) returns text
language sql stable strict parallel safe
return (
  select prefix || '_' || string_agg(
    substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + (ms >> (45 - 5 * place) & 31)::integer, 1), '' order by place
  ) || repeat('0', 16)
  from generate_series(0, 9) place, floor(extract(epoch from at) * 1000) exact, cast(exact as bigint) ms
);

-- The moment of an id.
create function id_time(id text) returns timestamptz
language sql stable strict parallel safe
return (
  select to_timestamp(sum(
    (strpos('0123456789abcdefghjkmnpqrstvwxyz', substr(id, strpos(id, '_') + 1 + place, 1)) - 1)::bigint
      << (45 - 5 * place)
  ) / 1000.0)
  from generate_series(0, 9) place
);

-- The partition of one month, made apart and attached, so that writers hardly wait. What lies in the default partition
-- and belongs to the month moves. Nobody has rights on a partition: it is reached through its parent and its policies.
create function create_time_partition(parent text, prefix text, month timestamptz) returns void
language plpgsql set search_path = public, pg_temp
as $function$
declare
  partition constant text := parent || to_char(month at time zone 'UTC', '_YYYY_MM');
  rest constant text := parent || '_default';
  lowest constant text := time_id(prefix, month);
  beyond constant text := time_id(prefix, (month at time zone 'UTC' + interval '1 month') at time zone 'UTC');
begin
  if to_regclass(partition) is not null then
    return;
  end if;
  execute format('create table %I (like %I including defaults including constraints)', partition, parent);
  if pg_relation_size(rest::regclass) > 0 then
    execute format('alter table %I no force row level security', rest);
    execute format('with moved as (delete from %I where id >= %L and id < %L returning *) insert into %I select * from moved',
      rest, lowest, beyond, partition);
    execute format('alter table %I force row level security', rest);
  end if;
  execute format('alter table %I enable row level security', partition);
  execute format('alter table %I force row level security', partition);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, partition, lowest, beyond);
end
$function$;

create function refuse_unpartitioned(parent text) returns void
language plpgsql immutable
as $function$
begin
  if parent not in ('ledger', 'events', 'webhook_attempts') then
    raise exception 'table % has no partitions by time', parent;
  end if;
end
$function$;

-- Partitions from this month to `months_ahead` from now, and for whatever lies in the default partition.
create function ensure_time_partitions(parent text, prefix text, months_ahead integer) returns void
language plpgsql security definer set search_path = public, pg_temp
as $function$
declare
  rest constant text := parent || '_default';
  months timestamptz[] := array(
    select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead)) at time zone 'UTC'
    from generate_series(0, months_ahead) ahead
  );
  strays timestamptz[];
  month timestamptz;
begin
  perform refuse_unpartitioned(parent);
  if pg_relation_size(rest::regclass) > 0 then
    execute format('alter table %I no force row level security', rest);
    execute format($text$select array(select distinct date_trunc('month', id_time(id), 'UTC') from %I)$text$, rest)
      into strays;
    execute format('alter table %I force row level security', rest);
  end if;
  for month in select distinct unnest(months || strays) order by 1 loop
    perform create_time_partition(parent, prefix, month);
  end loop;
end
$function$;

-- Drops the partitions of months that ended by `before` and returns their names.
create function drop_time_partitions(parent text, before timestamptz) returns text[]
language plpgsql security definer set search_path = public, pg_temp
as $function$
declare
  oldest_kept constant text := parent || to_char(before at time zone 'UTC', '_YYYY_MM');
  partition text;
  dropped text[] := '{}';
begin
  perform refuse_unpartitioned(parent);
  for partition in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent::regclass and c.relname ~ ('^' || parent || '_\d{4}_\d{2}$')
      and c.relname collate "C" < oldest_kept
    order by 1
  loop
    execute format('drop table %I', partition);
    dropped := dropped || partition;
  end loop;
  return dropped;
end
$function$;

-- Waits until no transaction has written to the ledger without having ended, and keeps writers out until this one ends.
create function hold_ledger_writers() returns void
language plpgsql security definer set search_path = public, pg_temp
as $function$
begin
  lock table ledger in share mode;
end
$function$;

revoke all on function create_time_partition(text, text, timestamptz) from public;
revoke all on function ensure_time_partitions(text, text, integer) from public;
revoke all on function drop_time_partitions(text, timestamptz) from public;
revoke all on function hold_ledger_writers() from public;
grant execute on function ensure_time_partitions(text, text, integer) to purser_relay;
grant execute on function drop_time_partitions(text, timestamptz) to purser_relay;
grant execute on function hold_ledger_writers() to purser_relay;

-- The old table waits in a schema of its own, so that every name stays as it is.
create schema unpartitioned;
alter table ledger set schema unpartitioned;
alter table unpartitioned.ledger no force row level security;

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
) partition by range (id);
create index ledger_resource on ledger (organization_id, resource_id, resource_version);
create index ledger_position on ledger (xid, id);
create table ledger_default partition of ledger default;

do $$
declare
  month timestamptz;
begin
  for month in
    select start at time zone 'UTC'
    from (select min(id_time(id)) at time zone 'UTC' as lowest, max(id_time(id)) at time zone 'UTC' as highest
      from unpartitioned.ledger) span,
    generate_series(date_trunc('month', lowest), highest, interval '1 month') start
  loop
    perform create_time_partition('ledger', 'evt', month);
  end loop;
end
$$;
insert into ledger select * from unpartitioned.ledger;
drop table unpartitioned.ledger;
drop schema unpartitioned;

alter table ledger enable row level security;
alter table ledger force row level security;
alter table ledger_default enable row level security;
alter table ledger_default force row level security;
create policy tenant on ledger to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy relay on ledger for select to purser_relay using (true);
grant select, insert on ledger to purser_app;
grant select on ledger to purser_relay;

-- One row per ledger row, under the same id, once the relay has numbered it. The content stays in the ledger; the digest
-- of the personal part is kept here, so that a row whose personal part was erased can still be verified.
create table events (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  sequence bigint not null check (sequence > 0),
  id text collate "C" not null,
  type text not null,
  resource_type text not null,
  resource_id text collate "C" not null,
  actor_id text collate "C" not null,
  occurred_at timestamptz(3) not null,
  personal_digest bytea check (octet_length(personal_digest) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  primary key (organization_id, id)
) partition by range (id);
create unique index events_sequence on events (organization_id, sequence, id);
create index events_type on events (organization_id, type, sequence);
create index events_resource on events (organization_id, resource_id, sequence);
create index events_actor on events (organization_id, actor_id, sequence);
create table events_default partition of events default;
alter table events enable row level security;
alter table events force row level security;
alter table events_default enable row level security;
alter table events_default force row level security;
create policy tenant on events to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy relay on events to purser_relay using (true) with check (true);
grant select on events to purser_app;
grant select, insert on events to purser_relay;

-- The newest event of each organization, and the newest one that retention has dropped.
create table event_heads (
  organization_id text collate "C" primary key default current_setting('app.organization_id'),
  sequence bigint not null check (sequence > 0),
  hash bytea not null check (octet_length(hash) = 32),
  floor_sequence bigint not null default 0,
  floor_hash bytea check (octet_length(floor_hash) = 32),
  check (floor_sequence between 0 and sequence),
  check ((floor_sequence = 0) = (floor_hash is null))
);
alter table event_heads enable row level security;
alter table event_heads force row level security;
create policy tenant on event_heads to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy relay on event_heads to purser_relay using (true) with check (true);
grant select on event_heads to purser_app;
grant select, insert, update on event_heads to purser_relay;

-- How far the relay has come in this cluster. The only table without a tenant: one row, which every process may ask for
-- the relay's lag.
create table relay_state (
  single boolean primary key default true check (single),
  system_identifier text,
  position_xid xid8 not null default '0',
  position_id text collate "C" not null default '',
  leader text,
  beat_at timestamptz(3),
  behind_since timestamptz(3)
);
insert into relay_state default values;
alter table relay_state enable row level security;
alter table relay_state force row level security;
create policy relay on relay_state to purser_relay using (true) with check (true);
create policy lag on relay_state for select to purser_app using (true);
grant select, update on relay_state to purser_relay;
grant select (leader, beat_at, behind_since) on relay_state to purser_app;

select ensure_time_partitions('ledger', 'evt', 3), ensure_time_partitions('events', 'evt', 3);
